//! What is agreed on, how much, and who sees it otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::answers::{Answer, Answers, End};
use crate::ballot::{Votes, count};
use crate::cluster::{ALIKE, clusters};
use crate::fields::{Field, compare};
use crate::question::Question;
use crate::told::{Agreement, Consensus, Counts, Method, told};
use crate::words::{brought, rounded, share, shown, words};

/// Characters of the answer.
const ANSWER: usize = 200_000;
/// Characters of what one who sees it otherwise said.
const EXCERPT: usize = 200;

/// What a comparison comes to: places are those of the ones who were asked.
struct Compared {
    answer: Value,
    agreement: Agreement,
    agreeing: Vec<usize>,
    /// What the others see otherwise, in words.
    otherwise: Vec<String>,
}

/// What the answers come to. At least one is there.
pub(crate) fn of(question: &Question, answers: Answers, quorum: usize) -> Consensus {
    let compared = match (&question.choices, &question.schema) {
        (Some(choices), _) => by_choice(choices, &answers),
        (None, Some(schema)) => by_fields(schema, &answers),
        (None, None) => by_text(&question.question, &answers),
    };
    let dissent = match compared.otherwise.is_empty() {
        true => "none".to_owned(),
        false => compared.otherwise.join("; "),
    };
    let counts = Counts {
        asked: answers.0.len(),
        answered: answers.answered(),
        failed: answers.failed(),
        late: answers.late(),
        quorum,
    };
    let providers = told(answers, &compared.agreeing);
    Consensus { answer: compared.answer, agreement: compared.agreement, dissent, counts, providers }
}

fn by_choice(choices: &[String], answers: &Answers) -> Compared {
    let made = answers.0.iter().enumerate().filter_map(|(at, one)| match &one.end {
        End::Answered(Answer::Choice(choice)) => Some((at, *choice)),
        _ => None,
    });
    let votes = count(made);
    let named = |votes: &Votes<usize>| choices.get(votes.value).cloned().unwrap_or_default();
    let words = |votes: &Votes<usize>| {
        format!("{} {:?}", who(answers, &votes.voters, "chooses", "choose"), named(votes))
    };
    let agreeing = votes.first().map(|winner| winner.voters.clone()).unwrap_or_default();
    let mut otherwise: Vec<String> = votes.iter().skip(1).map(words).collect();
    otherwise.extend(tie(&votes));
    Compared {
        answer: votes.first().map(named).into(),
        agreement: Agreement {
            value: share(agreeing.len(), answers.answered()),
            method: Method::Majority,
            definition: "the share of the answers that are the choice in `answer`".into(),
            fields: None,
        },
        agreeing,
        otherwise,
    }
}

fn by_fields(schema: &Map<String, Value>, answers: &Answers) -> Compared {
    let given: Vec<(usize, Map<String, Value>)> = answers
        .0
        .iter()
        .enumerate()
        .filter_map(|(at, one)| match &one.end {
            End::Answered(Answer::Fields(fields)) => Some((at, fields.clone())),
            _ => None,
        })
        .collect();
    let fields = compare(schema, &given);
    let won = |field: &Field| field.votes.first().map_or(0, |winner| winner.voters.len());
    let shares: BTreeMap<String, f64> =
        fields.iter().map(|field| (field.name.clone(), share(won(field), given.len()))).collect();
    let with_all = |at: &usize| {
        fields.iter().all(|field| field.votes.first().is_some_and(|winner| winner.voters.contains(at)))
    };
    let answer: Map<String, Value> = fields
        .iter()
        .filter_map(|field| Some((field.name.clone(), field.votes.first()?.value.clone()?)))
        .collect();
    Compared {
        answer: answer.into(),
        agreement: Agreement {
            value: share(fields.iter().map(won).sum(), fields.len() * given.len()),
            method: Method::Fields,
            definition:
                "the mean over the fields of the share of the answers that have the value in `answer`".into(),
            fields: Some(shares),
        },
        agreeing: given.iter().map(|(at, _)| *at).filter(with_all).collect(),
        otherwise: fields.iter().flat_map(|field| differences(field, answers)).collect(),
    }
}

/// Who has another value in a field, and which.
fn differences(field: &Field, answers: &Answers) -> Vec<String> {
    let other = |votes: &Votes<Option<Value>>| match &votes.value {
        Some(value) => {
            let value = shown(&value.to_string(), EXCERPT);
            format!("`{}`: {} {value}", field.name, who(answers, &votes.voters, "says", "say"))
        }
        None => {
            format!("`{}`: {} it out", field.name, who(answers, &votes.voters, "leaves", "leave"))
        }
    };
    let tied = tie(&field.votes).map(|tie| format!("`{}`: {tie}", field.name));
    field.votes.iter().skip(1).map(other).chain(tied).collect()
}

fn by_text(question: &str, answers: &Answers) -> Compared {
    let asked: BTreeSet<String> = words(question).collect();
    let said: Vec<(usize, &str)> = answers
        .0
        .iter()
        .enumerate()
        .filter(|(_, one)| matches!(one.end, End::Answered(Answer::Text)))
        .filter_map(|(at, one)| Some((at, one.completion.as_ref()?.text.as_str())))
        .collect();
    let texts: Vec<BTreeSet<String>> = said.iter().map(|(_, text)| brought(text, &asked)).collect();
    let clusters = clusters(&texts);
    let places = |members: &[usize]| -> Vec<usize> { members.iter().map(|at| said[*at].0).collect() };
    let agreeing = clusters.first().map(|largest| places(&largest.members)).unwrap_or_default();
    let other = clusters.iter().skip(1).map(|cluster| {
        let text = shown(said[cluster.medoid].1, EXCERPT);
        format!("{} {text:?}", who(answers, &places(&cluster.members), "says", "say"))
    });
    Compared {
        answer: clusters.first().map(|largest| shown(said[largest.medoid].1, ANSWER)).into(),
        agreement: Agreement {
            value: rounded(share(agreeing.len(), answers.answered())),
            method: Method::Clusters,
            definition: format!(
                "the share of the answers in the largest cluster, whose most typical one is `answer`; answers \
                 are alike where {:.0} % of the words of both are in both, without case, punctuation and the words \
                 of the question, and whatever they mean",
                ALIKE * 100.0
            ),
            fields: None,
        },
        agreeing,
        otherwise: other.collect(),
    }
}

