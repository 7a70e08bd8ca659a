//! `hubcap audit`: the log of calls, checked and read by the operator.
//!
//! Invariant: nothing is written here, and a hubcap that runs goes on writing meanwhile.

mod line;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::audit::{Lines, Unreadable, Verdict, find, last, verify};
use crate::cli::{Common, Done, Failure, print, print_json, say};

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Check that the whole log is as it was written
    ///
    /// Exit code 1 means that something is wrong: the first thing is named by file and line.
    Verify(VerifyOptions),
    /// Print the last records, a line for each
    Tail(TailOptions),
    /// Print all records of a call
    Show(ShowOptions),
}

#[derive(Args)]
pub(super) struct VerifyOptions {
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    /// Hash of a record that has to be there, as an earlier check printed it
    #[arg(long, value_name = "HASH", value_parser = hash)]
    head: Option<String>,
}

#[derive(Args)]
pub(super) struct TailOptions {
    /// How many records
    #[arg(short = 'n', long, value_name = "N", default_value = "20")]
    lines: usize,
    /// Print each record as it stands in the log
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct ShowOptions {
    /// The call's id, as logs and receipts have it, or RUN/ID as `hubcap audit tail` has it
    #[arg(value_name = "CALL")]
    call: String,
    /// Print each record as it stands in the log
    #[arg(long)]
    json: bool,
}

fn hash(written: &str) -> Result<String, &'static str> {
    let is_hash = written.len() == 64 && written.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash { Ok(written.to_ascii_lowercase()) } else { Err("a hash has 64 hexadecimal digits") }
}

pub(super) fn run(common: &Common, command: AuditCommand) -> Done {
    let log = Log(common.home()?.audit().ok_or_else(|| Failure::Usage("there is no home".into()))?);
    match command {
        AuditCommand::Verify(options) => log.verify(&options),
        AuditCommand::Tail(options) => log.tail(&options),
        AuditCommand::Show(options) => log.show(&options),
    }
}

/// The directory of the log.
struct Log(PathBuf);

impl Log {
    fn failed(&self, error: &Unreadable) -> Failure {
        Failure::Failed(format!("{}: {error}", self.0.display()))
    }

    fn verify(&self, options: &VerifyOptions) -> Done {
        let verdict = verify(&self.0, options.head.as_deref()).map_err(|error| self.failed(&error))?;
        if options.json {
            let mut json = json!(verdict);
            json["intact"] = verdict.faults.is_empty().into();
            print_json(&json)?;
        } else {
            print(&in_words(&verdict))?;
        }
        match verdict.faults.as_slice() {
            [] => Ok(()),
            // Everything was said in the JSON.
            _ if options.json => Err(Failure::Failed(String::new())),
            [first, more @ ..] => {
                let line = first.line.map(|line| format!(":{line}")).unwrap_or_default();
                let more = if more.is_empty() { String::new() } else { format!("; and {} more", more.len()) };
                Err(Failure::Failed(format!("{}{line}: {}{more}", first.file, first.what)))
            }
        }
    }

    fn tail(&self, options: &TailOptions) -> Done {
        let found = last(&self.0, options.lines).map_err(|error| self.failed(&error))?;
        tell_unread(&found);
        let shown = found.records.iter().map(|record| match options.json {
            true => format!("{record}\n"),
            false => format!("{}\n", line::in_words(record)),
        });
        print(&shown.collect::<String>())
    }

    fn show(&self, options: &ShowOptions) -> Done {
        let found = find(&self.0, &options.call).map_err(|error| self.failed(&error))?;
        tell_unread(&found);
        if found.records.is_empty() {
            return Err(Failure::Failed(format!(
                "there is no record of {:?}; `hubcap audit tail` has the last ones",
                options.call
            )));
        }
        let shown = found.records.iter().map(|record| match options.json {
            true => format!("{record}\n"),
            false => line::in_full(record),
        });
        print(&shown.collect::<String>())
    }
}

/// Whatever else is wrong is not told here, so this is a hint only.
fn tell_unread(found: &Lines) {
    if found.unread > 0 {
        say(&format!(
            "hubcap: {} of the log; `hubcap audit verify` says more",
            count(found.unread, "bad line")
        ));
    }
}

fn in_words(verdict: &Verdict) -> String {
    let mut words =
        format!("{} in {}", count(verdict.records, "good record"), count(verdict.segments, "segment"));
    if let (Some(from), Some(to)) = (&verdict.from, &verdict.to) {
        words += &format!(", from {from} to {to}");
    }
    words.push('\n');
    if let Some(head) = &verdict.head {
        words += &format!("head: record {} {}\n", head.seq, head.hash);
    }
    if verdict.lost > 0 {
        words += &format!("lost: {} could not be written\n", count(verdict.lost, "record"));
    }
    if verdict.repaired > 0 {
        words += &format!("repaired: {} cut off at a start\n", count(verdict.repaired, "torn line"));
    }
    if let Some(through) = verdict.removed_through {
        words += &format!("removed: segments up to number {through}, beyond what is kept\n");
    }
    if verdict.unfinished > 0 {
        words += &format!(
            "unfinished: {} of a line that is being written, or was when hubcap was killed\n",
            count(verdict.unfinished, "byte")
        );
    }
    words
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
