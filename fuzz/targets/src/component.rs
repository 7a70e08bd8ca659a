//! Exports of real components, through the hub and the sandbox, with generated values.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use hubcap::config::Config;
use hubcap::error::{Blame, Code};
use hubcap::home::Home;
use hubcap::hub::{Admission, Hub, Loader};
use hubcap::model::text::clean;
use hubcap::model::{
    Artifact, Call, Content, Conversation, Message, PluginId, Role, ToolCall, Validation, ValidationOptions,
};
use hubcap::outcome::Outcome;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::generate::Source;
use crate::text::is_clean;

/// The plugins: one for each kind of export, and one that gives back what it gets.
const PLUGINS: [&str; 4] = ["echo", "judge", "mirror", "scripted-provider"];

/// Words that the validator knows, and words between them.
const WORDS: [&str; 10] = ["bad", "odd", "hm", "rest", "lie", "strange", "crash", "é", "\n", "\r"];

/// Up to eight calls, one after the other.
pub(crate) fn run(data: &[u8]) {
    let (runtime, hub) = host();
    let mut source = Source(data);
    runtime.block_on(async {
        for _ in 0..8 {
            if source.0.is_empty() {
                return;
            }
            match source.byte() % 8 {
                0 => say(hub, &mut source).await,
                1 | 2 => show(hub, &mut source).await,
                3 => number(hub, &mut source).await,
                4 => fail(hub, &mut source).await,
                5 => judge(hub, &mut source).await,
                6 => complete(hub, &mut source).await,
                _ => anything(hub, &mut source).await,
            }
        }
    });
}

async fn call(hub: &Hub, tool: &str, arguments: Value) -> Outcome<hubcap::model::ToolOutput> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let outcome = hub.call_tool(Call::new(ToolCall::new(tool, arguments))).await;
    held(&outcome);
    if let Ok(output) = &outcome.result {
        let texts = output.content.iter().filter_map(|block| match block {
            Content::Text(text) => Some(text),
            _ => None,
        });
        assert!(texts.into_iter().all(|text| is_clean(text)));
    }
    outcome
}

/// What holds for every call: it ends within its budget, and hubcap is never to blame.
fn held<T>(outcome: &Outcome<T>) {
    if let Some(receipt) = &outcome.receipt {
        assert!(receipt.fuel <= 1_000_000_000, "{receipt:?}");
        assert!(receipt.peak_memory_bytes <= 64 << 20, "{receipt:?}");
        assert!(receipt.result_bytes <= 1 << 20, "{receipt:?}");
    }
    if let Err(error) = &outcome.result {
        assert!(error.blame != Blame::Host, "{error}");
        assert!(is_clean(error.message()) && error.message().chars().count() <= 10_000, "{error:?}");
    }
}

async fn say(hub: &Hub, source: &mut Source<'_>) {
    let text = source.text();
    let output = call(hub, "echo_say", json!({ "text": text })).await.result.unwrap();
    assert_eq!(output.content, [Content::Text(clean(&text).into_owned())]);
}

/// What went in comes back cleaned; a name that would have to be cleaned is refused.
async fn show(hub: &Hub, source: &mut Source<'_>) {
    let mut arguments = source.object(4);
    arguments.remove("code");
    arguments.remove("mebibytes");
    let arguments = Value::Object(arguments);
    let outcome = call(hub, "mirror_show", arguments.clone()).await;
    match (outcome.result, cleaned(&arguments)) {
        (Ok(output), Some(cleaned)) => {
            assert_eq!(output.structured, Some(json!({ "given": cleaned, "taken": 0 })));
        }
        (Err(error), None) => assert_eq!(error.code, Code::InvalidOutput, "{error}"),
        (result, cleaned) => panic!("{result:?} where {cleaned:?} was to come"),
    }
}

fn cleaned(value: &Value) -> Option<Value> {
    Some(match value {
        Value::String(text) => clean(text).into_owned().into(),
        Value::Array(items) => items.iter().map(cleaned).collect::<Option<Vec<_>>>()?.into(),
        Value::Object(map) => {
            let member = |(key, value): (&String, &Value)| {
                matches!(clean(key), Cow::Borrowed(_)).then_some((key.clone(), cleaned(value)?))
            };
            Value::Object(map.iter().map(member).collect::<Option<Map<_, _>>>()?)
        }
        other => other.clone(),
    })
}

async fn number(hub: &Hub, source: &mut Source<'_>) {
    let n = source.value(1);
    let fits = n.is_i64() || n.is_u64() || n.as_f64().is_some_and(|n| n.fract() == 0.0);
    let outcome = call(hub, "echo_structured", json!({ "n": n })).await;
    match outcome.result {
        Ok(output) => {
            let read = n.as_u64().unwrap_or(0);
            assert!(fits, "{n} passed for a whole number");
            assert_eq!(output.structured, Some(json!({ "n": read, "twice": read.wrapping_mul(2) })));
        }
        Err(error) => assert!(!fits && error.code == Code::InvalidArguments, "{n}: {error}"),
    }
}

