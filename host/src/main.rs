//! The `hubcap` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else is started: these have one thread and nothing open but what they were given.
    match hubcap::supervisor::run_if_asked(std::env::args_os()) {
        Some(code) => code,
        None => hubcap::cli::main(),
    }
}
