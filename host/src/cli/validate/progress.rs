//! A bar that says how far it is.
//!
//! Invariant: it is there on a terminal only, and never in the middle of other output.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{Done, print};

/// The bar, and the way of all output past it.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar for so many files, where stderr is a terminal.
    pub(super) fn new(files: usize) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(files as u64), target);
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} files, {elapsed}");
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// One file more.
    pub(super) fn step(&self) {
        self.0.inc(1);
    }

    /// Writes a result to stdout.
    pub(super) fn print(&self, text: &str) -> Done {
        if text.is_empty() { Ok(()) } else { self.0.suspend(|| print(text)) }
    }

    /// Writes a line to stderr. Without a reader it is lost; results and exit code say the same.
    pub(super) fn tell(&self, line: &str) {
        self.0.suspend(|| {
            let _ = writeln!(std::io::stderr(), "hubcap: {line}");
        });
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
