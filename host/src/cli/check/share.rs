//! How near the calls of a plugin came to their bounds.
//!
//! Invariant: a share is of what that very call could use.

use serde::Serialize;

use crate::cli::check::probe::Checked;
use crate::plugin::MAX_RESULT;

/// The largest share of a bound that any call took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Share {
    /// Name of the bound.
    #[serde(skip)]
    pub(super) bound: &'static str,
    /// What was used.
    pub(super) used: u64,
    /// What could be used.
    pub(super) of: u64,
    /// By which call.
    pub(super) by: String,
}

impl Share {
    /// In percent.
    pub(super) fn percent(&self) -> f64 {
        self.used as f64 / self.of.max(1) as f64 * 100.0
    }
}

/// The largest share of each bound, of the first call that took it.
pub(super) fn largest(checked: &[Checked]) -> Vec<Share> {
    let mut largest: Vec<Share> = Vec::new();
    for share in checked.iter().flat_map(shares) {
        match largest.iter_mut().find(|other| other.bound == share.bound) {
            Some(other) if share.percent() > other.percent() => *other = share,
            Some(_) => {}
            None => largest.push(share),
        }
    }
    largest
}

fn shares(checked: &Checked) -> Vec<Share> {
    let Some(receipt) = &checked.receipt else { return Vec::new() };
    let budget = &checked.budget;
    let share = |bound, used, of| Share { bound, used, of, by: checked.subject.to_string() };
    let mut shares = vec![
        share("fuel", receipt.fuel, budget.fuel),
        share("memoryBytes", receipt.peak_memory_bytes, budget.memory as u64),
        share(
            "wallMicros",
            receipt.wall_micros,
            u64::try_from(budget.deadline.as_micros()).unwrap_or(u64::MAX),
        ),
    ];
    // The findings of a validator are bounded by their number.
    if matches!(checked.subject.kind, "tool" | "provider") {
        shares.push(share("resultBytes", receipt.result_bytes, MAX_RESULT as u64));
    }
    shares
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::largest;
    use crate::cli::check::probe::{Checked, End, Subject};
    use crate::model::{Budget, Receipt};

    fn checked(kind: &'static str, fuel: u64, of: u64) -> Checked {
        Checked {
            subject: Subject { kind, name: Some(fuel.to_string()), case: None },
            arguments: None,
            end: End::Passed,
            receipt: Some(Receipt { fuel, wall_micros: 500, result_bytes: 1 << 10, ..Receipt::default() }),
            budget: Budget { fuel: of, deadline: Duration::from_millis(1), memory: 1 << 16 },
        }
    }

    #[test]
    fn the_largest_share_of_each_bound_is_kept_with_its_call() {
        let shares =
            largest(&[checked("health", 50, 100), checked("tool", 60, 1_000), checked("tool", 80, 100)]);
        let found: Vec<_> =
            shares.iter().map(|share| (share.bound, share.percent(), share.by.as_str())).collect();
        let bytes = 100.0 / 1024.0;
        assert_eq!(
            found,
            [
                ("fuel", 80.0, "80"),
                ("memoryBytes", 0.0, "50"),
                ("wallMicros", 50.0, "50"),
                ("resultBytes", bytes, "60")
            ]
        );
    }

    #[test]
    fn what_never_ran_took_nothing() {
        let never = Checked { receipt: None, ..checked("tool", 1, 1) };
        assert_eq!(largest(&[never]), []);
    }
}
