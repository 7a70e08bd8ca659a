//! Findings for people: place, severity, rule and message, and the source line with marks.
//!
//! Invariant: escape sequences are there only where colours were asked for, and they are our own.

use std::fmt::Write;
use std::sync::Arc;

use crate::cli::sources::Skip;
use crate::cli::validate::excerpt::Excerpt;
use crate::cli::validate::find::Source;
use crate::cli::validate::form::{Form, id};
use crate::cli::validate::judge::{Found, Validator, Verdict};
use crate::cli::validate::tally::Tally;
use crate::model::{Fix, Severity, text};

/// Bytes of a replacement that are shown.
const SHOWN: usize = 80;

/// The form for people.
pub(super) struct Human {
    validators: Arc<[Validator]>,
    colours: bool,
}

impl Human {
    pub(super) fn new(validators: Arc<[Validator]>, colours: bool) -> Self {
        Self { validators, colours }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn finding(&self, path: &str, found: &Found) -> String {
        let finding = &found.finding;
        let colour = colour(finding.severity);
        let place = self.paint("1", &format!("{path}:{}:{}", found.region.line, found.region.column));
        let rule = format!(
            "{}[{}/{}]",
            finding.severity.as_str(),
            id(&self.validators, found.validator),
            finding.rule
        );
        let message = finding.message.trim_end().replace('\n', "\n    ");
        let mut text = format!("{place}: {}: {message}\n", self.paint(colour, &rule));
        if let Some(excerpt) = &found.excerpt {
            text += &self.source_line(found.region.line, excerpt, colour, finding.fix.as_ref());
        }
        text + "\n"
    }

    fn source_line(&self, line: usize, excerpt: &Excerpt, colour: &str, fix: Option<&Fix>) -> String {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let bar = self.paint(FRAME, "|");
        let Excerpt { before, marked, after, more } = excerpt;
        let carets = self.paint(colour, &excerpt.carets());
        let more = if *more > 0 { format!(" and {}", counted(*more, "more line")) } else { String::new() };
        let mut text =
            format!("{margin} {bar}\n{} {bar} {before}{marked}{after}\n", self.paint(FRAME, &number));
        let _ = writeln!(text, "{margin} {bar} {}{carets}{more}", excerpt.indent());
        if let Some(fix) = fix {
            let _ = writeln!(text, "{margin} {} fix: {}", self.paint(FRAME, "="), described(fix));
        }
        text
    }
}

impl Form for Human {
    fn start(&mut self) -> String {
        String::new()
    }

    fn file(&mut self, source: &Source, verdict: &Verdict) -> String {
        verdict.findings.iter().map(|found| self.finding(&source.shown, found)).collect()
    }

    fn end(&mut self, tally: &Tally) -> String {
        let partial = if tally.partial {
            format!("interrupted, so this is partial: {} of {}; ", tally.files, counted(tally.listed, "file"))
        } else {
            String::new()
        };
        format!("{}; took {}\n", self.paint("1", &(partial + &results(tally))), cost(tally))
    }
}

/// Colour of line numbers and frames.
const FRAME: &str = "34";

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;36",
    }
}

fn described(fix: &Fix) -> String {
    if fix.replacement.is_empty() {
        return "remove it".into();
    }
    let shown = text::truncate(&fix.replacement, SHOWN);
    let cut = if shown.len() < fix.replacement.len() { "…" } else { "" };
    format!("replace it with `{}{cut}`", text::one_line(shown))
}

fn results(tally: &Tally) -> String {
    let skipped = |skip: Skip| tally.skipped.iter().filter(|skipped| skipped.reason == skip).count();
    let (binary, large) = (skipped(Skip::Binary), skipped(Skip::TooLarge));
    let left_out = match tally.left_out {
        0 => String::new(),
        count => format!(" (and {count} more that did not fit into reports)"),
    };
    format!(
        "{} in {}: {}, {}, {}{left_out}; {binary} binary and {large} too large skipped, {} failed",
        counted(tally.errors + tally.warnings + tally.notes, "finding"),
        counted(tally.files, "file"),
        counted(tally.errors, "error"),
        counted(tally.warnings, "warning"),
        counted(tally.notes, "note"),
        tally.failed.len(),
    )
}

fn cost(tally: &Tally) -> String {
    format!(
        "{:.2} s for {:.2} MB, {:.2} MB/s, {}, {:.1} million fuel, peak memory {:.1} MiB",
        tally.took.as_secs_f64(),
        tally.bytes as f64 / 1e6,
        tally.megabytes_per_second(),
        counted(usize::try_from(tally.cost.calls).unwrap_or(usize::MAX), "call"),
        tally.cost.fuel as f64 / 1e6,
        tally.cost.peak_memory as f64 / f64::from(1 << 20),
    )
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{Human, counted, described};
    use crate::cli::validate::excerpt::Excerpt;
    use crate::cli::validate::find::{Origin, Source};
    use crate::cli::validate::form::Form;
    use crate::cli::validate::judge::{Found, Validator, Verdict};
    use crate::cli::validate::place::Lines;
    use crate::model::{Finding, Fix, PluginId, Severity, TextSpan};

    fn told(colours: bool) -> String {
        let (judged, span) = ("a bad word", TextSpan { start: 2, end: 5 });
        let lines = Lines::new(judged);
        let region = lines.region(span);
        let fix = Some(Fix { span, replacement: "good".into() });
        let finding = Finding {
            rule: "bad".into(),
            severity: Severity::Error,
            message: "first\nsecond\n".into(),
            span,
            confidence: 1.0,
            fix,
        };
        let excerpt = Some(Excerpt::new(judged, &lines, span, &region));
        let found = Found { validator: 0, finding, region, fix: Some(region), excerpt };
        let id = PluginId::new("judge").unwrap();
        let validator = Validator { id, version: "1".into(), rules: Vec::new() };
        let verdict = Verdict { findings: vec![found], ..Verdict::default() };
        let source = Source { path: None, shown: "a.rs".into(), hint: None, origin: Origin::Stdin };
        Human::new([validator].into(), colours).file(&source, &verdict)
    }

    #[test]
    fn a_finding_has_its_place_its_line_and_its_marks() {
        let expected = "a.rs:1:3: error[judge/bad]: first\n    second\n  |\n1 | a bad word\n  |   ^^^\n  = fix: replace it with `good`\n\n";
        assert_eq!(told(false), expected);
    }

    #[test]
    fn colours_are_there_only_where_they_were_asked_for() {
        assert!(!told(false).contains('\u{1b}'));
        assert!(told(true).contains("\u{1b}[1;31merror[judge/bad]\u{1b}[0m"), "{}", told(true));
    }

    #[test]
    fn a_long_fix_is_cut_and_an_empty_one_removes() {
        let fix = |replacement: String| described(&Fix { span: TextSpan { start: 0, end: 0 }, replacement });
        assert_eq!(fix(String::new()), "remove it");
        assert_eq!(fix("a\nb".into()), "replace it with `a\\nb`");
        assert!(fix("x".repeat(81)).ends_with("x…`"));
        assert_eq!(counted(1, "file") + &counted(2, "file"), "1 file2 files");
    }
}
