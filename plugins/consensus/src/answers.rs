//! What came of each: an answer that can be compared, a failure, or nothing in time.

use hubcap_sdk::{Code, Completion, Error};
use serde_json::{Map, Value};

use crate::question::{Asked, Question};
use crate::words::shown;
use crate::{ballot, fields};

/// Characters of a failure that are told.
const TOLD: usize = 1_000;

/// What came of one who was asked.
#[derive(Debug)]
pub(crate) struct One {
    /// Who was asked.
    pub(crate) asked: Asked,
    /// What came back, whether or not it can be compared.
    pub(crate) completion: Option<Completion>,
    /// How it ended.
    pub(crate) end: End,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum End {
    /// With an answer that can be compared.
    Answered(Answer),
    /// With a failure, or an answer of another form than was asked for.
    Failed(Code, String),
    /// Not in time.
    Late,
}

/// An answer that can be compared.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The choice with this number.
    Choice(usize),
    /// Data.
    Fields(Map<String, Value>),
    /// Text.
    Text,
}

/// What came of all, in the order in which they were asked.
#[derive(Debug)]
pub(crate) struct Answers(pub(crate) Vec<One>);

impl Answers {
    /// Reads what came of each.
    pub(crate) fn read(
        question: &Question,
        asked: &[Asked],
        ends: Vec<Option<Result<Completion, Error>>>,
    ) -> Self {
        let one = |(asked, end): (&Asked, Option<Result<Completion, Error>>)| {
            let (completion, end) = match end {
                None => (None, End::Late),
                Some(Err(error)) => (None, End::Failed(error.code(), shown(error.message(), TOLD))),
                Some(Ok(completion)) => {
                    let end = match read(question, &completion.text) {
                        Ok(answer) => End::Answered(answer),
                        Err(why) => End::Failed(Code::Upstream, shown(&why, TOLD)),
                    };
                    (Some(completion), end)
                }
            };
            One { asked: asked.clone(), completion, end }
        };
        Self(asked.iter().zip(ends).map(one).collect())
    }

    /// How many answered.
    pub(crate) fn answered(&self) -> usize {
        self.0.iter().filter(|one| matches!(one.end, End::Answered(_))).count()
    }

    /// How many failed.
    pub(crate) fn failed(&self) -> usize {
        self.0.iter().filter(|one| matches!(one.end, End::Failed(..))).count()
    }

    /// How many were late.
    pub(crate) fn late(&self) -> usize {
        self.0.len() - self.answered() - self.failed()
    }

    /// Whether so many answered.
    ///
    /// # Errors
    /// How many did, and what became of the others. The code is theirs where they have one.
    pub(crate) fn check(&self, quorum: usize) -> Result<(), Error> {
        if self.answered() >= quorum {
            return Ok(());
        }
        let others = self.0.iter().filter_map(|one| match &one.end {
            End::Answered(_) => None,
            End::Failed(code, why) => Some((*code, format!("{}: {}: {why}", one.asked.name, code.as_str()))),
            End::Late => Some((Code::Deadline, format!("{}: no answer in time", one.asked.name))),
        });
        let (codes, told): (Vec<Code>, Vec<String>) = others.unzip();
        let code = match codes.split_first() {
            Some((first, rest)) if rest.iter().all(|code| code == first) => *first,
            _ => Code::Upstream,
        };
        let counts = format!("{} of {} answered, and {quorum} have to", self.answered(), self.0.len());
        Err(Error::new(code, format!("{counts}: {}", told.join("; "))))
    }
}

/// The answer in a text.
fn read(question: &Question, text: &str) -> Result<Answer, String> {
    if let Some(choices) = &question.choices {
        let made = ballot::choice(text, choices).map(Answer::Choice);
        return made.ok_or_else(|| format!("it made none of the choices: {:?}", shown(text, 100)));
    }
    match &question.schema {
        Some(_) => fields::read(text).map(Answer::Fields),
        None if text.trim().is_empty() => Err("its answer is empty".into()),
        None => Ok(Answer::Text),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use hubcap_sdk::{Code, Completion, Error};

    use super::{Answers, End};
    use crate::question::{Asked, Question};

    /// What came of `p0`, `p1` and so on: a text, an error, or nothing.
    pub(crate) fn came(question: &Question, ends: &[Option<Result<&str, Code>>]) -> Answers {
        let names: Vec<String> = (0..ends.len()).map(|n| format!("p{n}")).collect();
        let asked = Asked::all(&names).unwrap();
        let end = |end: &Option<Result<&str, Code>>| {
            end.map(|end| match end {
                Ok(text) => Ok(Completion::text(text)),
                Err(code) => Err(Error::new(code, "broken")),
            })
        };
        Answers::read(question, &asked, ends.iter().map(end).collect())
    }

    #[test]
    fn an_answer_of_another_form_counts_as_a_failure_and_keeps_what_it_cost() {
        let choices = Some(vec!["a".to_owned(), "b".to_owned()]);
        let question = Question { choices, ..Question::default() };
        let answers = came(&question, &[Some(Ok("A!")), Some(Ok("c")), Some(Err(Code::Limit)), None]);
        assert_eq!((answers.answered(), answers.failed(), answers.late()), (1, 2, 1));
        assert!(answers.0[1].completion.is_some() && answers.0[2].completion.is_none());
        assert!(matches!(&answers.0[1].end, End::Failed(Code::Upstream, why) if why.contains("\"c\"")));
        let question = Question::default();
        assert_eq!(came(&question, &[Some(Ok(" ")), Some(Ok("x"))]).answered(), 1);
    }

    #[test]
    fn without_a_quorum_everything_that_became_of_the_others_is_told() {
        let question = Question::default();
        let answers = came(&question, &[Some(Ok("x")), Some(Err(Code::RateLimited)), None]);
        assert!(answers.check(1).is_ok());
        let error = answers.check(2).unwrap_err();
        assert_eq!(error.code(), Code::Upstream);
        assert_eq!(
            error.message(),
            "1 of 3 answered, and 2 have to: p1: rate-limited: broken; p2: no answer in time"
        );
        for (ends, code) in [
            ([Some(Err(Code::Denied)), Some(Err(Code::Denied))], Code::Denied),
            ([None, None], Code::Deadline),
            ([None, Some(Err(Code::Denied))], Code::Upstream),
        ] {
            assert_eq!(came(&question, &ends).check(1).unwrap_err().code(), code);
        }
    }
}
