//! What is asked, and of whom.

use hubcap_sdk::{Error, Request, hub, schemars};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Who can be asked at once: as many calls as the hub lets one call make.
const MOST: usize = 16;

/// The arguments of the tool.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "hubcap_sdk::schemars")]
pub(crate) struct Question {
    /// What is asked; the same words for all.
    #[schemars(length(min = 1, max = 200_000))]
    pub(crate) question: String,
    /// Answers to choose from.
    #[schemars(length(min = 2, max = 50), inner(length(min = 1, max = 200)))]
    pub(crate) choices: Option<Vec<String>>,
    /// JSON Schema of an object: each answers with such an object, and its fields are compared one by one.
    pub(crate) schema: Option<Map<String, Value>>,
    /// Who is asked: ids of providers, or `id/model`; in this order where one answer is as good as another.
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 200)))]
    pub(crate) providers: Option<Vec<String>>,
    /// How many have to answer; more than half where absent.
    #[schemars(range(min = 1, max = 16))]
    pub(crate) quorum: Option<usize>,
    /// Seconds that each has for its answer; as many as this call has where absent.
    #[schemars(range(min = 1, max = 3600))]
    pub(crate) deadline_seconds: Option<u64>,
}

impl Question {
    /// What no schema can say.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |message: &str| Err(Error::invalid_arguments(message));
        if self.choices.is_some() && self.schema.is_some() {
            return wrong("`choices` and `schema` exclude each other: give one of them");
        }
        let choices = self.choices.as_deref().unwrap_or_default();
        let folded: Vec<String> = choices.iter().map(|choice| crate::words::folded(choice)).collect();
        if folded.iter().any(String::is_empty) {
            return wrong("a choice has no letter and no digit");
        }
        let twice = |(at, choice)| folded[..at].contains(choice);
        match folded.iter().enumerate().find(|one| twice(*one)) {
            Some((at, _)) => wrong(&format!("the choice {:?} stands there twice", choices[at])),
            None => Ok(()),
        }
    }

    /// What each is asked.
    pub(crate) fn request(&self) -> Request {
        let mut request = hub::prompt(self.prompt());
        request.output_schema = self.schema.as_ref().map(|schema| Value::Object(schema.clone()).to_string());
        request
    }

    fn prompt(&self) -> String {
        if let Some(choices) = &self.choices {
            let choices: String = choices.iter().map(|choice| format!("\n- {choice}")).collect();
            return format!("{}\n\nAnswer with one of these, and with nothing else:{choices}", self.question);
        }
        if let Some(schema) = &self.schema {
            let schema = Value::Object(schema.clone());
            return format!(
                "{}\n\nAnswer with a JSON object that matches this JSON Schema, and with nothing else:\n{schema}",
                self.question
            );
        }
        self.question.clone()
    }
}

/// One who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// As it was named.
    pub(crate) name: String,
    /// Id of the provider.
    pub(crate) provider: String,
    /// Id of the model; the provider's default where absent.
    pub(crate) model: Option<String>,
}

impl Asked {
    /// All that are named.
    pub(crate) fn all(names: &[String]) -> Result<Vec<Self>, Error> {
        match names.len() {
            0 => Err(Error::invalid_arguments(
                "nobody is asked: name `providers`, or have the operator grant some",
            )),
            1..=MOST => Ok(names.iter().map(|name| Self::of(name)).collect()),
            more => Err(Error::invalid_arguments(format!("{more} are asked, more than {MOST} at once"))),
        }
    }

    fn of(name: &str) -> Self {
        let (provider, model) = match name.split_once('/') {
            Some((provider, model)) => (provider, Some(model.to_owned())),
            None => (name, None),
        };
        Self { name: name.to_owned(), provider: provider.to_owned(), model }
    }
}

/// How many have to answer.
pub(crate) fn quorum(wanted: Option<usize>, asked: usize) -> Result<usize, Error> {
    match wanted {
        Some(wanted) if wanted > asked => Err(Error::invalid_arguments(format!(
            "a quorum of {wanted} cannot be reached: {asked} are asked"
        ))),
        Some(wanted) => Ok(wanted.max(1)),
        None => Ok(asked / 2 + 1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Asked, MOST, Question, quorum};

    fn question(more: Value) -> Question {
        let mut all = json!({ "question": "Which?" });
        all.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn a_provider_is_named_alone_or_with_a_model() {
        let asked = Asked::all(&["one".into(), "two/large".into(), "three/a/b".into()]).unwrap();
        let parts: Vec<_> = asked.iter().map(|one| (one.provider.as_str(), one.model.as_deref())).collect();
        assert_eq!(parts, [("one", None), ("two", Some("large")), ("three", Some("a/b"))]);
        assert!(Asked::all(&[]).is_err() && Asked::all(&vec!["a".into(); MOST]).is_ok());
        assert!(Asked::all(&vec!["a".into(); MOST + 1]).is_err());
    }

    #[test]
    fn a_quorum_is_more_than_half_unless_it_is_said() {
        assert_eq!([1, 2, 3, 4, 5].map(|asked| quorum(None, asked).unwrap()), [1, 2, 2, 3, 3]);
        assert_eq!(quorum(Some(1), 5).unwrap(), 1);
        assert!(quorum(Some(4), 3).unwrap_err().message().contains("cannot be reached"));
    }

    #[test]
    fn the_words_say_what_form_the_answer_has() {
        assert_eq!(question(json!({})).prompt(), "Which?");
        let choices = question(json!({ "choices": ["A", "B"] }));
        assert!(choices.prompt().ends_with("nothing else:\n- A\n- B") && choices.check().is_ok());
        assert_eq!(choices.request().output_schema, None);
        let schema = question(json!({ "schema": { "type": "object" } }));
        assert!(schema.prompt().ends_with("{\"type\":\"object\"}") && schema.check().is_ok());
        assert_eq!(schema.request().output_schema.as_deref(), Some("{\"type\":\"object\"}"));
    }

    #[test]
    fn choices_that_cannot_be_told_apart_are_refused() {
        for (more, why) in [
            (json!({ "choices": ["a", "b"], "schema": {} }), "exclude each other"),
            (json!({ "choices": ["Yes", "no", "yes."] }), "\"yes.\" stands there twice"),
            (json!({ "choices": ["a", "?!"] }), "no letter"),
        ] {
            let refused = question(more).check().unwrap_err();
            assert!(refused.message().contains(why), "{refused}");
        }
    }
}
