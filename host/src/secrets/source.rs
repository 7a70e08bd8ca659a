//! Where a secret's value comes from: a variable, a file, a command.
//!
//! Invariant: bounded in bytes and time, and an error never has anything of the value.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::config::Source;
use crate::directory::Directory;
use crate::secrets::MAX_BYTES;

/// Longest that a command may take to print a secret.
const COMMAND_DEADLINE: Duration = Duration::from_secs(10);

/// The value, without the line end behind it.
pub(super) async fn value(source: &Source) -> Result<SecretString, String> {
    let read = Zeroizing::new(match source {
        Source::Env(name) => from_env(name)?,
        Source::File(path) => from_file(path)?,
        Source::Command(command) => from_command(command, COMMAND_DEADLINE).await?,
    });
    let line = read.strip_suffix('\n').map_or(read.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(SecretString::from(line))
}

fn from_env(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| match error {
        std::env::VarError::NotPresent => format!("the environment variable {name} is not set"),
        std::env::VarError::NotUnicode(_) => format!("the environment variable {name} is not UTF-8"),
    })
}

fn from_file(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let cannot = |error: std::io::Error| format!("{shown} cannot be read: {error}");
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    if metadata.mode() & 0o077 != 0 {
        return Err(format!("others than its owner can read {shown}; run `chmod 600 {shown}`"));
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(format!("{shown} is not a file"));
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let bytes = Directory::open(folder).map_err(cannot)?.read(Path::new(name), MAX_BYTES + 2);
    let bytes = bytes.map_err(|unread| format!("{shown}: {unread}"))?;
    String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8"))
}

async fn from_command(command: &[String], deadline: Duration) -> Result<String, String> {
    let [program, arguments @ ..] = command else {
        return Err("its command is empty".into());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    let read = async {
        let mut bytes = Vec::new();
        let stdout = child.stdout.take().ok_or_else(|| format!("{program} has no output"))?;
        stdout
            .take(MAX_BYTES as u64 + 3)
            .read_to_end(&mut bytes)
            .await
            .map_err(|error| format!("{program}: {error}"))?;
        let status = child.wait().await.map_err(|error| format!("{program}: {error}"))?;
        if !status.success() {
            return Err(format!("{program} failed: {status}"));
        }
        String::from_utf8(bytes).map_err(|_| format!("what {program} prints is not UTF-8"))
    };
    let timed = tokio::time::timeout(deadline, read).await;
    timed.unwrap_or_else(|_| Err(format!("{program} took longer than {} s", deadline.as_secs())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, Instant};

    use secrecy::ExposeSecret;

    use super::{COMMAND_DEADLINE, from_command, from_file, value};
    use crate::config::Source;

    fn shell(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[tokio::test]
    async fn a_command_prints_the_secret_and_its_line_end_is_left_out() {
        let printed = value(&Source::Command(shell("printf 's3cret-value\\r\\n'"))).await;
        assert_eq!(printed.unwrap().expose_secret(), "s3cret-value");
        let failed = from_command(&shell("echo s3cret; exit 3"), COMMAND_DEADLINE).await.unwrap_err();
        assert!(failed.contains('3') && !failed.contains("s3cret"), "{failed}");
        let missing = from_command(&["/no/such/program".to_owned()], COMMAND_DEADLINE).await.unwrap_err();
        assert!(missing.contains("/no/such/program"), "{missing}");
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_is_given_up() {
        let started = Instant::now();
        let late = from_command(&shell("sleep 60"), Duration::from_millis(50)).await.unwrap_err();
        assert!(late.contains("took longer") && started.elapsed() < Duration::from_secs(10), "{late}");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret-value").unwrap();
        for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(from_file(&path).is_ok(), fine, "{mode:o}");
        }
        assert!(from_file(&path).unwrap_err().contains("chmod 600"));
        assert!(from_file(&folder.path().join("none")).unwrap_err().contains("cannot be read"));
    }

    #[tokio::test]
    async fn a_variable_that_is_not_set_is_named() {
        let error = value(&Source::Env("HUBCAP_TEST_NO_SUCH_VARIABLE".into())).await.unwrap_err();
        assert!(error.contains("HUBCAP_TEST_NO_SUCH_VARIABLE is not set"), "{error}");
    }
}
