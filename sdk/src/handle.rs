//! Several things at once: programs that run, calls to other plugins.
//!
//! A plugin waits for each import, so whatever takes long is a handle: start several, then [`join`]
//! them. Dropping a handle ends what it stands for.
//!
//! ```no_run
//! use hubcap_sdk::bindings::plugin::hubcap::plugin::hub;
//! use hubcap_sdk::{Error, handle, progress};
//!
//! fn ask_two() -> Result<usize, Error> {
//!     let calls = ["first_search", "second_search"]
//!         .map(|tool| hub::start_tool(tool, r#"{"query":"hubcap"}"#).map_err(Error::from_host));
//!     let calls = calls.into_iter().collect::<Result<Vec<_>, _>>()?;
//!     let replies = handle::join(calls, |index, event| {
//!         if let hub::Event::Partial(text) = event {
//!             progress::partial(&format!("{index}: {text}"));
//!         }
//!     });
//!     Ok(replies.into_iter().filter(Result::is_ok).count())
//! }
//! ```
//!
//! # Denied
//! What starts a handle asks the operator's grants and fails with the code `denied` before there is one.
//! A handle that fails later fails alone: its place in the answer of [`join`] has the error.

use crate::Error;
use crate::bindings::plugin::hubcap::plugin::{hub, process};
use crate::bindings::plugin::wasi::io::poll::{self, Pollable};

/// Something that was started and will end.
pub trait Handle: Sized {
    /// What it tells while it runs.
    type Event;
    /// What it ends with.
    type Output;

    /// Ready when [`Handle::next`] has something.
    fn subscribe(&self) -> Pollable;

    /// What it has to tell. Waits for nothing.
    ///
    /// # Errors
    /// Where it failed; it is over then.
    fn next(&self) -> Result<Next<Self::Event>, Error>;

    /// Waits for its end.
    ///
    /// # Errors
    /// Where it failed.
    fn finish(self) -> Result<Self::Output, Error>;
}

/// What [`Handle::next`] brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<E> {
    /// Nothing has come yet.
    Nothing,
    /// An event.
    Event(E),
    /// No more events: [`Handle::finish`] returns soon.
    Over,
}

impl Handle for process::Running {
    type Event = process::Event;
    type Output = process::Exit;

    fn subscribe(&self) -> Pollable {
        process::Running::subscribe(self)
    }

    fn next(&self) -> Result<Next<Self::Event>, Error> {
        Ok(match process::Running::next(self).map_err(Error::from_host)? {
            None => Next::Nothing,
            Some(process::Event::Closed) => Next::Over,
            Some(event) => Next::Event(event),
        })
    }

    fn finish(self) -> Result<Self::Output, Error> {
        process::Running::finish(self).map_err(Error::from_host)
    }
}

impl Handle for hub::Pending {
    type Event = hub::Event;
    type Output = hub::Reply;

    fn subscribe(&self) -> Pollable {
        hub::Pending::subscribe(self)
    }

    fn next(&self) -> Result<Next<Self::Event>, Error> {
        Ok(match hub::Pending::next(self).map_err(Error::from_host)? {
            None => Next::Nothing,
            Some(hub::Event::Ready) => Next::Over,
            Some(event) => Next::Event(event),
        })
    }

    fn finish(self) -> Result<Self::Output, Error> {
        hub::Pending::finish(self).map_err(Error::from_host)
    }
}

/// Waits until at least one of the handles has something, and gives the indexes of those that have, in no order.
/// Comes back at once, with none, where there are no handles.
pub fn wait_any<H: Handle>(handles: &[H]) -> Vec<usize> {
    if handles.is_empty() {
        // Waiting for nothing would never end; the host ends such a call.
        return Vec::new();
    }
    let pollables: Vec<Pollable> = handles.iter().map(Handle::subscribe).collect();
    poll::poll(&pollables.iter().collect::<Vec<_>>()).into_iter().map(|index| index as usize).collect()
}

/// Runs all handles to their end and gives what each ended with, in their order. `on_event` hears what
/// they tell meanwhile, with the index of the one that tells it.
pub fn join<H: Handle>(
    handles: Vec<H>,
    on_event: impl FnMut(usize, H::Event),
) -> Vec<Result<H::Output, Error>> {
    join_with(handles, on_event, wait_any)
}