async fn fail(hub: &Hub, source: &mut Source<'_>) {
    let code =
        source.one_of(&["invalid-arguments", "denied", "upstream", "rate-limited", "unavailable", "?"]);
    let arguments = json!({ "code": code, "message": source.text(), "times": source.below(2_000) });
    let error = call(hub, "echo_fail", arguments).await.result.unwrap_err();
    assert_eq!(error.code.as_str(), if code == "?" { "internal" } else { code });
}

/// Findings lie in the text, are of known rules, and are as sure as was asked for.
async fn judge(hub: &Hub, source: &mut Source<'_>) {
    let mut text = String::new();
    for _ in 0..source.below(20) {
        text.push_str(source.one_of(&WORDS));
        text.push_str(&source.text());
    }
    let path = source.flag().then(|| source.text());
    let rules = (0..source.byte() % 3).map(|_| source.one_of(&["bad", "odd", "hm", "?"]).to_owned());
    let options =
        ValidationOptions { rules: rules.collect(), min_confidence: f32::from_bits(source.number() as u32) };
    let least = options.min_confidence;
    let artifact = Arc::new(Artifact { text: text.clone(), path, language: None });
    let validator = PluginId::new("judge").unwrap();
    let outcome = hub.call(Call::new(Validation { validator, artifact, options: options.clone() })).await;
    held(&outcome);
    let Ok(report) = outcome.result else { return };
    for finding in &report.findings {
        assert!(text.get(finding.span.start..finding.span.end).is_some(), "{finding:?}");
        assert!(options.rules.is_empty() || options.rules.contains(&finding.rule));
        assert!(finding.confidence >= least && is_clean(&finding.message));
    }
}

async fn complete(hub: &Hub, source: &mut Source<'_>) {
    let roles = [&Role::System, &Role::User, &Role::Assistant];
    let conversation = Conversation {
        provider: PluginId::new("scripted-provider").unwrap(),
        model: source.flag().then(|| source.text()),
        messages: (0..source.below(5))
            .map(|_| Message { role: *source.one_of(&roles), text: source.text() })
            .collect(),
        max_output_tokens: source.flag().then(|| source.number()),
        stop: (0..source.below(3)).map(|_| source.text()).collect(),
        output_schema: source.flag().then(|| source.value(2).to_string()),
    };
    let outcome = hub.call(Call::new(conversation)).await;
    held(&outcome);
    if let Ok(completion) = outcome.result {
        assert!(is_clean(&completion.text) && !completion.model.is_empty());
    }
}

/// Any tool with any arguments, and names that no tool has. A tool that sleeps is not among them.
async fn anything(hub: &Hub, source: &mut Source<'_>) {
    let tools =
        ["echo_big", "echo_log", "echo_progress", "echo_content", "echo_bad-structured", "mirror_show", "?"];
    let mut tool = source.one_of(&tools).to_owned();
    if tool == "?" {
        tool = source.text();
    }
    let mut arguments = source.object(3);
    for (key, most) in [("bytes", 65_536), ("lines", 5_000), ("steps", 2_000), ("mebibytes", 80)] {
        arguments.insert(key.into(), (source.below(most) * if key == "bytes" { 32 } else { 1 }).into());
    }
    call(hub, &tool, Value::Object(arguments)).await;
}

fn host() -> &'static (Runtime, Arc<Hub>) {
    static HOST: OnceLock<(Runtime, Arc<Hub>)> = OnceLock::new();
    HOST.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let hub = runtime.block_on(load());
        (runtime, hub)
    })
}

async fn load() -> Arc<Hub> {
    let built = build();
    let config = "[plugins.scripted-provider.config]\nmodels = [\"small\", \"large\"]\notherwise = \"I do not know.\\u001b\"\n";
    let config = Config::parse(Path::new("/hubcap.toml"), config).unwrap();
    let plugins = built.join("fuzz");
    std::fs::create_dir_all(&plugins).unwrap();
    for name in PLUGINS {
        // A file is named as its package; a plugin without a manifest is named as its file.
        let file = built.join(name.replace('-', "_")).with_extension("wasm");
        std::fs::copy(file, plugins.join(name).with_extension("wasm")).unwrap();
    }
    let home = Home { plugin_dirs: vec![plugins], ..Home::nowhere(config) };
    let (hub, loader) = Loader::new(&home, Admission::Own).unwrap();
    loader.run(None).await;
    let files = hub.files().await;
    assert!(files.len() == PLUGINS.len() && files.iter().all(|file| file.reason.is_none()), "{files:?}");
    hub
}

/// Builds the guests of the tests, and says where they are.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = root.join("target/guests");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--package", "test-guests", "--package", "scripted-provider"])
        .args(["--target", "wasm32-wasip2", "--profile", "guest", "--target-dir"])
        .arg(&target)
        .current_dir(&root)
        .status();
    assert!(built.unwrap().success(), "the guests do not build; try `rustup target add wasm32-wasip2`");
    target.join("wasm32-wasip2/guest")
}
