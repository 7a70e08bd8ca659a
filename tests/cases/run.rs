//! Runs tests by their names, as a child of this command.
//!
//! Invariant: what the child says on standard error is seen as it comes, and so is each test that ends.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::output::Results;

/// The unit tests of the host, and the tests of the real program.
const TARGETS: [&str; 3] = ["--lib", "--test", "hubcap"];

/// Runs these tests and no others.
pub(crate) fn run(tests: &BTreeSet<&str>) -> io::Result<Results> {
    let mut child = command(tests).stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or_else(|| io::Error::other("its output cannot be read"))?;
    let mut results = Results::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if line.starts_with("test ") {
            eprintln!("{line}");
        }
        results.take(&line);
    }
    // Its status says no more than the tests do: where cargo fails, none of them has run.
    child.wait()?;
    Ok(results)
}

fn command(tests: &BTreeSet<&str>) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["test", "--release", "--locked", "--no-fail-fast", "--features", "adversarial"])
        .args(TARGETS);
    command.args(["--", "--color=never", "--format=pretty", "--show-output", "--exact"]).args(tests);
    // Output that is not captured is nobody's.
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("RUST_TEST_NOCAPTURE");
    // What cargo says of this package to this command would make it build others anew: ring asks for it.
    let said = |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(said)) {
        command.env_remove(name);
    }
    command
}
