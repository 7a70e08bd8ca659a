//! From the hub's news of a call to `notifications/progress`.
//!
//! Invariant: the numbers strictly increase, everything is out before the call's result, and the guest
//! never waits for any of it.

use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::Peer;
use tokio::sync::{mpsc, oneshot};

use crate::model::{Follower, Progress};

/// News of one call that may wait; more are dropped.
const QUEUE: usize = 64;

/// Runs `work` with a place to send news to, and passes the news on under `token`.
pub(super) async fn followed<W: Future>(
    peer: &Peer<RoleServer>,
    token: ProgressToken,
    work: impl FnOnce(Arc<dyn Follower>) -> W,
) -> W::Output {
    let (sender, news) = mpsc::channel(QUEUE);
    let (ended, end) = oneshot::channel::<()>();
    let work = work(Arc::new(sender));
    let work = async {
        let result = work.await;
        drop(ended);
        result
    };
    let (result, ()) = tokio::join!(work, pass_on(news, end, peer, token));
    result
}

/// Passes news on until the work has ended and all that was said before has been passed on. A sender
/// that outlives the work holds nothing up.
async fn pass_on(
    mut news: mpsc::Receiver<Progress>,
    mut end: oneshot::Receiver<()>,
    peer: &Peer<RoleServer>,
    token: ProgressToken,
) {
    let mut scale = Scale::default();
    loop {
        let next = tokio::select! {
            biased;
            next = news.recv() => next,
            _ = &mut end, if !news.is_closed() => {
                news.close();
                continue;
            }
        };
        let Some(next) = next else { return };
        let Some(step) = scale.step(next) else { continue };
        let mut params = ProgressNotificationParam::new(token.clone(), step.done);
        (params.total, params.message) = (step.total, step.message);
        if peer.notify_progress(params).await.is_err() {
            return;
        }
    }
}

/// One notification.
#[derive(Debug, PartialEq)]
struct Step {
    done: f64,
    total: Option<f64>,
    message: Option<String>,
}

/// Where a call is.
#[derive(Default)]
struct Scale {
    last: Option<f64>,
    reported: bool,
}

impl Scale {
    /// The notification for this news, if it leads further. A report that is not beyond the last one is
    /// dropped. A piece of a result has no number of its own: pieces count up by one, and once there was a
    /// report they move by the least amount there is, so that they don't get in the way of the next one.
    fn step(&mut self, news: Progress) -> Option<Step> {
        let step = match news {
            Progress::Report { done, total, message } => {
                self.reported = true;
                Step { done, total: total.filter(|total| total.is_finite()), message }
            }
            Progress::Partial(text) => {
                let last = self.last.unwrap_or(0.0);
                let done = if self.reported { last.next_up() } else { last + 1.0 };
                Step { done, total: None, message: Some(text) }
            }
        };
        let leads_further = step.done.is_finite() && self.last.is_none_or(|last| step.done > last);
        self.last = if leads_further { Some(step.done) } else { self.last };
        leads_further.then_some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;
    use crate::model::Progress;

    fn report(done: f64) -> Progress {
        Progress::Report { done, total: Some(1.0), message: None }
    }

    fn numbers(news: impl IntoIterator<Item = Progress>) -> Vec<f64> {
        let mut scale = Scale::default();
        news.into_iter().filter_map(|news| scale.step(news)).map(|step| step.done).collect()
    }

    #[test]
    fn a_report_that_leads_no_further_is_dropped() {
        let news = [0.0, 0.5, 0.5, 0.25, f64::NAN, f64::INFINITY, 1.0].map(report);
        assert_eq!(numbers(news), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn pieces_count_up_and_carry_their_text() {
        let pieces = ["a", "b", "c"].map(|text| Progress::Partial(text.to_owned()));
        assert_eq!(numbers(pieces), [1.0, 2.0, 3.0]);
        let step = Scale::default().step(Progress::Partial("a".to_owned()));
        assert_eq!(step.and_then(|step| step.message).as_deref(), Some("a"));
    }

    #[test]
    fn pieces_between_reports_do_not_get_in_their_way() {
        let news =
            [report(0.5), Progress::Partial(String::new()), Progress::Partial(String::new()), report(0.6)];
        let numbers = numbers(news);
        assert_eq!(numbers.len(), 4);
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }
}
