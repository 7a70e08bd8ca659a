//! Runs a test once more where it is root of a network and of mounts of its own.
//!
//! Invariant: what is there said is said here too, so that nothing is lost that a test saw.

use std::path::Path;
use std::process::Command;

use crate::support::home::finish;

/// Set in the namespace.
const MARK: &str = "HUBCAP_TEST_IN_NAMESPACE";

/// Runs `inside` in namespaces of its own: this very test, named as `network::a_test`, is started there. What
/// the test needs beforehand is made in a folder, and the rest by a script, as root.
pub(super) fn alone(test: &str, prepare: impl FnOnce(&Path) -> String, inside: impl FnOnce()) {
    if std::env::var_os(MARK).is_some() {
        return inside();
    }
    for tool in ["unshare", "ip", "mount"] {
        let found = Command::new(tool).arg("--version").output().is_ok();
        assert!(found, "{tool} is missing: apt-get install util-linux iproute2 mount");
    }
    let folder = tempfile::tempdir().unwrap();
    let script = prepare(folder.path());
    let program = std::env::current_exe().unwrap();
    let script = format!(
        "set -e\nip link set lo up\n{script}\nexec {} --exact --show-output adversarial::{test}",
        program.display()
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--mount", "sh", "-c", &script]).env(MARK, "1");
    let ran = finish(&mut command, b"");
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("1 passed"), "{}", ran.stdout);
    relay(&ran.stdout);
}

/// Says again what was observed there.
#[expect(clippy::print_stdout, reason = "as it was said there")]
fn relay(stdout: &str) {
    for line in stdout.lines().filter(|line| line.get(3..5) == Some(": ")) {
        println!("{line}");
    }
}

/// The lines that give the loopback device more addresses.
pub(super) fn addresses(addresses: &[&str]) -> String {
    let add = |address: &&str| {
        let bits = if address.contains(':') { 128 } else { 32 };
        let line = format!("ip addr add {address}/{bits} dev lo");
        // Where it is known, without the wait for others who may have it.
        format!("{line} nodad 2>/dev/null || {line}\n")
    };
    addresses.iter().map(add).collect()
}

/// The line that puts a file of the test's in the place of one of the machine's.
pub(super) fn in_place_of(path: &str, file: &Path, content: &str) -> String {
    std::fs::write(file, content).unwrap();
    format!("[ ! -e {path} ] || mount --bind {} {path}\n", file.display())
}
