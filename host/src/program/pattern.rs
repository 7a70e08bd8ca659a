//! What a value has to look like to fill a slot: a regular expression that is about the whole of it.
//!
//! Invariant: matching takes time that is linear in the value, and memory that is bounded.

use std::fmt;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use serde::de::{self, Deserialize, Deserializer};

/// Bytes of a pattern.
const MAX_PATTERN: usize = 1 << 10;
/// Bytes that a pattern takes once it is compiled.
const MAX_COMPILED: usize = 1 << 20;
/// Groups in one another.
const MAX_NESTED: u32 = 32;

/// A pattern that can be read; whether it is too large shows when it is [compiled](Self::compile).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(written: String) -> Result<Self, String> {
        if written.len() > MAX_PATTERN {
            return Err(format!("a pattern has at most {MAX_PATTERN} bytes, not {}", written.len()));
        }
        match ParserBuilder::new().nest_limit(MAX_NESTED).build().parse(&written) {
            Ok(_) => Ok(Self(written)),
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                Err(format!("the pattern {written:?} cannot be used: {why}"))
            }
        }
    }

    /// Makes it ready to match.
    ///
    /// # Errors
    /// Where it would take too much memory.
    pub fn compile(&self) -> Result<Whole, String> {
        // The text was read by itself before, so that it cannot close the group around it.
        let compiled = RegexBuilder::new(&format!(r"\A(?:{})\z", self.0))
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(1 << 20)
            .build();
        compiled.map(Whole).map_err(|_| {
            format!(
                "the pattern {:?} takes more than {MAX_COMPILED} bytes; say it with fewer repetitions",
                self.0
            )
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A pattern that is ready to match the whole of a value.
#[derive(Clone, Debug)]
pub struct Whole(Regex);

impl Whole {
    /// Whether all of the value is as the pattern says.
    pub fn matches(&self, value: &str) -> bool {
        self.0.is_match(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_PATTERN, Pattern};

    fn matches(pattern: &str, value: &str) -> bool {
        Pattern::new(pattern.into()).unwrap().compile().unwrap().matches(value)
    }

    #[test]
    fn a_pattern_is_about_the_whole_of_a_value() {
        assert!(matches("[0-9]{1,3}", "123") && matches("a|ab", "ab") && matches("", ""));
        for (pattern, value) in [
            ("[0-9]{1,3}", "1234"),
            ("[0-9]+", "1\n"),
            ("[0-9]+", "x1"),
            ("a|b", "ab"),
            ("(?m)^a$", "a\nb"),
            ("a", ""),
        ] {
            assert!(!matches(pattern, value), "{pattern} {value:?}");
        }
    }

    #[test]
    fn a_pattern_cannot_close_the_group_around_it() {
        for wrong in ["a)|(b", "(", "[", "a{2,1}", "\\"] {
            assert!(Pattern::new(wrong.into()).unwrap_err().contains("cannot be used"), "{wrong}");
        }
        // A comment that would swallow what stands behind it is no pattern that matches more.
        assert!(Pattern::new("(?x)a #".into()).unwrap().compile().is_err());
    }

    #[test]
    fn a_pattern_has_1_kib_and_1_mib_once_compiled_and_32_groups_in_one_another() {
        assert!(Pattern::new("a".repeat(MAX_PATTERN)).unwrap().compile().is_ok());
        assert!(Pattern::new("a".repeat(MAX_PATTERN + 1)).unwrap_err().contains("at most 1024 bytes"));
        let nested = |n: usize| "(".repeat(n) + "a" + &")".repeat(n);
        assert!(Pattern::new(nested(30)).unwrap().compile().is_ok());
        assert!(Pattern::new(nested(40)).is_err());
        assert!(matches(r"[A-Za-z0-9._/-]{1,200}", "src/lib.rs") && matches(r"[\w./-]+", "src/größe.rs"));
        let large = Pattern::new(r"\w{1000}".into()).unwrap().compile();
        assert!(large.unwrap_err().contains("more than 1048576 bytes"));
        // What makes other engines search for minutes.
        let start = std::time::Instant::now();
        assert!(!matches("(a+)+b", &"a".repeat(30_000)));
        assert!(start.elapsed() < std::time::Duration::from_secs(2), "{:?}", start.elapsed());
    }
}
