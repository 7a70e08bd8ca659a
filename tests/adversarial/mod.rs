//! Tests that need more than a process: namespaces, canaries on addresses that nobody should reach, `strace`.
//!
//! Invariant: a tool that is missing fails the test with the line that installs it; nothing is skipped, and
//! each test here belongs to a case of the table.
//!
//! `cargo test --release --features adversarial adversarial`

mod audit;
mod devices;
mod disk_faults;
mod full_disk;
mod names;
mod network;
mod read_only;
mod strace;
mod syscalls;
mod threads;
mod tools;
mod unmounted;
