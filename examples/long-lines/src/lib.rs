//! A small validator: a function over a text is a rule.

use hubcap_sdk::{Artifact, Found, rule};

/// Characters that a line may have.
const MOST: usize = 120;

/// A line of more than 120 characters.
///
/// People lose their place in it, and tools that compare versions show it as one change.
#[rule(severity = "note")]
fn long_line(artifact: &Artifact) -> Vec<Found> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in artifact.text.split_inclusive('\n') {
        let shown = line.trim_end();
        if shown.chars().count() > MOST {
            found.push(Found::new(start..start + shown.len(), "break the line"));
        }
        start += line.len();
    }
    found
}

hubcap_sdk::plugin!(rules: [long_line]);

#[cfg(test)]
mod tests {
    use hubcap_sdk::Artifact;

    #[test]
    fn a_line_of_120_characters_is_fine_and_a_longer_one_is_found() {
        let text = format!("{}\n{}\nshort\n", "é".repeat(120), "é".repeat(121));
        let artifact = Artifact { text, path: None, language: None, meta: Vec::new() };
        assert_eq!(super::long_line(&artifact).len(), 1);
    }
}
