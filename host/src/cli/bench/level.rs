//! One number of calls in flight, measured with a server of its own.
//!
//! Invariant: whatever comes of it, the server has ended when it is told.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio_util::sync::CancellationToken;

use super::conversation::{Conversation, Fault};
use super::kernel::{self, Look};
use super::load::{Tally, drive};
use crate::cli::{Failure, child};

/// Longest that a server may be silent while it owes an answer: more than a call takes by default, and
/// than a start.
const SILENCE: Duration = Duration::from_secs(60);

/// Most calls before those that are measured.
const WARM_UP: u64 = 1_000;

/// What is to be measured.
pub(super) struct Plan {
    params: String,
    calls: u64,
    program: OsString,
    arguments: Vec<OsString>,
}

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Level {
    /// Calls in flight.
    pub(super) concurrency: u64,
    /// Calls that were measured, those that failed among them.
    pub(super) calls: u64,
    /// How many failed, by code.
    pub(super) errors: BTreeMap<String, u64>,
    /// What half of the calls that did not fail took at most.
    pub(super) p50_micros: Option<f64>,
    /// The same for 95 of a hundred.
    pub(super) p95_micros: Option<f64>,
    /// The same for 99 of a hundred.
    pub(super) p99_micros: Option<f64>,
    /// Calls that did not fail, for each second.
    pub(super) calls_per_second: f64,
    /// What the server computed, for each call.
    pub(super) cpu_micros_per_call: Option<f64>,
    /// The most memory that the server had, from its start.
    pub(super) peak_memory_bytes: Option<u64>,
    /// From the server's start to its first list of tools.
    pub(super) first_list_millis: f64,
    /// Calls before those that were measured.
    pub(super) warm_up: u64,
    /// The server after these.
    pub(super) before: Option<Look>,
    /// The server after all.
    pub(super) after: Option<Look>,
}

type Pipes = Conversation<ChildStdout, ChildStdin>;

impl Plan {
    /// So many calls of a tool; `server` is a program and its arguments.
    pub(super) fn new(tool: &str, arguments: Map<String, Value>, calls: u64, server: Vec<OsString>) -> Self {
        let params = json!({ "name": tool, "arguments": arguments }).to_string();
        let mut server = server.into_iter();
        Self { params, calls, program: server.next().unwrap_or_default(), arguments: server.collect() }
    }

    /// Starts a server, measures it with so many calls in flight, and ends it.
    pub(super) async fn measure(&self, in_flight: u64, stop: &CancellationToken) -> Result<Level, Failure> {
        let started = Instant::now();
        let mut command = Command::new(&self.program);
        let (mut server, input, output) = child::start(command.args(&self.arguments)).map_err(|error| {
            Failure::Usage(format!("cannot start {}: {error}", self.program.to_string_lossy()))
        })?;
        // Asked for before anybody has waited for it, so it is there.
        let pid = server.id().unwrap_or_default();
        let mut conversation = Conversation::new(output, input, SILENCE);
        let measured = tokio::select! {
            biased;
            () = stop.cancelled() => Err(Fault::Interrupted),
            measured = self.talk(&mut conversation, pid, started, in_flight) => measured,
        };
        drop(conversation);
        let ended = child::stop(&mut server).await;
        match measured {
            Ok(level) => ended.map(|()| level),
            Err(Fault::Wrong(text)) => Err(Failure::Failed(text)),
            Err(Fault::Ended) if !stop.is_cancelled() => {
                ended?;
                Err(Failure::Failed("the server ended before it had answered".into()))
            }
            Err(Fault::Ended | Fault::Interrupted) => Err(Failure::Failed("interrupted".into())),
        }
    }

    async fn talk(
        &self,
        server: &mut Pipes,
        pid: u32,
        started: Instant,
        in_flight: u64,
    ) -> Result<Level, Fault> {
        server.begin().await?;
        let first_list = started.elapsed();
        self.try_once(server).await?;
        let warm_up = (self.calls / 10).min(WARM_UP);
        drive(server, &self.params, warm_up, in_flight).await?;
        let (before, cpu_before) = (Look::at(pid), kernel::cpu_time(pid));
        let mut tally = drive(server, &self.params, self.calls, in_flight).await?;
        let cpu = kernel::cpu_time(pid).zip(cpu_before).map(|(after, before)| after.saturating_sub(before));
        let after = Look::at(pid);
        tally.took.sort_unstable();
        Ok(Level {
            concurrency: in_flight,
            calls: self.calls,
            p50_micros: percentile(&tally.took, 50),
            p95_micros: percentile(&tally.took, 95),
            p99_micros: percentile(&tally.took, 99),
            calls_per_second: per_second(&tally),
            cpu_micros_per_call: cpu.map(|cpu| micros(cpu) / self.calls as f64),
            peak_memory_bytes: kernel::peak_memory(pid),
            first_list_millis: micros(first_list) / 1e3,
            warm_up,
            before,
            after,
            errors: tally.errors,
        })
    }

    /// A tool that cannot be called at all is told of in its own words, not in numbers.
    async fn try_once(&self, server: &mut Pipes) -> Result<(), Fault> {
        server.send("tools/call", &self.params);
        match server.answer().await?.failed {
            None => Ok(()),
            Some(failed) => {
                Err(Fault::Wrong(format!("the first call failed: {}: {}", failed.code, failed.text)))
            }
        }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn per_second(tally: &Tally) -> f64 {
    tally.took.len() as f64 / tally.whole.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// The least time that so many of a hundred did not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).map(|time| micros(*time))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::percentile;

    #[test]
    fn a_percentile_is_the_least_time_that_so_many_did_not_exceed() {
        let times: Vec<_> = (1..=200).map(Duration::from_micros).collect();
        let of = |times: &[Duration]| [50, 95, 99].map(|percent| percentile(times, percent).map(f64::round));
        assert_eq!(of(&times), [Some(100.0), Some(190.0), Some(198.0)]);
        assert_eq!(of(&times[..1]), [Some(1.0); 3]);
        assert_eq!(of(&[]), [None; 3]);
    }
}
