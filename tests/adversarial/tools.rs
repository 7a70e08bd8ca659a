//! What these tests run beside the host: tools of the system, and this test binary again in namespaces.
//!
//! Invariant: a tool that is missing fails the test with the line that installs it.

use std::path::Path;
use std::process::Command;

use crate::support::home::finish;

/// Tools, and the Debian packages that have them.
const PACKAGES: [(&str, &str); 4] =
    [("ip", "iproute2"), ("mount", "mount"), ("strace", "strace"), ("unshare", "util-linux")];

/// Set in the namespaces.
const MARK: &str = "HUBCAP_TEST_IN_NAMESPACE";

/// Fails where a tool is missing.
#[track_caller]
pub(super) fn need(tools: &[&str]) {
    for tool in tools {
        let package = PACKAGES.iter().find(|(known, _)| known == tool).expect("a known tool").1;
        let found = Command::new(tool).arg("--version").output().is_ok();
        assert!(found, "{tool} is missing: apt-get install {package}");
    }
}

/// Whether this is the run in the namespaces.
pub(super) fn inside() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Runs one test of this binary again, as the root of namespaces of its own, after a script.
#[track_caller]
pub(super) fn run_inside(test: &str, namespaces: &[&str], script: &str) {
    let script = format!(
        "set -e\n{script}\nexec {} --exact --nocapture adversarial::{test}",
        std::env::current_exe().unwrap().display()
    );
    let mut command = Command::new("unshare");
    command.arg("--map-root-user").args(namespaces).args(["sh", "-c", &script]).env(MARK, "1");
    let ran = finish(&mut command, b"");
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("1 passed"), "{}", ran.stdout);
    eprint!("{}", ran.stderr);
}

/// The same where the test mounts what it needs. Its temporary files are on a file system of its own, so
/// that nothing is locked down in the mounts that it makes there.
#[track_caller]
pub(super) fn run_with_mounts(test: &str) {
    need(&["unshare", "mount"]);
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    run_inside(test, &["--mount"], &format!("mount -t tmpfs tmpfs {at}\nexport TMPDIR={at}"));
}

/// Mounts something, by the words of `mount`.
#[track_caller]
pub(super) fn mount(words: &[&str], at: &Path) {
    let mounted = finish(Command::new("mount").args(words).arg(at), b"");
    assert_eq!(mounted.code, Some(0), "mount {words:?} {}: {}", at.display(), mounted.stderr);
}
