//! What hubcap is made of is looked at before each release, and no exception lasts.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::guests::root;
use crate::support::promises::{kept, short_or_long};

/// The longest that an exception lasts, in days.
const LONGEST: i64 = 14;

/// The day of a date, counted from 1970.
fn day_of(date: &str) -> i64 {
    let parts: Vec<i64> = date.split('-').map(|part| part.parse().expect("a date")).collect();
    let [year, month, day] = parts[..] else { panic!("{date}") };
    // March is the first month, so that the odd day of a leap year is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[test]
fn every_exception_to_the_advisories_has_a_reason_and_a_day_on_which_it_ends() {
    assert_eq!((day_of("1970-01-01"), day_of("2000-02-29"), day_of("2026-12-06")), (0, 11_016, 20_793));
    let rules: toml::Table = fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let exceptions = rules["advisories"]["ignore"].as_array().unwrap();
    let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 / 86_400;
    let mut days = Vec::new();
    for exception in exceptions {
        let reason = exception["reason"].as_str().expect("a reason");
        let (why, until) =
            reason.split_once("; until ").expect("`; until` and a date at the end of the reason");
        assert!(why.len() > 20, "{reason}");
        let left = day_of(until) - today;
        assert!(left <= LONGEST, "{reason}: {left} days");
        // Before a release none may be over; in between, what changes elsewhere fails no change here.
        assert!(left >= short_or_long(i64::MIN, 0), "{reason}: over for {} days", -left);
        days.push(left);
    }
    let check = fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(check.contains("\ncargo deny --all-features check bans licenses sources\n"));
    assert_eq!(rules["advisories"]["yanked"].as_str(), Some("deny"));
    kept(
        "P28",
        format_args!(
            "{} exceptions to the advisories, each with a reason and a last day: {days:?} days left",
            days.len()
        ),
    );
}
