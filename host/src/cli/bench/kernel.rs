//! What the kernel says of a server: memory, threads, descriptors, and the time that it computed.
//!
//! Invariant: what cannot be known is missing; it is never a zero.

use std::time::Duration;

use serde::Serialize;

/// A look at a process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Look {
    /// Resident memory, in bytes.
    pub(super) memory_bytes: u64,
    /// Threads.
    pub(super) threads: u64,
    /// Open descriptors.
    pub(super) descriptors: u64,
}

impl Look {
    /// At a process, where there is Linux's `/proc`.
    pub(super) fn at(pid: u32) -> Option<Self> {
        let status = status(pid)?;
        Some(Self {
            memory_bytes: field(&status, "VmRSS:")? << 10,
            threads: field(&status, "Threads:")?,
            descriptors: std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64,
        })
    }
}

/// The most memory that a process had at once, in bytes.
pub(super) fn peak_memory(pid: u32) -> Option<u64> {
    Some(field(&status(pid)?, "VmHWM:")? << 10)
}

fn status(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/status")).ok()
}

/// A number of `/proc/<pid>/status`.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The time that a process computed, by itself and in the kernel: all its threads, none of its children.
#[cfg(target_os = "linux")]
pub(super) fn cpu_time(pid: u32) -> Option<Duration> {
    use nix::time::ClockId;
    use nix::unistd::Pid;
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
    clock.now().ok().map(Duration::from)
}

/// Such clocks are Linux's.
#[cfg(not(target_os = "linux"))]
pub(super) fn cpu_time(_pid: u32) -> Option<Duration> {
    None
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::{Look, cpu_time, peak_memory};

    #[test]
    fn a_process_that_runs_has_memory_threads_descriptors_and_time() {
        let us = std::process::id();
        let look = Look::at(us).unwrap();
        assert!(look.memory_bytes > 1 << 20 && look.threads >= 1 && look.descriptors >= 3, "{look:?}");
        assert!(peak_memory(us).unwrap() > 1 << 20);
        let before = cpu_time(us).unwrap();
        while cpu_time(us).unwrap() == before {}
    }

    #[test]
    fn of_a_process_that_is_gone_nothing_is_known() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert_eq!(Look::at(child.id()), None);
        assert_eq!((peak_memory(child.id()), cpu_time(child.id())), (None, None));
    }
}