/// Says so where the first was only given earlier, not more often.
fn tie<T>(votes: &[Votes<T>]) -> Option<String> {
    let most = votes.first()?.voters.len();
    let tied = votes.iter().filter(|votes| votes.voters.len() == most).count();
    (tied > 1).then(|| format!("{tied} have as many votes, and the one that came first counts"))
}

/// The names of some who were asked, and what they do.
fn who(answers: &Answers, places: &[usize], one_does: &str, several_do: &str) -> String {
    let names: Vec<&str> =
        places.iter().filter_map(|at| answers.0.get(*at)).map(|one| one.asked.name.as_str()).collect();
    match names.as_slice() {
        [one] => format!("{one} {one_does}"),
        several => format!("{} {several_do}", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use hubcap_sdk::Code;
    use serde_json::{Value, json};

    use super::{Consensus, of};
    use crate::answers::tests::came;
    use crate::question::Question;

    fn question(more: Value) -> Question {
        let mut all = json!({ "question": "What is the capital of France?" });
        all.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        serde_json::from_value(all).unwrap()
    }

    fn consensus(more: Value, ends: &[Option<Result<&str, Code>>]) -> Consensus {
        let question = question(more);
        of(&question, came(&question, ends), 1)
    }

    fn agreeing(consensus: &Consensus) -> Vec<bool> {
        consensus.providers.iter().map(|told| told.agrees).collect()
    }

    #[test]
    fn the_choice_of_most_is_the_answer() {
        let choices = json!({ "choices": ["Paris", "Lyon"] });
        let ends = [Some(Ok("Lyon")), Some(Ok("paris.")), Some(Err(Code::Upstream)), Some(Ok("Paris")), None];
        let found = consensus(choices.clone(), &ends);
        assert_eq!((found.answer.clone(), found.agreement.value), (json!("Paris"), 0.6667));
        assert_eq!(found.dissent, "p0 chooses \"Lyon\"");
        let counts = &found.counts;
        assert_eq!((counts.asked, counts.answered, counts.failed, counts.late), (5, 3, 1, 1));
        assert_eq!(agreeing(&found), [false, true, false, true, false]);
        assert_eq!(found.providers[2].error.as_deref(), Some("upstream: broken"));
        assert_eq!(consensus(choices.clone(), &ends), found, "the same every time");
        let tied = consensus(choices.clone(), &[Some(Ok("Lyon")), Some(Ok("Paris"))]);
        assert_eq!((tied.answer, tied.agreement.value), (json!("Lyon"), 0.5));
        assert_eq!(
            tied.dissent,
            "p1 chooses \"Paris\"; 2 have as many votes, and the one that came first counts"
        );
        assert_eq!(consensus(choices, &[Some(Ok("Lyon"))]).dissent, "none");
    }

    #[test]
    fn data_is_agreed_on_field_by_field() {
        let schema = json!({ "schema": { "type": "object", "properties": { "city": {}, "river": {} } } });
        let found = consensus(
            schema,
            &[
                Some(Ok(r#"{"city":"Paris","river":"Seine"}"#)),
                Some(Ok(r#"{"city":"Paris","river":"Rhône"}"#)),
                Some(Ok(r#"{"city":"Paris"}"#)),
                Some(Ok("Paris")),
            ],
        );
        assert_eq!(found.answer, json!({ "city": "Paris", "river": "Seine" }));
        assert_eq!(found.agreement.value, 0.6667);
        assert_eq!(json!(found.agreement.fields), json!({ "city": 1.0, "river": 0.3333 }));
        assert_eq!(
            found.dissent,
            "`river`: p1 says \"Rhône\"; `river`: p2 leaves it out; `river`: 3 have as many votes, and the one that came first counts"
        );
        assert_eq!(agreeing(&found), [true, false, false, false]);
        assert_eq!((found.counts.answered, found.counts.failed), (3, 1));
    }

    #[test]
    fn of_texts_the_most_typical_one_of_those_that_are_alike_is_the_answer() {
        let found = consensus(
            json!({}),
            &[
                Some(Ok("Surely Lyon")),
                Some(Ok("The capital of France is Paris")),
                Some(Ok("It is Paris")),
                Some(Ok("Paris.")),
            ],
        );
        assert_eq!(found.answer, "The capital of France is Paris");
        assert_eq!(found.agreement.value, 0.75);
        assert!(found.agreement.definition.contains("30 % of the words"), "{}", found.agreement.definition);
        assert_eq!(found.dissent, "p0 says \"Surely Lyon\"");
        assert_eq!(agreeing(&found), [false, true, true, true]);
    }

    #[test]
    fn long_texts_are_cut_where_they_are_only_shown() {
        let long = "word ".repeat(2_000);
        let found = consensus(json!({}), &[Some(Ok(&long)), Some(Ok("quite another thing"))]);
        assert_eq!(found.answer.as_str().unwrap().len(), long.len());
        assert!(found.providers[0].text.as_ref().unwrap().ends_with(" [cut]"));
    }
}
