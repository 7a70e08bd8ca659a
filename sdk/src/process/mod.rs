//! Programs that the operator lets the plugin run.
//!
//! The plugin asks for a command by a name of its own in `plugin.toml`, with the shape of its arguments: fixed
//! parts, and slots that it fills. The operator says which program that is, and may say another shape.
//!
//! ```toml
//! [[ask.process]]
//! command = "git-log"
//! args = ["log", "--format=%H", { slot = "count", pattern = "[0-9]{1,3}", prefix = "-n" }, "--", { slot = "paths", repeat = 16 }]
//! env = ["LANG"]
//! why = "reads the history"
//! ```
//!
//! ```no_run
//! use hubcap_sdk::{Error, process::Command};
//!
//! fn newest(path: &str) -> Result<String, Error> {
//!     Command::new("git-log").slot("count", ["1"]).slot("paths", [path]).run()?.ok()?.text()
//! }
//! ```
//!
//! Each value is one argument, as it is: there is no shell, and nothing to quote. A slot takes exactly one
//! value, or none up to its `repeat`. A value that does not match the slot's pattern, has a NUL in it, or starts
//! with `-` where that would make it an option, is refused with [`Code::InvalidArguments`](crate::Code).
//!
//! A program that prints much, or for long, is read line by line, and several run at once as
//! [handles](crate::handle):
//!
//! ```no_run
//! use hubcap_sdk::{Error, handle, process::Command};
//!
//! fn count(paths: &[String]) -> Result<usize, Error> {
//!     let mut lines = 0;
//!     let log = Command::new("git-log").slot("count", ["999"]).slot("paths", paths);
//!     log.lines(|_line| {
//!         lines += 1;
//!         Ok(())
//!     })?
//!     .ok()?;
//!     Ok(lines)
//! }
//!
//! fn each(paths: &[String]) -> Result<Vec<String>, Error> {
//!     let start = |path: &String| Command::new("git-log").slot("count", ["1"]).slot("paths", [path]).start();
//!     let running = paths.iter().map(start).collect::<Result<Vec<_>, _>>()?;
//!     let ended = handle::join(running, |_, never| match never {});
//!     ended.into_iter().map(|output| output?.ok()?.text()).collect()
//! }
//! ```
//!
//! Only so many of a command run at once; the others wait for their turn, up to 32. What is not taken of a
//! program's output, up to 4 MiB, makes it wait. A program ends at its deadline, when its handle is dropped, and
//! with the call; so does everything that it started.
//!
//! # Denied
//! A command that is not granted fails with the code `denied`, whether or not there is such a program, and the
//! message has the line that grants it:
//!
//! ```no_run
//! use hubcap_sdk::{Code, process::Command};
//!
//! let denied = Command::new("git-log").slot("count", ["1"]).run().unwrap_err();
//! assert_eq!(denied.code(), Code::Denied);
//! assert!(denied.message().contains("process.git-log = "));
//! ```
//!
//! So does a variable that is not granted, and a program whose file was changed after hubcap was started. A full
//! queue is `overloaded`, a program that cannot be started `unavailable`. Outside of WebAssembly, as in unit
//! tests, there is no host to ask and starting panics.

mod lines;
mod running;

use std::fmt;
use std::time::Duration;

use crate::bindings::plugin::hubcap::plugin::process;
use crate::handle::{Handle, Next};
use crate::{Code, Error};

pub use lines::Lines;
pub use running::{Event, Pending, Running};

/// Bytes of standard output that [`Command::run`] collects.
const MAX_STDOUT: usize = 4 << 20;
/// Characters of a program's last words that an error shows.
const SHOWN: usize = 500;

/// A command to run.
#[derive(Clone, Debug)]
pub struct Command {
    name: String,
    slots: Vec<process::Slot>,
    env: Vec<(String, String)>,
    directory: Option<String>,
    deadline: Option<Duration>,
    input: Input,
}

/// What a program reads.
#[derive(Clone, Debug)]
enum Input {
    /// This, and then the end.
    All(Vec<u8>),
    /// What is written while it runs.
    Open,
}

impl Command {
    /// The command of this name, with nothing on its standard input.
    pub fn new(name: impl Into<String>) -> Self {
        let input = Input::All(Vec::new());
        Self { name: name.into(), slots: Vec::new(), env: Vec::new(), directory: None, deadline: None, input }
    }

    /// Fills a slot.
    #[must_use]
    pub fn slot(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.slots.push(process::Slot { name: name.into(), values });
        self
    }

    /// Sets an environment variable. The program has no others but what the operator passes to it.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Works in a directory below the one that the operator named for the command.
    #[must_use]
    pub fn directory(mut self, path: impl Into<String>) -> Self {
        self.directory = Some(path.into());
        self
    }

