//! `hubcap:plugin/progress`: news of a running call.
//!
//! Invariant: never waits for whoever follows the call; what is not taken in time is dropped.

use std::sync::Arc;

use crate::bindings::progress;
use crate::imports::Imports;
use crate::model::{Follower, Progress, text};
use crate::secrets::Secrets;

/// Characters of one message.
const MAX_MESSAGE_CHARS: usize = 2_000;
/// Bytes of one piece of a result that is coming into being.
const MAX_PARTIAL: usize = 64 << 10;
/// Bytes of all pieces of one call: as many as the result itself may have.
const MAX_PARTIALS: usize = 1 << 20;

/// Where a call's news goes: nowhere, if nobody asked.
#[derive(Default)]
pub(crate) struct ProgressSink {
    secrets: Arc<Secrets>,
    follower: Option<Arc<dyn Follower>>,
    last: Option<f64>,
    partial_bytes: usize,
}

impl ProgressSink {
    /// A sink for one call.
    pub(crate) fn new(follower: Option<Arc<dyn Follower>>, secrets: Arc<Secrets>) -> Self {
        Self { follower, secrets, ..Self::default() }
    }

    fn grows(&mut self, done: f64) -> bool {
        let grows = done.is_finite() && self.last.is_none_or(|last| done > last);
        if grows {
            self.last = Some(done);
        }
        grows
    }

    /// Whether a piece of so many bytes may still go out. One that does not is dropped.
    fn fits(&mut self, bytes: usize) -> bool {
        let fits = bytes <= MAX_PARTIAL && self.partial_bytes + bytes <= MAX_PARTIALS;
        if fits {
            self.partial_bytes += bytes;
        }
        fits
    }

    fn send(&self, news: impl FnOnce() -> Progress) {
        if let Some(follower) = &self.follower {
            follower.hear(news());
        }
    }
}

fn shown(message: &str) -> String {
    text::clean_and_cut(message, MAX_MESSAGE_CHARS)
}

impl progress::Host for Imports {
    fn report(&mut self, done: f64, total: Option<f64>, message: Option<String>) {
        if self.progress.grows(done) {
            self.progress.send(|| Progress::Report {
                done,
                total: total.filter(|total| total.is_finite()),
                message: message.map(|message| shown(&self.progress.secrets.redacted(&message))),
            });
        }
    }

    fn partial(&mut self, partial: String) {
        if self.progress.follower.is_some() && self.progress.fits(partial.len()) {
            let partial = self.progress.secrets.redacted(&partial).into_owned();
            self.progress.send(|| Progress::Partial(text::clean_owned(partial)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_MESSAGE_CHARS, MAX_PARTIAL, MAX_PARTIALS, ProgressSink, shown};

    #[test]
    fn a_message_of_2000_characters_is_kept_and_a_longer_one_is_cut() {
        let full = "é".repeat(MAX_MESSAGE_CHARS);
        assert_eq!(shown(&full), full);
        assert!(shown(&format!("{full}é")).ends_with(" [cut]"));
    }

    #[test]
    fn pieces_are_bounded_one_by_one_and_together() {
        let mut sink = ProgressSink::default();
        assert!(!sink.fits(MAX_PARTIAL + 1));
        for _ in 0..MAX_PARTIALS / MAX_PARTIAL {
            assert!(sink.fits(MAX_PARTIAL));
        }
        assert!(!sink.fits(1));
    }

    #[test]
    fn only_what_grows_is_news() {
        let mut sink = ProgressSink::default();
        let told = [1.0, 1.0, 0.5, f64::NAN, f64::INFINITY, 2.0].map(|done| sink.grows(done));
        assert_eq!(told, [true, false, false, false, false, true]);
    }
}
