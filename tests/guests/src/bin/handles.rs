//! The pattern of everything that takes long: start, subscribe, take events, finish; or drop to cancel.
//!
//! Two programs and two hub calls run at once, and the guest answers what it saw, in order.

use hubcap_sdk::bindings::plugin::hubcap::plugin::hub::{self, Pending, Reply, start_tool};
use hubcap_sdk::bindings::plugin::hubcap::plugin::process::{self, Options, Running, start};
use hubcap_sdk::bindings::plugin::hubcap::plugin::types;
use hubcap_sdk::bindings::plugin::wasi::io::poll::{Pollable, poll};
use hubcap_sdk::{Content, Error, Output};
use test_guests::{Value, answer};

/// Something that was started, under the name by which the guest tells what it saw.
struct Job {
    name: &'static str,
    handle: Handle,
}

enum Handle {
    Program(Running),
    Call(Pending),
}

/// What one look at a handle brought.
enum Seen {
    Nothing,
    Something(String),
    Over,
}

fn failed(error: types::Error) -> Error {
    Error::upstream(format!("{}: {}", error.code, error.message))
}

fn program(name: &'static str) -> Result<Job, Error> {
    let options = Options { slots: Vec::new(), env: Vec::new(), working_directory: None, deadline_ms: None };
    Ok(Job { name, handle: Handle::Program(start(name, &options).map_err(failed)?) })
}

fn call(name: &'static str) -> Result<Job, Error> {
    Ok(Job { name, handle: Handle::Call(start_tool(name, "{}").map_err(failed)?) })
}

impl Job {
    fn subscribe(&self) -> Pollable {
        match &self.handle {
            Handle::Program(running) => running.subscribe(),
            Handle::Call(pending) => pending.subscribe(),
        }
    }

    fn look(&self) -> Result<Seen, Error> {
        Ok(match &self.handle {
            Handle::Program(running) => match running.next().map_err(failed)? {
                None => Seen::Nothing,
                Some(process::Event::Closed) => Seen::Over,
                Some(process::Event::Stdout(bytes)) => {
                    Seen::Something(format!("out {}", String::from_utf8(bytes)?))
                }
                Some(process::Event::Stderr(bytes)) => {
                    Seen::Something(format!("err {}", String::from_utf8(bytes)?))
                }
            },
            Handle::Call(pending) => match pending.next().map_err(failed)? {
                None => Seen::Nothing,
                Some(hub::Event::Ready) => Seen::Over,
                Some(hub::Event::Progress((done, _))) => Seen::Something(format!("progress {done}")),
                Some(hub::Event::Partial(text)) => Seen::Something(format!("partial {text}")),
            },
        })
    }

    fn finish(self) -> Result<String, Error> {
        match self.handle {
            Handle::Program(running) => {
                let exit = Running::finish(running).map_err(failed)?;
                Ok(format!("exit {:?}", exit.code))
            }
            Handle::Call(pending) => match Pending::finish(pending).map_err(failed)? {
                Reply::Tool(output) => Ok(format!("reply {}", first_text(&output))),
                Reply::Report(_) | Reply::Completion(_) => Ok("another kind".to_owned()),
            },
        }
    }
}

fn first_text(output: &Output) -> &str {
    match output.content.first() {
        Some(Content::Text(text)) => text,
        _ => "",
    }
}

/// Runs all jobs to their end and tells what came, one line for each event.
fn join(mut jobs: Vec<Job>) -> Result<Vec<String>, Error> {
    let mut seen = Vec::new();
    while !jobs.is_empty() {
        let pollables: Vec<Pollable> = jobs.iter().map(Job::subscribe).collect();
        let mut ready = poll(&pollables.iter().collect::<Vec<_>>());
        drop(pollables);
        // The host gives them in no order.
        ready.sort_unstable();
        // From the back, so that what is taken out moves nothing that is still to come.
        for index in ready.into_iter().rev() {
            let index = index as usize;
            match jobs[index].look()? {
                Seen::Nothing => {}
                Seen::Something(what) => seen.push(format!("{}: {what}", jobs[index].name)),
                Seen::Over => {
                    let job = jobs.swap_remove(index);
                    let name = job.name;
                    seen.push(format!("{name}: {}", job.finish()?));
                }
            }
        }
    }
    Ok(seen)
}

fn both(_: &Value) -> Result<Output, Error> {
    let jobs = vec![program("first")?, program("second")?, call("one_tool")?, call("two_tool")?];
    Ok(Output::text(join(jobs)?.join("\n")))
}

fn drop_both(_: &Value) -> Result<Output, Error> {
    let jobs = [program("first")?, call("one_tool")?];
    let started = jobs.len();
    drop(jobs);
    answer(started)
}

test_guests::tools! { "both" => both, "drop" => drop_both }
