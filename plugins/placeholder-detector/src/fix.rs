//! Mends that are safe without reading the code: the deletion of a `TODO` that says nothing.
//!
//! Invariant: a deletion takes a comment and blanks, never code, and never a comment that stands in the place of
//! code or that another one goes on. FIXME, HACK and XXX stay: even alone they say that what follows is doubtful. All
//! other findings ask for code, or for somebody who decides.

use crate::finding::{Deletion, Found};
use crate::language::{Comment, Kind, Lexed};
use crate::rules::RuleId;

/// Gives each finding of a bare marker its deletion.
pub(crate) fn bare_markers(text: &str, lexed: &Lexed, found: &mut [Found]) {
    for one in found.iter_mut().filter(|one| one.rule == RuleId::MarkerComment) {
        let after = lexed.comments.partition_point(|comment| comment.span.start <= one.start);
        let Some(comment) = after.checked_sub(1).map(|index| &lexed.comments[index]) else { continue };
        let neighbours = [after.checked_sub(2), Some(after)];
        let apart =
            neighbours.into_iter().flatten().filter_map(|index| lexed.comments.get(index)).all(|other| {
                let between = other.span.end.min(comment.span.end)..other.span.start.max(comment.span.start);
                has_empty_line_or_code(&text[between])
            });
        if apart && is_bare(text, comment) {
            one.fix = deletion(text, comment);
        }
    }
}

/// Whether a comment is `TODO`, perhaps with a `:`, and nothing else.
fn is_bare(text: &str, comment: &Comment) -> bool {
    let body = text[comment.body.clone()].trim();
    matches!(comment.kind, Kind::Line | Kind::Block) && matches!(body, "TODO" | "TODO:")
}

fn has_empty_line_or_code(between: &str) -> bool {
    between.bytes().filter(|byte| *byte == b'\n').count() > 1 || !between.trim().is_empty()
}

/// The whole line of a comment that has it alone, between two statements.
fn deletion(text: &str, comment: &Comment) -> Option<Deletion> {
    let (before, after) = (&text[..comment.span.start], &text[comment.span.end..]);
    let start = before.trim_end_matches([' ', '\t']).len();
    let line_end = after.find('\n').map_or(after.len(), |end| end + 1);
    let alone = (start == 0 || before[..start].ends_with('\n')) && after[..line_end].trim().is_empty();
    let opens = before.trim_end().ends_with(['{', '(', '[', ':', ',', '=', '>']);
    let next = after.trim_start();
    let stands_for_code = opens || next.is_empty() || next.starts_with(['}', ')', ']']) || is_nothing(next);
    (alone && !stands_for_code).then(|| Deletion { start, end: comment.span.end + line_end })
}

/// Whether what follows is Python's empty statement.
fn is_nothing(next: &str) -> bool {
    let rest = next.strip_prefix("pass").or_else(|| next.strip_prefix("..."));
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use crate::rules::Selection;
    use crate::scan::{Scanner, Source};

    /// The text after every fix.
    fn mended(language: &str, text: &str) -> String {
        let found =
            Scanner::new(Selection::ALL, 0.0).scan(&Source { text, path: None, language: Some(language) });
        let mut result = text.to_owned();
        for fix in found.iter().rev().filter_map(|found| found.fix) {
            result.replace_range(fix.start..fix.end, "");
        }
        result
    }

    #[test]
    fn a_todo_that_says_nothing_goes_with_its_line() {
        let cases = [
            ("rust", "a();\n    // TODO\n    b();\n", "a();\n    b();\n"),
            ("python", "a()\r\n# TODO:\r\nb()\r\n", "a()\r\nb()\r\n"),
            ("typescript", "a();\n/* TODO */\n\nb();", "a();\n\nb();"),
            ("go", "// TODO\nb()", "b()"),
        ];
        for (language, text, expected) in cases {
            assert_eq!(mended(language, text), expected, "{text}");
        }
    }

    #[test]
    fn what_may_mean_something_stays() {
        let cases = [
            ("rust", "a();\n// TODO write it\nb();"),
            ("rust", "a();\n// TODO\n// write it\nb();"),
            ("rust", "// see below\n// TODO\nb();"),
            ("rust", "a();\n// FIXME\nb();"),
            ("rust", "fn f() {\n    // TODO\n}"),
            ("rust", "fn f() {\n    a();\n    // TODO\n}"),
            ("python", "def f():\n    # TODO\n    pass\n"),
            ("python", "def f():\n    \"\"\"Doc.\"\"\"\n    # TODO\n    pass\n"),
            ("python", "a()\n# TODO\n"),
            ("rust", "a(); // TODO\nb();"),
            ("rust", "/// TODO\nfn f() {}"),
            ("javascript", "f(/* TODO */)"),
            ("text", "# TODO\nx\n"),
        ];
        for (language, text) in cases {
            assert_eq!(mended(language, text), text, "{text}");
        }
    }
}
