//! The processes that came of a program, wherever they moved to.
//!
//! Invariant: a process is signalled only where the kernel says now that it descends from this one, or that it
//! is of the program's session, in which nobody else can be.

use std::collections::BTreeSet;

use rustix::process::{Pid, Signal, getpgid, getpid, kill_process, kill_process_group};

/// Looks for what is left of a session that lost its supervisor.
const ROUNDS: usize = 5;

/// The living processes that descend from this one. While they come and go, one may be missed.
pub(super) fn all() -> Vec<Pid> {
    let mut found = children(getpid()).unwrap_or_else(slow::all);
    let mut looked_at = 0;
    while let Some(pid) = found.get(looked_at).copied() {
        looked_at += 1;
        let more = children(pid).unwrap_or_default();
        found.extend(more.into_iter().filter(|pid| !found.contains(pid)).collect::<Vec<_>>());
    }
    found
}

/// The children of all threads of a process; nothing where the kernel keeps no such lists.
#[cfg(target_os = "linux")]
fn children(pid: Pid) -> Option<Vec<Pid>> {
    let mut children = Vec::new();
    // A process that is gone has none.
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Some(children) };
    for thread in threads.flatten() {
        match std::fs::read_to_string(thread.path().join("children")) {
            Ok(list) => children.extend(list.split_whitespace().filter_map(read_pid)),
            Err(_) if thread.path().join("stat").exists() => return None,
            Err(_) => {}
        }
    }
    Some(children)
}

#[cfg(not(target_os = "linux"))]
fn children(_pid: Pid) -> Option<Vec<Pid>> {
    Some(Vec::new())
}

fn read_pid(written: &str) -> Option<Pid> {
    written.parse().ok().and_then(Pid::from_raw)
}

/// Sends a signal to all descendants, each once: group by group, so that one that forks meanwhile is hit too.
/// `program` is the first of them, as long as it is certain that its id is its own.
pub(super) fn signal_all(signal: Signal, program: Option<Pid>) {
    let own = getpgid(None).ok();
    let mut groups: BTreeSet<_> = program.into_iter().map(Pid::as_raw_nonzero).collect();
    for pid in all() {
        match getpgid(Some(pid)) {
            // The supervisor's own group has the supervisor in it.
            Ok(group) if Some(group) == own => _ = kill_process(pid, signal),
            Ok(group) => _ = groups.insert(group.as_raw_nonzero()),
            // Gone already.
            Err(_) => {}
        }
    }
    for group in groups.into_iter().filter_map(|group| Pid::from_raw(group.get())) {
        let _ = kill_process_group(group, signal);
    }
}

/// Ends what is left of the session of a supervisor that was itself ended. What left the session is not found.
pub(crate) fn end_session(supervisor: u32) {
    for _ in 0..ROUNDS {
        let left = slow::of_session(supervisor);
        if left.is_empty() {
            return;
        }
        for pid in left {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::yield_now();
    }
}

/// By a look at every process of the machine.
mod slow {
    use std::fs;

    use rustix::process::{Pid, getpid};

    use super::read_pid;

    /// A process: its id, its parent's, its session.
    struct Found {
        pid: Pid,
        parent: Pid,
        session: u32,
    }

    fn everything() -> Vec<Found> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| read_pid(entry.file_name().to_str()?));
        pids.filter_map(look).collect()
    }

    fn look(pid: Pid) -> Option<Found> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may have anything in it. Behind it: state, parent, group, session.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let parent = read_pid(fields.next()?)?;
        let session = fields.nth(1)?.parse().ok()?;
        (state != "Z").then_some(Found { pid, parent, session })
    }

    /// The descendants of this process.
    pub(super) fn all() -> Vec<Pid> {
        let everything = everything();
        let mut found = vec![getpid()];
        let mut looked_at = 0;
        while let Some(parent) = found.get(looked_at).copied() {
            looked_at += 1;
            found.extend(everything.iter().filter(|one| one.parent == parent).map(|one| one.pid));
        }
        found.split_off(1)
    }

    /// The living processes of a session.
    pub(super) fn of_session(leader: u32) -> Vec<Pid> {
        everything()
            .into_iter()
            .filter(|one| one.session == leader && leader != 0)
            .map(|one| one.pid)
            .collect()
    }

    #[cfg(all(test, target_os = "linux"))]
    mod tests {
        use std::process::{Command, Stdio};

        #[test]
        fn both_ways_find_a_child_and_its_child() {
            let mut child =
                Command::new("/bin/sh").args(["-c", "sleep 60 & wait"]).stdin(Stdio::null()).spawn().unwrap();
            let pid = i32::try_from(child.id()).unwrap();
            let family = |found: Vec<rustix::process::Pid>| {
                let own = found.iter().filter(|found| {
                    found.as_raw_pid() == pid
                        || super::look(**found).is_some_and(|look| look.parent.as_raw_pid() == pid)
                });
                own.count()
            };
            let (mut quick, mut slow) = (0, 0);
            for _ in 0..10_000 {
                (quick, slow) = (family(super::super::all()), family(super::all()));
                if (quick, slow) == (2, 2) {
                    break;
                }
                std::thread::yield_now();
            }
            for found in super::super::children(rustix::process::Pid::from_child(&child)).unwrap() {
                rustix::process::kill_process(found, rustix::process::Signal::KILL).unwrap();
            }
            child.wait().unwrap();
            assert_eq!((quick, slow), (2, 2));
            assert!(!super::of_session(0).iter().any(|_| true));
        }
    }
}
