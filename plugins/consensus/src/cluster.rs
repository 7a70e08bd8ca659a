//! Texts that are alike.
//!
//! Invariant: each text of a cluster is alike to its centre, and no random number and no clock has a say.

use std::collections::BTreeSet;

use crate::words::alike;

/// How much two texts are alike at least, to be in one cluster.
pub(crate) const ALIKE: f64 = 0.3;

/// Texts that are alike, by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// All of them, in their order.
    pub(crate) members: Vec<usize>,
    /// The one that is most like the others.
    pub(crate) medoid: usize,
}

/// Puts texts into clusters, the largest first: again and again the text with the most others around it, with
/// these. Of several that are as good, the first.
pub(crate) fn clusters(texts: &[BTreeSet<String>]) -> Vec<Cluster> {
    let near: Vec<Vec<f64>> =
        texts.iter().map(|one| texts.iter().map(|other| alike(one, other)).collect()).collect();
    let mut left: Vec<usize> = (0..texts.len()).collect();
    let mut clusters = Vec::new();
    while let Some(members) = fullest(&near, &left) {
        left.retain(|at| !members.contains(at));
        clusters.push(Cluster { medoid: medoid(&near, &members), members });
    }
    clusters
}

/// The most texts around one of them.
fn fullest(near: &[Vec<f64>], left: &[usize]) -> Option<Vec<usize>> {
    let around = |centre: &usize| -> Vec<usize> {
        left.iter().copied().filter(|at| near[*centre][*at] >= ALIKE).collect()
    };
    let all = left.iter().map(|centre| (around(centre), warmth(near, *centre, left)));
    let best = all.reduce(|best, next| {
        let better = (next.0.len(), next.1) > (best.0.len(), best.1);
        if better { next } else { best }
    });
    best.map(|(members, _)| members)
}

/// How much one is like all of these, in ten-thousandths, so that sums compare the same everywhere.
fn warmth(near: &[Vec<f64>], one: usize, others: &[usize]) -> u64 {
    others.iter().map(|other| (near[one][*other] * 10_000.0).round() as u64).sum()
}

fn medoid(near: &[Vec<f64>], members: &[usize]) -> usize {
    let best = members.iter().copied().reduce(|best, next| {
        if warmth(near, next, members) > warmth(near, best, members) { next } else { best }
    });
    best.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALIKE, Cluster, clusters};
    use crate::words::{alike, brought};

    fn texts(texts: &[&str]) -> Vec<BTreeSet<String>> {
        texts.iter().map(|text| brought(text, &BTreeSet::new())).collect()
    }

    #[test]
    fn texts_that_are_alike_are_together_and_the_most_typical_stands_for_them() {
        let texts = texts(&["red apple pie", "blue sky", "red apple", "red apple tart", "sky so blue"]);
        assert_eq!(
            clusters(&texts),
            [Cluster { members: vec![0, 2, 3], medoid: 2 }, Cluster { members: vec![1, 4], medoid: 1 }]
        );
    }

    #[test]
    fn the_edge_is_where_it_is_said_to_be() {
        let ten = texts(&["a b c d e f g", "a b c h i j"]);
        assert_eq!(alike(&ten[0], &ten[1]), ALIKE);
        assert_eq!(clusters(&ten).len(), 1);
        assert_eq!(clusters(&texts(&["a b c d e f g", "a b c h i j k"])).len(), 2);
    }

    #[test]
    fn of_what_is_as_good_the_first_counts_and_the_order_of_nothing_else_does() {
        assert_eq!(clusters(&texts(&["x", "y"]))[0], Cluster { members: vec![0], medoid: 0 });
        assert_eq!(clusters(&texts(&["same", "same"])), [Cluster { members: vec![0, 1], medoid: 0 }]);
        assert!(clusters(&[]).is_empty());
        let many = texts(&["a b", "b c", "c d", "d e", "e f"]);
        assert_eq!(clusters(&many), clusters(&many));
        assert_eq!(clusters(&many).iter().map(|cluster| cluster.members.len()).sum::<usize>(), 5);
    }
}
