//! Parts of a text where other measures hold.
//!
//! Invariant: regions are byte ranges in order, none inside another.

use std::ops::Range;

/// Both lists as one, in order.
pub(crate) fn merge(one: &[Range<usize>], two: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all: Vec<_> = one.iter().chain(two).cloned().collect();
    all.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut outer: Vec<Range<usize>> = Vec::new();
    for range in all {
        if outer.last().is_none_or(|last| last.end < range.end) {
            outer.push(range);
        }
    }
    outer
}

/// Whether an offset lies in one of the regions.
pub(crate) fn covers(regions: &[Range<usize>], offset: usize) -> bool {
    let after = regions.partition_point(|range| range.start <= offset);
    after > 0 && regions[after - 1].contains(&offset)
}