    /// Ends it after this time; never later than the grant says.
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = Some(time);
        self
    }

    /// Gives it this to read, and then the end of its input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::All(bytes.into());
        self
    }

    /// Leaves its input open for [`Running::write`].
    #[must_use]
    pub fn open_stdin(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    /// Runs it to its end and collects what it prints, up to 4 MiB.
    ///
    /// # Errors
    /// As in [the module](self), and [`Code::Limit`] where it prints more. That it fails is no error here: see
    /// [`Output::ok`].
    pub fn run(self) -> Result<Output, Error> {
        self.start()?.finish()
    }

    /// Runs it to its end and gives each line that it prints, without the line's end. An error of `on_line` ends
    /// it.
    ///
    /// # Errors
    /// As in [the module](self), that of `on_line`, and [`Code::Limit`] where a line has more than 1 MiB.
    pub fn lines(self, mut on_line: impl FnMut(&str) -> Result<(), Error>) -> Result<Output, Error> {
        let (running, mut lines) = (self.spawn()?, Lines::default());
        loop {
            match running.next()? {
                Next::Nothing => running.subscribe().block(),
                Next::Event(Event::Stdout(bytes)) => lines.feed(&bytes, &mut on_line)?,
                Next::Event(Event::Stderr(_)) => {}
                Next::Over => break,
            }
        }
        lines.end(&mut on_line)?;
        running.finish()
    }

    /// Starts it, as a handle that collects what it prints.
    ///
    /// # Errors
    /// As in [the module](self).
    pub fn start(self) -> Result<Pending, Error> {
        self.spawn().map(Pending::new)
    }

    /// Starts it, as a handle that tells what it prints as it comes.
    ///
    /// # Errors
    /// As in [the module](self).
    pub fn spawn(self) -> Result<Running, Error> {
        let Self { name, slots, env, directory, deadline, input } = self;
        let deadline_ms = deadline.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let options = process::Options { slots, env, working_directory: directory, deadline_ms };
        let started = process::start(&name, &options).map_err(Error::from_host)?;
        let (bytes, is_open) = match input {
            Input::All(bytes) => (bytes, false),
            Input::Open => (Vec::new(), true),
        };
        Ok(Running::new(name, started, bytes, is_open))
    }
}

/// How a program ended.
#[derive(Clone, PartialEq, Eq)]
pub struct Output {
    name: String,
    /// Its exit code, where it exited.
    pub code: Option<i32>,
    /// The number of the signal that ended it, where one did.
    pub signal: Option<i32>,
    /// Whether its deadline ended it.
    pub timed_out: bool,
    /// What it printed; empty where that was told as it came.
    pub stdout: Vec<u8>,
    /// The last 256 KiB of what it had to say besides.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Itself, where the exit code is 0.
    ///
    /// # Errors
    /// [`Code::Deadline`] where it took too long, else [`Code::Upstream`], with the code or the signal and the
    /// program's last words.
    pub fn ok(self) -> Result<Self, Error> {
        let name = &self.name;
        let (code, what) = match (self.code, self.signal) {
            _ if self.timed_out => (Code::Deadline, "took longer than it may".to_owned()),
            (Some(0), _) => return Ok(self),
            (Some(code), _) => (Code::Upstream, format!("failed with the exit code {code}")),
            (None, signal) => (Code::Upstream, format!("was ended by the signal {}", signal.unwrap_or(0))),
        };
        let words = String::from_utf8_lossy(&self.stderr);
        let words = words.trim();
        let start = words.char_indices().rev().nth(SHOWN - 1).map_or(0, |(at, _)| at);
        Err(Error::new(code, format!("{name:?} {what}: {}", &words[start..]).trim_end_matches(": ")))
    }

    /// What it printed, as text.
    ///
    /// # Errors
    /// [`Code::Upstream`] where it is not UTF-8.
    pub fn text(self) -> Result<String, Error> {
        let name = self.name;
        String::from_utf8(self.stdout)
            .map_err(|_| Error::upstream(format!("what {name:?} prints is no text in UTF-8")))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, signal, timed_out, .. } = self;
        f.debug_struct("Output")
            .field("code", code)
            .field("signal", signal)
            .field("timed_out", timed_out)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Output;
    use crate::Code;

    fn output(code: Option<i32>, signal: Option<i32>, timed_out: bool) -> Output {
        let stderr = ["x".repeat(600), "fatal: no\n".into()].concat().into_bytes();
        Output { name: "log".into(), code, signal, timed_out, stdout: b"out\n".to_vec(), stderr }
    }

    #[test]
    fn only_an_exit_code_of_0_is_a_success() {
        assert_eq!(output(Some(0), None, false).ok().unwrap().text().unwrap(), "out\n");
        let failed = output(Some(128), None, false).ok().unwrap_err();
        assert_eq!(failed.code(), Code::Upstream);
        assert!(failed.message().starts_with("\"log\" failed with the exit code 128: xxx"), "{failed}");
        assert!(failed.message().ends_with("fatal: no") && failed.message().len() < 600, "{failed}");
        assert!(output(None, Some(9), false).ok().unwrap_err().message().contains("the signal 9"));
        assert_eq!(output(None, Some(15), true).ok().unwrap_err().code(), Code::Deadline);
        // What ends well although it was asked to end had no time to do all.
        assert_eq!(output(Some(0), None, true).ok().unwrap_err().code(), Code::Deadline);
        let quiet = Output { stderr: Vec::new(), ..output(Some(1), None, false) };
        assert_eq!(quiet.ok().unwrap_err().message(), "\"log\" failed with the exit code 1");
    }
}
