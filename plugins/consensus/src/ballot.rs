//! Votes: the most wins, and of those with as many the one that was given first.

use crate::words::{folded, words};

/// A value that was voted for, and by whom: places of the voters, in their order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Votes<T> {
    pub(crate) value: T,
    pub(crate) voters: Vec<usize>,
}

/// Counts votes: the winner first, the others by how many they have, each time the earlier one first.
pub(crate) fn count<T: PartialEq>(given: impl IntoIterator<Item = (usize, T)>) -> Vec<Votes<T>> {
    let mut counted: Vec<Votes<T>> = Vec::new();
    for (voter, value) in given {
        match counted.iter_mut().find(|votes| votes.value == value) {
            Some(votes) => votes.voters.push(voter),
            None => counted.push(Votes { value, voters: vec![voter] }),
        }
    }
    // Stable: those with as many votes stay in the order in which they came.
    counted.sort_by_key(|votes| std::cmp::Reverse(votes.voters.len()));
    counted
}

/// The choice that an answer makes: the one that it is, else the only one whose words it has in a row.
pub(crate) fn choice(answer: &str, choices: &[String]) -> Option<usize> {
    let said = folded(answer);
    if let Some(at) = choices.iter().position(|choice| folded(choice) == said) {
        return Some(at);
    }
    let has = |choice: &String| {
        let (said, choice): (Vec<_>, Vec<_>) = (words(answer).collect(), words(choice).collect());
        said.windows(choice.len().max(1)).any(|window| window == choice)
    };
    let mut named = (0..choices.len()).filter(|at| has(&choices[*at]));
    match (named.next(), named.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{choice, count};

    #[test]
    fn the_most_wins_and_of_those_with_as_many_the_first() {
        let counted = count([(0, "b"), (1, "a"), (2, "c"), (3, "a"), (4, "b")]);
        let order: Vec<_> = counted.iter().map(|votes| (votes.value, votes.voters.as_slice())).collect();
        assert_eq!(order, [("b", &[0, 4][..]), ("a", &[1, 3]), ("c", &[2])]);
        assert!(count(Vec::<(usize, u8)>::new()).is_empty());
    }

    #[test]
    fn an_answer_makes_the_choice_that_it_is_or_the_only_one_that_it_names() {
        let choices = ["Yes", "No", "Not sure"].map(str::to_owned);
        for (answer, made) in [
            ("yes.", Some(0)),
            ("**No**", Some(1)),
            ("I am not sure", Some(2)),
            ("Not sure", Some(2)),
            ("yes or no", None),
            ("nobody knows", None),
            ("", None),
        ] {
            assert_eq!(choice(answer, &choices), made, "{answer:?}");
        }
        // A choice in another one: the whole one counts where the answer is just that.
        let nested = ["blue", "dark blue"].map(str::to_owned);
        assert_eq!((choice("Blue", &nested), choice("dark blue", &nested)), (Some(0), Some(1)));
        assert_eq!(choice("it is dark blue", &nested), None);
    }
}
