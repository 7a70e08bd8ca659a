//! How long each step of a request may take.
//!
//! Invariant: a guest can make a step shorter and never longer.

use std::time::Duration;

use wasmtime_wasi_http::RequestOptions;

/// Longest that resolving a name may take.
const DNS_WAIT: Duration = Duration::from_secs(3);
/// Longest that connecting may take, all addresses together.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// Longest that the TLS handshake may take.
const TLS_WAIT: Duration = Duration::from_secs(5);
/// Longest from the last byte of the request to the first of the answer.
const FIRST_BYTE_WAIT: Duration = Duration::from_secs(15);
/// Longest between two pieces of an answer's body.
const IDLE_WAIT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept.
const KEEP_WAIT: Duration = Duration::from_secs(30);

/// The bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) dns: Duration,
    pub(super) connect: Duration,
    pub(super) tls: Duration,
    pub(super) first_byte: Duration,
    pub(super) idle: Duration,
    pub(super) keep: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            dns: DNS_WAIT,
            connect: CONNECT_WAIT,
            tls: TLS_WAIT,
            first_byte: FIRST_BYTE_WAIT,
            idle: IDLE_WAIT,
            keep: KEEP_WAIT,
        }
    }
}

impl Times {
    /// These, where the guest did not ask for less.
    pub(super) fn asked(self, options: Option<RequestOptions>) -> Self {
        let Some(options) = options else { return self };
        let connect = |ours| shorter(ours, options.connect_timeout);
        Self {
            dns: connect(self.dns),
            connect: connect(self.connect),
            tls: connect(self.tls),
            first_byte: shorter(self.first_byte, options.first_byte_timeout),
            idle: shorter(self.idle, options.between_bytes_timeout),
            keep: self.keep,
        }
    }
}

/// Nothing at all is a timer that some clocks refuse: it counts as a millisecond.
fn shorter(ours: Duration, asked: Option<Duration>) -> Duration {
    asked.map_or(ours, |asked| asked.clamp(Duration::from_millis(1), ours))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wasmtime_wasi_http::RequestOptions;

    use super::Times;

    #[test]
    fn a_guest_gets_less_time_and_never_more() {
        let options = |time| RequestOptions {
            connect_timeout: Some(time),
            first_byte_timeout: Some(time),
            between_bytes_timeout: Some(time),
        };
        let ours = Times::default();
        assert_eq!(ours.asked(None), ours);
        assert_eq!(ours.asked(Some(RequestOptions::default())), ours);
        assert_eq!(ours.asked(Some(options(Duration::from_nanos(u64::MAX)))), ours);
        for (asked, got) in [(Duration::ZERO, 1), (Duration::from_millis(70), 70)] {
            let got = Duration::from_millis(got);
            let expected = Times { dns: got, connect: got, tls: got, first_byte: got, idle: got, ..ours };
            assert_eq!(ours.asked(Some(options(asked))), expected);
        }
    }
}
