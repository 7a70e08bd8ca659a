//! What `#[rule]`, `#[model]` and `plugin!` make of functions, and whole types beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use hubcap_sdk::{
    Artifact, Code, Completion, Context, Error, Found, Message, Options, Providers, Request, Role, Severity,
    Tools, Validators,
};

/// A marker of work that is not done.
///
/// Fires on `TODO` anywhere.
#[hubcap_sdk::rule(severity = "error")]
fn todo_marker(artifact: &Artifact) -> Vec<Found> {
    artifact
        .text
        .match_indices("TODO")
        .map(|(at, found)| Found::new(at..at + found.len(), "do it now"))
        .collect()
}

/// Spaces at the end
#[hubcap_sdk::rule(id = "trailing-space", title = "Trailing space")]
fn trailing(artifact: &Artifact, context: &Context) -> Result<Option<Found>, Error> {
    let length = artifact.text.len();
    let kept = artifact.text.trim_end().len();
    if context.depth > 0 {
        return Err(Error::new(Code::Denied, "too deep"));
    }
    Ok((kept < length).then(|| Found::new(kept..length, "remove it").confidence(0.5).fix(kept..length, "")))
}

/// Says what it hears.
///
/// For tests.
#[hubcap_sdk::model(context_tokens = 8192)]
fn echo_small(request: Request, _context: Context) -> Result<Completion, Error> {
    let last = request.messages.last().map_or("", |message| message.text.as_str());
    Ok(Completion::text(last).usage(1, 2))
}

/// Shouts.
#[hubcap_sdk::model(id = "echo/large", title = "Large echo")]
fn large(request: Request) -> Completion {
    Completion::text(request.messages[0].text.to_uppercase())
}

hubcap_sdk::plugin!(rules: [todo_marker, trailing], models: [echo_small, large]);

mod whole {
    use super::{Artifact, Completion, Context, Error, Options, Request, Validators};
    use hubcap_sdk::{Model, Plugin, Providers, Report, Rule};

    /// A part that was written by hand.
    pub(super) struct Part;

    impl Plugin for Part {
        fn init(config: &str) -> Result<(), Error> {
            if config == "{}" { Ok(()) } else { Err(Error::upstream("the part's own error")) }
        }
    }

    impl Validators for Part {
        fn rules() -> Result<Vec<Rule>, Error> {
            Ok(Vec::new())
        }

        fn validate(_: Artifact, _: Options, _: Context) -> Result<Report, Error> {
            Ok(Report { findings: Vec::new(), meta: Vec::new() })
        }
    }

    impl Providers for Part {
        fn models() -> Result<Vec<Model>, Error> {
            Ok(Vec::new())
        }

        fn complete(_: Request, _: Context) -> Result<Completion, Error> {
            Ok(Completion::text("by hand"))
        }
    }

    /// A tool beside it.
    #[hubcap_sdk::tool]
    fn beside() -> &'static str {
        "beside"
    }

    hubcap_sdk::plugin!(tools: [beside], validator: Part, provider: Part);

    pub(super) type Registered = ThisPlugin;
}

fn context() -> Context {
    Context { call_id: "c".into(), deadline_ms: 1, depth: 0, meta: Vec::new() }
}

fn request(model: Option<&str>) -> Request {
    let messages = vec![Message { role: Role::User, text: "hello".into() }];
    let limits = hubcap_sdk::bindings::plugin::hubcap::plugin::provider_types::Limits {
        max_output_tokens: None,
        stop: Vec::new(),
    };
    Request { model: model.map(str::to_owned), messages, limits, output_schema: None, meta: Vec::new() }
}

#[test]
fn a_rule_is_described_by_its_function_and_its_doc_comment() {
    let rules = ThisPlugin::rules().unwrap();
    let first = &rules[0];
    assert_eq!((first.id.as_str(), first.severity), ("todo-marker", Severity::Error));
    assert_eq!(first.title, "A marker of work that is not done");
    assert_eq!(first.description, "A marker of work that is not done.\n\nFires on `TODO` anywhere.");
    let second = &rules[1];
    assert_eq!((second.id.as_str(), second.title.as_str()), ("trailing-space", "Trailing space"));
    assert_eq!(second.severity, Severity::Warning);
}

#[test]
fn the_rules_that_are_asked_for_run_over_the_text() {
    let judge = |rules: &[&str]| {
        let artifact = Artifact { text: "a TODO ".into(), path: None, language: None, meta: Vec::new() };
        let rules = rules.iter().map(|&rule| rule.to_owned()).collect();
        ThisPlugin::validate(artifact, Options { rules, min_confidence: 0.0, meta: Vec::new() }, context())
    };
    let found = judge(&[]).unwrap().findings;
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].rule.as_str(), found[0].span.start, found[0].span.end), ("todo-marker", 2, 6));
    assert_eq!(found[1].fix.as_ref().unwrap().span.start, 6);
    assert_eq!(judge(&["trailing-space"]).unwrap().findings.len(), 1);
    assert_eq!(judge(&["trailing"]).unwrap_err().code(), Code::InvalidArguments);
}

#[test]
fn a_model_is_described_by_its_function_and_the_first_one_is_the_default() {
    let models = ThisPlugin::models().unwrap();
    assert_eq!((models[0].id.as_str(), models[0].title.as_str()), ("echo-small", "Says what it hears"));
    assert_eq!(models[0].context_tokens, Some(8192));
    assert_eq!((models[1].id.as_str(), models[1].title.as_str()), ("echo/large", "Large echo"));
    let default = ThisPlugin::complete(request(None), context()).unwrap();
    assert_eq!((default.text.as_str(), default.model.as_str()), ("hello", "echo-small"));
    assert_eq!((default.usage.input_tokens, default.usage.output_tokens), (1, 2));
    assert_eq!(ThisPlugin::complete(request(Some("echo/large")), context()).unwrap().text, "HELLO");
}

#[test]
fn a_model_that_does_not_exist_is_answered_with_those_that_do() {
    let error = ThisPlugin::complete(request(Some("medium")), context()).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArguments);
    assert_eq!(error.message(), "there is no model \"medium\"; the models are echo-small, echo/large");
}

#[test]
fn a_type_that_implements_a_kind_is_registered_beside_functions() {
    type Registered = whole::Registered;
    assert_eq!(Registered::list_tools().unwrap()[0].name, "beside");
    assert!(Registered::rules().unwrap().is_empty());
    assert_eq!(Registered::complete(request(None), context()).unwrap().text, "by hand");
}

#[test]
fn the_init_of_a_registered_type_runs() {
    use hubcap_sdk::Plugin;
    assert!(whole::Registered::init("{}").is_ok());
    assert_eq!(whole::Registered::init("").unwrap_err().message(), "the part's own error");
}
