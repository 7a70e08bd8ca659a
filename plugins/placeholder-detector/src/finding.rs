//! What a rule reports, before it is written for anybody.
//!
//! Invariant: `start..end` lies on character boundaries of the text that was scanned.

use crate::rules::RuleId;

/// How bad a finding is: the levels of SARIF 2.1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Worth knowing.
    Note,
    /// Should be looked at.
    Warning,
    /// Should not land.
    Error,
}

impl Severity {
    /// The word for it in results.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How sure a rule is, in percent: whole numbers, so that results carry 0.85 and no rounding noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Confidence(pub(crate) u8);

impl Confidence {
    /// Less sure by so many points.
    pub(crate) fn less(self, points: u8) -> Self {
        Self(self.0.saturating_sub(points))
    }

    /// From 0 to 1.
    pub(crate) fn as_f64(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// One thing that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// By which rule.
    pub(crate) rule: RuleId,
    /// Offset of the first byte.
    pub(crate) start: usize,
    /// Offset of the byte after the last one.
    pub(crate) end: usize,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// How sure the rule is.
    pub(crate) confidence: Confidence,
    /// What is wrong and what to do.
    pub(crate) message: &'static str,
    /// What to delete to mend it, where that is all that is to do.
    pub(crate) fix: Option<Deletion>,
}

/// A part of the text that can go: half-open, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// Offset of the first byte.
    pub(crate) start: usize,
    /// Offset of the byte after the last one.
    pub(crate) end: usize,
}