/// [`join`] with a way to wait, so that its order can be tested without a host.
fn join_with<H: Handle>(
    handles: Vec<H>,
    mut on_event: impl FnMut(usize, H::Event),
    wait: impl Fn(&[H]) -> Vec<usize>,
) -> Vec<Result<H::Output, Error>> {
    let mut ended: Vec<Option<Result<H::Output, Error>>> = handles.iter().map(|_| None).collect();
    let mut indexes: Vec<usize> = (0..handles.len()).collect();
    let mut running = handles;
    while !running.is_empty() {
        // From the back, so that what is taken out moves nothing that is still to come. A host gives the
        // indexes in no order.
        let mut ready = wait(&running);
        ready.sort_unstable();
        for at in ready.into_iter().rev() {
            let index = indexes[at];
            let end = match running[at].next() {
                Ok(Next::Nothing) => continue,
                Ok(Next::Event(event)) => {
                    on_event(index, event);
                    continue;
                }
                Ok(Next::Over) => Handle::finish(running.swap_remove(at)),
                Err(error) => {
                    drop(running.swap_remove(at));
                    Err(error)
                }
            };
            indexes.swap_remove(at);
            ended[index] = Some(end);
        }
    }
    // Each has ended: the loop takes a handle out only with its end.
    ended.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::{Handle, Next, Pollable, join_with};
    use crate::Error;

    /// Tells what it is given, then ends with the last of it.
    struct Scripted {
        script: RefCell<VecDeque<Result<u8, &'static str>>>,
        last: RefCell<u8>,
    }

    impl Scripted {
        fn new(script: &[Result<u8, &'static str>]) -> Self {
            Self { script: RefCell::new(script.iter().copied().collect()), last: RefCell::new(0) }
        }
    }

    impl Handle for Scripted {
        type Event = u8;
        type Output = u8;

        fn subscribe(&self) -> Pollable {
            unreachable!("the test waits by itself")
        }

        fn next(&self) -> Result<Next<u8>, Error> {
            match self.script.borrow_mut().pop_front() {
                None => Ok(Next::Over),
                Some(Ok(0)) => Ok(Next::Nothing),
                Some(Ok(event)) => {
                    *self.last.borrow_mut() = event;
                    Ok(Next::Event(event))
                }
                Some(Err(what)) => Err(Error::upstream(what)),
            }
        }

        fn finish(self) -> Result<u8, Error> {
            Ok(self.last.into_inner())
        }
    }

    #[test]
    fn each_handle_runs_to_its_own_end_and_answers_at_its_own_place() {
        let handles = vec![
            Scripted::new(&[Ok(1), Ok(0), Ok(2), Ok(3)]),
            Scripted::new(&[]),
            Scripted::new(&[Ok(7), Err("broken")]),
            Scripted::new(&[Ok(9)]),
        ];
        let mut heard = Vec::new();
        let ends = join_with(
            handles,
            |index, event| heard.push((index, event)),
            |running| (0..running.len()).collect(),
        );
        let ends: Vec<_> =
            ends.into_iter().map(|end| end.map_err(|error| error.message().to_owned())).collect();
        assert_eq!(ends, [Ok(3), Ok(0), Err("broken".to_owned()), Ok(9)]);
        let of = |wanted| {
            heard.iter().filter(|(index, _)| *index == wanted).map(|(_, event)| *event).collect::<Vec<_>>()
        };
        assert_eq!((of(0), of(1), of(2), of(3)), (vec![1, 2, 3], vec![], vec![7], vec![9]));
    }

    #[test]
    fn handles_that_end_at_once_may_be_told_of_in_any_order() {
        for order in [[0, 1, 2], [2, 0, 1], [0, 2, 1], [1, 2, 0]] {
            let handles = [4, 5, 6].map(|event| Scripted::new(&[Ok(event)])).into();
            let wait = |running: &[Scripted]| order.into_iter().filter(|at| *at < running.len()).collect();
            let ends = join_with(handles, |_, _| (), wait);
            assert_eq!(ends.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [4, 5, 6], "{order:?}");
        }
    }

    #[test]
    fn nothing_to_join_is_no_wait() {
        let ends = super::join(Vec::<Scripted>::new(), |_, _| ());
        assert!(ends.is_empty());
        assert!(super::wait_any::<Scripted>(&[]).is_empty());
    }
}
