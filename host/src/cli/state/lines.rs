//! An export: a line of JSON for each key.
//!
//! Invariant: what is written is read back as it was, byte by byte, and a file is taken whole or not at all.

use std::collections::BTreeSet;
use std::io::{BufRead, Read};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::state::{MAX_KEY, MAX_KEYS, MAX_VALUE};

/// Bytes of a line: a key and a value with each byte escaped, and what stands around them.
const MAX_LINE: usize = 6 * (MAX_KEY + MAX_VALUE) + 1_024;

/// A key and what it holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    key: String,
    /// The value, where it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// The value, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl Line {
    /// The line of a key.
    pub(super) fn new(key: String, value: Vec<u8>) -> Self {
        match String::from_utf8(value) {
            Ok(text) => Self { key, value: Some(text), base64: None },
            Err(other) => Self { key, value: None, base64: Some(BASE64.encode(other.as_bytes())) },
        }
    }

    /// The key and its value.
    fn entry(self) -> Result<(String, Vec<u8>), String> {
        let value = match (self.value, self.base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) => {
                BASE64.decode(base64.as_bytes()).map_err(|error| format!("`base64`: {error}"))?
            }
            _ => return Err("needs one of `value` and `base64`".into()),
        };
        if !(1..=MAX_KEY).contains(&self.key.len()) {
            return Err(format!("a key has 1 to {MAX_KEY} bytes, and this one has {}", self.key.len()));
        }
        if value.len() > MAX_VALUE {
            return Err(format!("a value has at most {MAX_VALUE} bytes, and this one has {}", value.len()));
        }
        Ok((self.key, value))
    }
}

/// The entries of an export; `name` stands for it in errors.
///
/// # Errors
/// The first line that is wrong, and why.
pub(super) fn read(mut from: impl BufRead, name: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
    let (mut entries, mut keys) = (Vec::new(), BTreeSet::new());
    for number in 1_u64.. {
        let at = |what: String| format!("{name}:{number}: {what}; nothing was written");
        let mut line = Vec::new();
        let read = (&mut from).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line);
        if read.map_err(|error| at(format!("cannot be read: {error}")))? == 0 {
            break;
        }
        if line.len() > MAX_LINE {
            return Err(at(format!("has more than {MAX_LINE} bytes")));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(&line).map_err(|error| at(error.to_string()))?;
        let (key, value) = line.entry().map_err(at)?;
        if !keys.insert(key.clone()) {
            return Err(at("its key stands on a line above too".into()));
        }
        if keys.len() as u64 > MAX_KEYS {
            return Err(at(format!("there are more than {MAX_KEYS} keys")));
        }
        entries.push((key, value));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::{Line, MAX_KEY, MAX_KEYS, MAX_LINE, MAX_VALUE, read};

    fn written(entries: &[(String, Vec<u8>)]) -> String {
        let line = |(key, value): &(String, Vec<u8>)| {
            serde_json::to_string(&Line::new(key.clone(), value.clone())).unwrap() + "\n"
        };
        entries.iter().map(line).collect()
    }

    #[test]
    fn what_is_written_is_read_back_byte_by_byte() {
        let values = [&b""[..], b"text", b"\0\x1b\n\"", &[0xff, 0xfe], &[0x80; 100]];
        let entries: Vec<_> =
            values.iter().enumerate().map(|(n, value)| (format!("{n}\0../é"), value.to_vec())).collect();
        let text = written(&entries);
        assert!(text.contains("\"value\":\"text\"") && text.contains("\"base64\":\"//4=\""), "{text}");
        assert_eq!(read(text.as_bytes(), "stdin").unwrap(), entries);
        assert_eq!(read(text.replace('\n', "\r\n\n").trim_end().as_bytes(), "stdin").unwrap(), entries);
    }

    #[test]
    fn a_line_that_is_wrong_is_told_with_its_number() {
        for (line, why) in [
            ("{", "EOF"),
            ("[]", "invalid"),
            (r#"{"key":"k"}"#, "one of `value` and `base64`"),
            (r#"{"key":"k","value":"","base64":""}"#, "one of"),
            (r#"{"key":"k","base64":"?"}"#, "`base64`"),
            (r#"{"key":"","value":""}"#, "has 0"),
            (r#"{"key":"k","vlaue":""}"#, "vlaue"),
            (r#"{"key":"a","value":""}"#, "line above"),
        ] {
            let text = format!("{}\n\n{line}\n", r#"{"key":"a","value":"1"}"#);
            let told = read(text.as_bytes(), "x.jsonl").unwrap_err();
            assert!(told.starts_with("x.jsonl:3: ") && told.contains(why), "{line}: {told}");
            assert!(told.ends_with("; nothing was written"), "{told}");
        }
    }

    #[test]
    fn keys_values_and_lines_of_the_full_size_are_read_and_larger_ones_are_not() {
        // Each byte of these takes six in JSON.
        let full = vec![("\u{1}".repeat(MAX_KEY), vec![1; MAX_VALUE])];
        let text = written(&full);
        assert!(text.len() > 6 * MAX_VALUE && text.len() <= MAX_LINE);
        assert_eq!(read(text.as_bytes(), "stdin").unwrap(), full);
        let larger = |key: usize, value: usize| {
            read(written(&[("k".repeat(key), vec![b'v'; value])]).as_bytes(), "stdin").unwrap_err()
        };
        assert!(larger(MAX_KEY + 1, 0).contains("has 513"));
        assert!(larger(1, MAX_VALUE + 1).contains("has 65537"));
        let spaces = " ".repeat(MAX_LINE + 1);
        assert!(read(spaces.as_bytes(), "stdin").unwrap_err().contains("has more than"));
        let many = |n: u64| written(&(0..n).map(|n| (n.to_string(), Vec::new())).collect::<Vec<_>>());
        assert_eq!(read(many(MAX_KEYS).as_bytes(), "stdin").unwrap().len() as u64, MAX_KEYS);
        let told = read(many(MAX_KEYS + 1).as_bytes(), "stdin").unwrap_err();
        assert!(told.contains("stdin:1001: there are more than 1000 keys"), "{told}");
    }
}
