//! A shape that is ready to be filled.
//!
//! Invariant: what comes out are the fixed parts as they stand and values that their slots allow, each an
//! argument of its own; a value is never an option unless its slot says that it may be one.

use std::collections::BTreeMap;

use crate::program::pattern::Whole;
use crate::program::{Part, Pattern, Shape, Slot};

/// Bytes of one value. Linux takes 128 KiB in an argument.
const MAX_VALUE: usize = 64 << 10;
/// Bytes of all arguments together.
const MAX_ARGUMENTS: usize = 256 << 10;

/// A shape that is ready to be filled.
#[derive(Debug)]
pub struct Template(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Fixed(String),
    Slot(Slot, Option<Whole>),
}

impl Template {
    /// Makes a shape ready.
    ///
    /// # Errors
    /// Which pattern cannot be used.
    pub fn new(shape: &Shape) -> Result<Self, String> {
        let piece = |part: &Part| match part {
            Part::Fixed(fixed) => Ok(Piece::Fixed(fixed.clone())),
            Part::Slot(slot) => {
                let pattern = slot.pattern.as_ref().map(Pattern::compile).transpose();
                Ok(Piece::Slot(slot.clone(), pattern?))
            }
        };
        shape.parts().iter().map(piece).collect::<Result<_, _>>().map(Self)
    }

    /// The arguments with these values in the slots.
    ///
    /// # Errors
    /// Which slot or value does not fit, without the value.
    pub fn fill(&self, filled: Vec<(String, Vec<String>)>) -> Result<Vec<String>, String> {
        let mut values = BTreeMap::new();
        for (name, given) in filled {
            if !self.slots().any(|slot| slot.name == name) {
                return Err(self.no_such(&name));
            }
            if values.insert(name.clone(), given).is_some() {
                return Err(format!("the slot {name:?} is filled twice"));
            }
        }
        let mut arguments = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Fixed(fixed) => arguments.push(fixed.clone()),
                Piece::Slot(slot, pattern) => {
                    let given = values.remove(&slot.name).unwrap_or_default();
                    arguments.extend(slot.arguments(given, pattern.as_ref())?);
                }
            }
        }
        let bytes: usize = arguments.iter().map(String::len).sum();
        if bytes > MAX_ARGUMENTS {
            return Err(format!("the arguments have {bytes} bytes together, more than {MAX_ARGUMENTS}"));
        }
        Ok(arguments)
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Slot(slot, _) => Some(slot),
            Piece::Fixed(_) => None,
        })
    }

    fn no_such(&self, name: &str) -> String {
        let names: Vec<_> = self.slots().map(|slot| format!("{:?}", slot.name)).collect();
        let there =
            if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
        let shown: String = name.chars().take(64).collect();
        format!("there is no slot {shown:?}; {there}")
    }
}

impl Slot {
    fn arguments(&self, given: Vec<String>, pattern: Option<&Whole>) -> Result<Vec<String>, String> {
        let name = &self.name;
        match (self.repeat, given.len()) {
            (None, 1) => {}
            (None, 0) => return Err(format!("the slot {name:?} needs a value")),
            (None, n) => return Err(format!("the slot {name:?} takes one value, not {n}")),
            (Some(most), n) if n > most => {
                return Err(format!("the slot {name:?} takes at most {most} values, not {n}"));
            }
            (Some(_), _) => {}
        }
        given.into_iter().map(|value| self.argument(value, pattern)).collect()
    }

