//! The shape of a command's arguments: fixed parts, and slots that a plugin fills.
//!
//! Invariant: read from both files by the same rules, and shown as it is written, so that what an author asks
//! for is what an operator reads and can copy.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::text;
use crate::program::Pattern;

/// Parts of a shape.
const MAX_PARTS: usize = 64;
/// Values of a slot that repeats.
const MAX_REPEAT: usize = 256;
/// Characters of a slot's name.
const MAX_NAME: usize = 64;

/// The arguments of a command, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape(Vec<Part>);

/// A part of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// One argument, always this one.
    Fixed(String),
    /// What a plugin fills.
    Slot(Slot),
}

/// What a plugin fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What the plugin calls it.
    pub name: String,
    /// What all of a value looks like; any text that is not empty, where absent.
    pub pattern: Option<Pattern>,
    /// What stands before a value in the same argument.
    pub prefix: Option<String>,
    /// None up to so many values, each an argument; exactly one, where absent.
    pub repeat: Option<usize>,
    /// Whether a value may start with `-` in a place where that makes an option.
    pub dash: bool,
    /// Whether it stands behind a fixed `--`, or a prefix is before it: no value is an option there.
    pub safe: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSlot {
    slot: String,
    pattern: Option<Pattern>,
    prefix: Option<String>,
    repeat: Option<usize>,
    #[serde(default)]
    dash: bool,
}

impl Shape {
    /// The parts.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// What a plugin fills.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().filter_map(|part| match part {
            Part::Slot(slot) => Some(slot),
            Part::Fixed(_) => None,
        })
    }

    fn new(mut parts: Vec<Part>) -> Result<Self, String> {
        if parts.len() > MAX_PARTS {
            return Err(format!(
                "a command has at most {MAX_PARTS} arguments and slots, not {}",
                parts.len()
            ));
        }
        let (mut names, mut behind) = (BTreeSet::new(), false);
        for part in &mut parts {
            match part {
                Part::Fixed(fixed) => behind |= fixed == "--",
                Part::Slot(slot) if !names.insert(slot.name.clone()) => {
                    return Err(format!("there are two slots {:?}", slot.name));
                }
                Part::Slot(slot) => slot.safe = behind || slot.prefix.is_some(),
            }
        }
        Ok(Self(parts))
    }
}

impl WrittenSlot {
    fn checked(self) -> Result<Slot, String> {
        let Self { slot: name, pattern, prefix, repeat, dash } = self;
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(allowed) {
            let shown = text::one_line(text::truncate(&name, 100)).into_owned();
            return Err(format!("{shown:?} is no name of a slot: 1 to {MAX_NAME} of [a-z0-9-]"));
        }
        if let Some(prefix) = &prefix {
            argument(prefix)?;
            if prefix.bytes().all(|b| b == b'-') {
                return Err("with a prefix of nothing but `-` a value could be any option".into());
            }
        }
        if repeat.is_some_and(|most| !(1..=MAX_REPEAT).contains(&most)) {
            return Err(format!("a slot repeats 1 to {MAX_REPEAT} times"));
        }
        Ok(Slot { name, pattern, prefix, repeat, dash, safe: false })
    }
}

/// Refuses what cannot be an argument.
fn argument(text: &str) -> Result<(), String> {
    if text.contains('\0') { Err("an argument has no NUL in it".into()) } else { Ok(()) }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an argument: a text, or a table with `slot`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Part, E> {
        argument(text).map_err(E::custom)?;
        Ok(Part::Fixed(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Part, A::Error> {
        let written = WrittenSlot::deserialize(MapAccessDeserializer::new(map))?;
        written.checked().map(Part::Slot).map_err(de::Error::custom)
    }
}

/// As it stands in a file.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (at, part) in self.0.iter().enumerate() {
            write!(f, "{}{part}", if at == 0 { "" } else { ", " })?;
        }
        f.write_str("]")
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(fixed) => f.write_str(&quoted(fixed)),
            Self::Slot(slot) => {
                write!(f, "{{ slot = {}", quoted(&slot.name))?;
                slot.pattern
                    .iter()
                    .try_for_each(|pattern| write!(f, ", pattern = {}", quoted(&pattern.to_string())))?;
                slot.prefix.iter().try_for_each(|prefix| write!(f, ", prefix = {}", quoted(prefix)))?;
                slot.repeat.iter().try_for_each(|most| write!(f, ", repeat = {most}"))?;
                f.write_str(if slot.dash { ", dash = true }" } else { " }" })
            }
        }
    }
}

