//! A rule of a validator is a function over a text.

use std::ops::Range;

use hubcap_sdk::{Artifact, Found, rule};

/// Spaces at the end of a line.
///
/// They make noise when two versions of a text are compared.
#[rule]
fn trailing_space(artifact: &Artifact) -> Vec<Found> {
    let found = |at: Range<usize>| Found::new(at.clone(), "remove the spaces").fix(at, "");
    spaces(&artifact.text).into_iter().map(found).collect()
}

/// Where the spaces at the ends of lines are, in bytes.
fn spaces(text: &str) -> Vec<Range<usize>> {
    let (mut start, mut found) = (0, Vec::new());
    for line in text.split_inclusive('\n') {
        let shown = line.trim_end_matches(['\r', '\n']);
        let kept = shown.trim_end_matches([' ', '\t']).len();
        if kept < shown.len() {
            found.push(start + kept..start + shown.len());
        }
        start += line.len();
    }
    found
}

hubcap_sdk::plugin!(rules: [trailing_space]);

#[cfg(test)]
mod tests {
    #[test]
    fn spaces_are_found_at_the_end_of_a_line_and_nowhere_else() {
        assert_eq!(super::spaces("é \r\n  b\nc\t "), [2..3, 10..12]);
        assert_eq!(super::spaces(" a\n\n"), []);
    }
}