    fn argument(&self, value: String, pattern: Option<&Whole>) -> Result<String, String> {
        let wrong = |why: &str| Err(format!("a value of the slot {:?} {why}", self.name));
        if value.contains('\0') {
            return wrong("has a NUL in it");
        }
        if value.len() > MAX_VALUE {
            return wrong(&format!("has {} bytes, more than {MAX_VALUE}", value.len()));
        }
        match pattern {
            Some(pattern) if !pattern.matches(&value) => {
                let shown = self.pattern.as_ref().map(ToString::to_string).unwrap_or_default();
                return wrong(&format!("is not all of what its pattern allows: {shown}"));
            }
            None if value.is_empty() => return wrong("is empty"),
            _ => {}
        }
        if value.starts_with('-') && !self.safe && !self.dash {
            return wrong("starts with `-`, which would make it an option");
        }
        Ok(match &self.prefix {
            Some(prefix) => format!("{prefix}{value}"),
            None => value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_ARGUMENTS, MAX_VALUE, Template};
    use crate::program::shape::tests::shape;

    const LOG: &str = r#"["log", { slot = "count", pattern = "[0-9]{1,3}", prefix = "-n" }, { slot = "format", repeat = 1 }, "--", { slot = "paths", repeat = 3 }]"#;

    fn fill(written: &str, filled: &[(&str, &[&str])]) -> Result<Vec<String>, String> {
        let filled = filled.iter().map(|(name, values)| {
            ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
        });
        Template::new(&shape(written).unwrap()).unwrap().fill(filled.collect())
    }

    #[test]
    fn values_stand_where_their_slots_are_each_an_argument_of_its_own() {
        let filled: &[(&str, &[&str])] = &[("paths", &["a b", "; rm -rf /", "-x\n$(y)"]), ("count", &["5"])];
        assert_eq!(fill(LOG, filled).unwrap(), ["log", "-n5", "--", "a b", "; rm -rf /", "-x\n$(y)"]);
        let least: &[(&str, &[&str])] = &[("count", &["123"]), ("paths", &[])];
        assert_eq!(fill(LOG, least).unwrap(), ["log", "-n123", "--"]);
        assert_eq!(fill("[]", &[]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_a_slot_does_not_allow_is_refused_without_being_repeated() {
        let count: (&str, &[&str]) = ("count", &["5"]);
        for (filled, why) in [
            (vec![], "\"count\" needs a value"),
            (vec![("count", &["5", "6"][..])], "takes one value, not 2"),
            (vec![("count", &["canary"])], "its pattern allows: [0-9]{1,3}"),
            (vec![("count", &["5\n"])], "its pattern allows"),
            (vec![count, ("paths", &["a", "b", "c", "d"])], "at most 3 values, not 4"),
            (vec![count, ("paths", &[""])], "is empty"),
            (vec![count, ("paths", &["a\0b"])], "has a NUL"),
            (vec![count, ("format", &["--output=/x"])], "starts with `-`"),
            (vec![count, ("format", &["-"])], "starts with `-`"),
            (vec![count, ("more", &["x"])], "no slot \"more\"; it has \"count\", \"format\", \"paths\""),
            (vec![count, count], "\"count\" is filled twice"),
        ] {
            let error = fill(LOG, &filled).unwrap_err();
            assert!(error.contains(why) && !error.contains("canary"), "{filled:?}: {error}");
        }
    }

    #[test]
    fn a_value_is_an_option_only_where_its_slot_says_so() {
        let option: &[(&str, &[&str])] = &[("x", &["-v"])];
        assert!(fill(r#"[{ slot = "x" }]"#, option).is_err());
        assert!(fill(r#"[{ slot = "x", pattern = ".*" }, "--"]"#, option).is_err());
        assert_eq!(fill(r#"[{ slot = "x", dash = true }]"#, option).unwrap(), ["-v"]);
        assert_eq!(fill(r#"["--", { slot = "x" }]"#, option).unwrap(), ["--", "-v"]);
        assert_eq!(fill(r#"[{ slot = "x", prefix = "--name=" }]"#, option).unwrap(), ["--name=-v"]);
    }

    #[test]
    fn a_value_has_64_kib_and_all_arguments_256_kib() {
        let many = |n: usize, bytes: usize| {
            let values = vec!["x".repeat(bytes); n];
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            fill(r#"[{ slot = "x", repeat = 256 }]"#, &[("x", &values)])
        };
        assert!(many(MAX_ARGUMENTS / MAX_VALUE, MAX_VALUE).is_ok());
        assert!(many(1, MAX_VALUE + 1).unwrap_err().contains("has 65537 bytes, more than 65536"));
        assert!(
            many(MAX_ARGUMENTS / MAX_VALUE + 1, MAX_VALUE)
                .unwrap_err()
                .contains("together, more than 262144")
        );
        assert!(many(1, 3 << 20).is_err());
    }
}