/// A text as it stands in a file: on one line, and with nothing in it that does not show.
fn quoted(plain: &str) -> String {
    let mut quoted = String::from("\"");
    for c in plain.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() || text::clean(c.encode_utf8(&mut [0; 4])).is_empty() => {
                quoted.push_str(&format!("\\U{:08X}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
pub(super) mod tests {
    use super::{MAX_NAME, MAX_PARTS, MAX_REPEAT, Shape};
    use crate::toml_file;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        args: Shape,
    }

    pub(in crate::program) fn shape(written: &str) -> Result<Shape, String> {
        let file: Result<File, _> = toml_file::parse("x.toml", &format!("args = {written}"));
        file.map(|file| file.args).map_err(|error| error.to_string())
    }

    #[test]
    fn a_shape_is_shown_as_it_is_written() {
        for written in [
            "[]",
            r#"["log", "--format=%H", { slot = "count", pattern = "[0-9]{1,3}", prefix = "-n" }, "--", { slot = "paths", repeat = 16 }]"#,
            r#"[{ slot = "any", dash = true }]"#,
        ] {
            assert_eq!(shape(written).unwrap().to_string(), written);
        }
        let odd = shape(
            r#"["a \"b\" \\ \n\r\t'c'ü\u007f\u202e\U000E0041", { slot = "x", pattern = "[\"'\\\\]" }]"#,
        );
        let odd = odd.unwrap();
        assert_eq!(shape(&odd.to_string()).unwrap(), odd);
        assert!(!odd.to_string().contains(['\n', '\r', '\u{7f}', '\u{202e}', '\u{e0041}']), "{odd}");
    }

    #[test]
    fn what_is_wrong_in_a_shape_is_told_with_its_place() {
        for (written, why) in [
            (r#"[{ slot = "A" }]"#, "x.toml:1:9: \"A\" is no name of a slot"),
            (r#"[{ slot = "a", patern = "x" }]"#, "unknown key `patern`; did you mean `pattern`?"),
            (r#"[{ slot = "a", pattern = "(" }]"#, "the pattern \"(\" cannot be used: unclosed group"),
            (r#"[{ slot = "a", prefix = "--" }]"#, "a value could be any option"),
            (r#"[{ slot = "a", prefix = "" }]"#, "a value could be any option"),
            (r#"[{ slot = "a", repeat = 0 }]"#, "a slot repeats 1 to 256 times"),
            (r#"[{ slot = "a" }, { slot = "a" }]"#, "there are two slots \"a\""),
            (r#"["a\u0000b"]"#, "no NUL"),
            ("[1]", "x.toml:1:9: invalid type"),
            (r#"[{ pattern = "x" }]"#, "missing field `slot`"),
        ] {
            let error = shape(written).unwrap_err();
            assert!(error.contains(why), "{written}: {error}");
        }
    }

    #[test]
    fn a_shape_has_64_parts_a_slot_256_values_and_a_name_64_characters() {
        let parts = |n: usize| shape(&format!("[{}]", vec!["\"a\""; n].join(", ")));
        assert_eq!(parts(MAX_PARTS).unwrap().parts().len(), MAX_PARTS);
        assert!(parts(MAX_PARTS + 1).unwrap_err().contains("at most 64 arguments and slots, not 65"));
        let slot = |name: usize, repeat: usize| {
            shape(&format!("[{{ slot = \"{}\", repeat = {repeat} }}]", "n".repeat(name)))
        };
        assert!(slot(MAX_NAME, MAX_REPEAT).is_ok());
        assert!(slot(MAX_NAME + 1, 1).unwrap_err().contains("is no name of a slot"));
        assert!(slot(1, MAX_REPEAT + 1).unwrap_err().contains("1 to 256 times"));
    }
}
