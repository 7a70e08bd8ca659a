//! Durations and sizes as people write them in a file: `"30s"`, `"64MiB"`.
//!
//! Invariant: a number without a unit is only taken where there is one natural unit, bytes.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A duration: `"250ms"`, `"30s"`, `"5m"` or `"1h"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A size in bytes: a number, or `"64KiB"`, `"16MiB"`, `"1GiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub usize);

/// The number and what stands behind it.
fn split(written: &str) -> Option<(u64, &str)> {
    let digits = written.bytes().take_while(u8::is_ascii_digit).count();
    Some((written[..digits].parse().ok()?, written[digits..].trim_start()))
}

fn duration(written: &str) -> Option<Duration> {
    let (number, unit) = split(written)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

fn bytes(written: &str) -> Option<usize> {
    let (number, unit) = split(written)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok()
}

/// A size in the largest unit that says it exactly.
pub fn show_bytes(bytes: usize) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(factor, _)| bytes > 0 && bytes.is_multiple_of(*factor)) {
        Some((factor, unit)) => format!("{} {unit}", bytes / factor),
        None => format!("{bytes} bytes"),
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        duration(&written).map(Self).ok_or_else(|| {
            de::Error::custom(format!(
                "{written:?} is no duration: write \"250ms\", \"30s\", \"5m\" or \"1h\""
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size: a number of bytes, \"64KiB\", \"16MiB\" or \"1GiB\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Bytes, E> {
        usize::try_from(number).map(Bytes).map_err(|_| E::custom(format!("{number} is no size")))
    }

    fn visit_str<E: de::Error>(self, written: &str) -> Result<Bytes, E> {
        bytes(written).map(Bytes).ok_or_else(|| {
            E::custom(format!(
                "{written:?} is no size: write a number of bytes, \"64KiB\", \"16MiB\" or \"1GiB\""
            ))
        })
    }
}

/// A size within bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BytesWithin<const MIN: usize, const MAX: usize>(pub usize);

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for BytesWithin<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(size) = Bytes::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&size) {
            return Ok(Self(size));
        }
        let [size, min, max] = [size, MIN, MAX].map(show_bytes);
        Err(de::Error::custom(format!("{size} is not between {min} and {max}")))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{bytes, duration, show_bytes};

    #[test]
    fn a_size_is_shown_in_its_largest_whole_unit() {
        let shown = [1 << 30, 1_025 << 20, 65_536, 1_023, 0].map(show_bytes);
        assert_eq!(shown, ["1 GiB", "1025 MiB", "64 KiB", "1023 bytes", "0 bytes"]);
    }

    #[test]
    fn durations_and_sizes_are_read_with_their_units() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("1h"), Some(Duration::from_secs(3_600)));
        assert_eq!(bytes("64 KiB"), Some(65_536));
        assert_eq!(bytes("7"), Some(7));
        for wrong in ["", "s", "1", "-1s", "1.5s", "1 day", "99999999999999999999s", "18446744073709551615h"]
        {
            assert_eq!(duration(wrong), None, "{wrong:?}");
        }
        for wrong in ["", "MiB", "1MB", "-1", "18446744073709551615GiB"] {
            assert_eq!(bytes(wrong), None, "{wrong:?}");
        }
    }
}
