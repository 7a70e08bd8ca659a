//! What was measured, for people and for programs.
//!
//! Invariant: both say the same; what is not known is a dash here and `null` there.

use std::fmt::Write;

use serde::Serialize;

use super::level::Level;
use crate::cli::{Done, Failure, print, print_json};

/// All that was measured.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// In the order in which they were asked for.
    pub(super) levels: Vec<Level>,
}

#[derive(Serialize)]
struct Json<'a> {
    tool: &'a str,
    levels: &'a [Level],
}

impl Report {
    /// Prints what there is.
    pub(super) fn print(&self, tool: &str, json: bool) -> Done {
        match self.levels.is_empty() {
            true => Ok(()),
            false if json => print_json(&Json { tool, levels: &self.levels }),
            false => print(&self.human()),
        }
    }

    /// Whether every call succeeded.
    pub(super) fn judged(&self) -> Done {
        let (calls, failed) = self.levels.iter().fold((0, 0), |(calls, failed), level| {
            (calls + level.calls, failed + level.errors.values().sum::<u64>())
        });
        if failed == 0 {
            return Ok(());
        }
        Err(Failure::Failed(format!("{failed} of {calls} calls failed; the times are of the others")))
    }

    fn human(&self) -> String {
        let mut times = vec![
            ["in flight", "calls", "p50 µs", "p95 µs", "p99 µs", "calls/s", "CPU µs/call", "errors"]
                .map(str::to_owned),
        ];
        let mut server = vec![
            ["in flight", "first list ms", "peak MiB", "after calls", "MiB", "threads", "descriptors"]
                .map(str::to_owned),
        ];
        for level in &self.levels {
            times.push(times_of(level));
            server.extend(server_of(level));
        }
        let mut text = format!("{}\n{}", table(&times), table(&server));
        for level in &self.levels {
            for (code, count) in &level.errors {
                // Writing to a text cannot fail.
                let _ = writeln!(text, "failed with {} in flight: {code}, {count} calls", level.concurrency);
            }
        }
        text
    }
}

fn times_of(level: &Level) -> [String; 8] {
    [
        level.concurrency.to_string(),
        grouped(level.calls as f64),
        known(level.p50_micros),
        known(level.p95_micros),
        known(level.p99_micros),
        grouped(level.calls_per_second),
        known(level.cpu_micros_per_call),
        grouped(level.errors.values().sum::<u64>() as f64),
    ]
}

/// A row for before and one for after the calls that were measured.
fn server_of(level: &Level) -> [[String; 7]; 2] {
    let looks = [(level.warm_up, level.before), (level.warm_up + level.calls, level.after)];
    let mut rows = looks.map(|(calls, look)| {
        [
            String::new(),
            String::new(),
            String::new(),
            grouped(calls as f64),
            known(look.map(|look| mebibytes(look.memory_bytes))),
            look.map_or_else(dash, |look| look.threads.to_string()),
            look.map_or_else(dash, |look| look.descriptors.to_string()),
        ]
    });
    rows[0][0] = level.concurrency.to_string();
    rows[0][1] = known(Some(level.first_list_millis));
    rows[0][2] = known(level.peak_memory_bytes.map(mebibytes));
    rows
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn dash() -> String {
    "-".to_owned()
}

fn known(value: Option<f64>) -> String {
    value.map_or_else(dash, |value| format!("{value:.1}"))
}

/// A whole number with a comma at each thousand.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Columns, each as wide as its widest cell, numbers to the right.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.iter().fold(String::new(), |mut text, row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Report, grouped};
    use crate::cli::Failure;
    use crate::cli::bench::kernel::Look;
    use crate::cli::bench::level::Level;

    fn level() -> Level {
        Level {
            concurrency: 8,
            calls: 12_000,
            errors: BTreeMap::new(),
            p50_micros: Some(101.25),
            p95_micros: Some(200.0),
            p99_micros: None,
            calls_per_second: 9_876.5,
            cpu_micros_per_call: None,
            peak_memory_bytes: Some(3 << 19),
            first_list_millis: 31.0,
            warm_up: 1_000,
            before: Some(Look { memory_bytes: 1 << 20, threads: 4, descriptors: 15 }),
            after: None,
        }
    }

    #[test]
    fn the_table_has_a_dash_for_what_is_not_known() {
        let shown = Report { levels: vec![level()] }.human();
        let expected = "\
in flight   calls  p50 µs  p95 µs  p99 µs  calls/s  CPU µs/call  errors
        8  12,000   101.2   200.0       -    9,876            -       0

in flight  first list ms  peak MiB  after calls  MiB  threads  descriptors
        8           31.0       1.5        1,000  1.0        4           15
                                         13,000    -        -            -
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn calls_that_failed_are_told_by_code_and_are_a_failure() {
        let mut failing = level();
        failing.errors.insert("overloaded".into(), 1_300);
        let report = Report { levels: vec![level(), failing] };
        assert!(report.human().ends_with("failed with 8 in flight: overloaded, 1300 calls\n"));
        let Err(Failure::Failed(text)) = report.judged() else { panic!("it is a failure") };
        assert!(text.starts_with("1300 of 24000 calls failed"), "{text}");
        assert!(Report { levels: vec![level()] }.judged().is_ok());
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!([0.0, 999.4, 1_000.0, 1_234_567.0].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
