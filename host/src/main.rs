//! The `hubcap` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    hubcap::cli::main()
}
