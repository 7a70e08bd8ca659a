//! What the kernel says of a process: memory, threads, open files.

use std::fs;

/// A look at a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// Resident memory now, in KiB.
    pub(crate) rss_kib: u64,
    /// The most that it was since [`forget_peak`], in KiB.
    pub(crate) peak_kib: u64,
    /// Threads.
    pub(crate) threads: u64,
    /// Open file descriptors.
    pub(crate) fds: u64,
}

impl Facts {
    /// The facts of a running process.
    pub(crate) fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a known field");
            line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
        };
        Self {
            rss_kib: field("VmRSS"),
            peak_kib: field("VmHWM"),
            threads: field("Threads"),
            fds: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() as u64,
        }
    }

    /// Whether what was in use before a case is all that is in use after it, give or take what an
    /// allocator and a thread pool keep for later.
    pub(crate) fn is_back_to(&self, before: &Self) -> bool {
        self.rss_kib <= before.rss_kib + 32 * 1024
            && self.threads <= before.threads + 4
            && self.fds <= before.fds + 1
    }
}

/// Starts the measure of the most memory anew.
pub(crate) fn forget_peak(pid: u32) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("the peak can be forgotten");
}
