//! What `#[tool]`, `#[tools]` and `plugin!` make of functions: definitions, and calls by their names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use hubcap_sdk::schemars::{self, JsonSchema};
use hubcap_sdk::{Code, Content, Context, Error, Output, Plugin, Tool, Tools, config, json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Greets somebody by name.
///
/// Louder with each time.
#[hubcap_sdk::tool]
fn greet(
    /// Who is greeted.
    name: String,
    /// How often; once where absent.
    times: Option<u32>,
) -> Result<String, Error> {
    let times = times.unwrap_or(1);
    if times == 0 {
        return Err(Error::invalid_arguments("at /times: greet at least once"));
    }
    Ok(format!("Hello, {name}{}", "!".repeat(times as usize)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// What to look for.
    query: String,
    #[serde(default = "ten")]
    limit: u8,
    order: Option<Order>,
}

#[derive(Deserialize, Serialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Order {
    ByName,
    ByDate,
}

fn ten() -> u8 {
    10
}

#[derive(Serialize, JsonSchema)]
struct Hits {
    /// How many there are.
    count: u32,
    order: Option<Order>,
}

/// Looks for something.
#[hubcap_sdk::tool(name = "look-up", title = "Look up", read_only, destructive = false, idempotent)]
fn search(#[args] search: Search, context: Context) -> Result<Hits, std::num::ParseIntError> {
    let count: u32 = search.query.parse()?;
    Ok(Hits { count: count * u32::from(search.limit) + context.depth, order: search.order })
}

/// Takes a port.
#[hubcap_sdk::tool(pure)]
fn port(
    #[schemars(range(min = 1, max = 1024))]
    #[serde(rename = "port-number")]
    port: u16,
) -> u16 {
    port
}

/// Says nothing.
#[hubcap_sdk::tool]
fn quiet() {}

/// Blocks.
#[hubcap_sdk::tool]
fn blocks() -> Vec<Content> {
    vec![Content::Text("a".into()), Content::Text("b".into())]
}

/// Whole.
#[hubcap_sdk::tool]
fn whole() -> Output {
    Output::text("whole")
}

/// Fixed.
#[hubcap_sdk::tool]
fn fixed() -> &'static str {
    "fixed"
}

/// A list.
#[hubcap_sdk::tool]
fn list() -> Vec<Order> {
    vec![Order::ByName, Order::ByDate]
}

/// Fails with a text.
#[hubcap_sdk::tool]
fn fails(how: String) -> Result<Order, Box<dyn std::error::Error>> {
    Err(how)?
}

/// Fails with a text of its own.
#[hubcap_sdk::tool]
fn r#loop(r#type: Option<String>, mut times: u8) -> Result<(), String> {
    times += 1;
    Err(format!("{} {times}", r#type.unwrap_or_default()))
}

mod elsewhere {
    /// In a module.
    #[hubcap_sdk::tool]
    pub(crate) fn far(json: bool, arguments: u8, context: i8) -> String {
        format!("{json} {arguments} {context}")
    }
}

struct Counter;

#[hubcap_sdk::tools]
impl Counter {
    const STEP: i64 = 2;

    /// Adds a step.
    #[tool(pure)]
    fn step(&self, from: i64) -> Result<i64, Error> {
        Ok(Self::add(from, Self::STEP))
    }

    /// Adds two numbers.
    #[hubcap_sdk::tool(name = "add")]
    fn sum(a: i64, b: i64) -> i64 {
        Self::add(a, b)
    }

    fn add(a: i64, b: i64) -> i64 {
        a + b
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    prefix: String,
}

/// Shows the prefix.
#[hubcap_sdk::tool]
fn prefix() -> Result<String, Error> {
    Ok(config::get::<Settings>()?.prefix.clone())
}

fn check_prefix() -> Result<(), Error> {
    match config::get::<Settings>()?.prefix.as_str() {
        "bad" => Err(Error::new(Code::Unavailable, "`prefix` cannot be \"bad\"")),
        _ => Ok(()),
    }
}

fn feel() -> Result<(), String> {
    match config::get::<Settings>().map_err(|error| error.to_string())?.prefix.as_str() {
        "ill" => Err("the prefix is ill".to_owned()),
        _ => Ok(()),
    }
}

hubcap_sdk::plugin!(
    tools: [
        greet, search, port, quiet, blocks, whole, fixed, list, fails, r#loop, elsewhere::far, Counter, prefix,
    ],
    config: Settings,
    init: check_prefix,
    health: feel,
);

fn tool(name: &str) -> Tool {
    ThisPlugin::list_tools().unwrap().into_iter().find(|tool| tool.name == name).unwrap()
}

fn input(name: &str) -> Value {
    serde_json::from_str(&tool(name).input_schema).unwrap()
}

fn call(name: &str, arguments: Value) -> Result<Output, Error> {
    let context = Context { call_id: "c".into(), deadline_ms: 1, depth: 1, meta: Vec::new() };
    ThisPlugin::call_tool(name, &arguments.to_string(), context)
}

fn text(name: &str, arguments: Value) -> String {
    let output = call(name, arguments).unwrap();
    assert!(output.structured.is_none());
    let blocks = output.content.into_iter().map(|block| match block {
        Content::Text(text) => text,
        other => panic!("{other:?}"),
    });
    blocks.collect::<Vec<_>>().join("|")
}

#[test]
fn a_function_is_described_by_its_name_its_doc_comment_and_its_parameters() {
    let tool = tool("greet");
    assert_eq!(tool.description, "Greets somebody by name.\n\nLouder with each time.");
    assert_eq!((tool.title, tool.output_schema), (None, None));
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "description": "Who is greeted.", "type": "string" },
            "times": {
                "description": "How often; once where absent.",
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": 4_294_967_295_u32,
            },
        },
        "required": ["name"],
        "additionalProperties": false,
    });
    assert_eq!(input("greet"), schema);
    assert_eq!(input("quiet"), json!({ "type": "object", "additionalProperties": false }));
}

#[test]
fn keys_set_name_title_and_hints_and_what_is_not_said_stays_open() {
    let keyed = tool("look-up");
    assert_eq!(keyed.title.as_deref(), Some("Look up"));
    let hints = keyed.annotations;
    assert_eq!((hints.read_only, hints.destructive), (Some(true), Some(false)));
    assert_eq!((hints.idempotent, hints.open_world), (Some(true), None));
    let pure = tool("port").annotations;
    assert_eq!((pure.read_only, pure.destructive), (Some(true), Some(false)));
    assert_eq!((pure.idempotent, pure.open_world), (Some(true), Some(false)));
}

#[test]
fn one_struct_can_hold_all_arguments() {
    let schema = input("look-up");
    assert_eq!(schema["required"], json!(["query"]));
    assert_eq!(schema["properties"]["limit"]["default"], 10);
    assert_eq!(schema["additionalProperties"], false);
    let output = call("look-up", json!({ "query": "4", "order": "by-date" })).unwrap();
    assert_eq!(output.structured.as_deref(), Some(r#"{"count":41,"order":"by-date"}"#));
    assert!(output.content.is_empty());
}

#[test]
fn a_struct_that_is_returned_has_an_output_schema_and_its_values_match() {
    let schema: Value = serde_json::from_str(&tool("look-up").output_schema.unwrap()).unwrap();
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["properties"]["count"]["description"], "How many there are.");
    for name in ["greet", "port", "quiet", "blocks", "whole", "fixed", "list", "fails"] {
        assert!(tool(name).output_schema.is_none(), "{name}");
    }
}

#[test]
fn no_input_schema_has_a_root_that_clients_drop() {
    for tool in ThisPlugin::list_tools().unwrap() {
        let schema: Value = serde_json::from_str(&tool.input_schema).unwrap();
        assert_eq!(schema["type"], "object", "{}", tool.name);
        assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
        for keyword in ["oneOf", "anyOf", "allOf", "not", "if", "$schema", "title", "$defs"] {
            assert!(schema.get(keyword).is_none(), "{} has {keyword}", tool.name);
        }
    }
}

#[test]
fn attributes_for_serde_and_schemars_on_a_parameter_are_its_arguments() {
    let schema = input("port");
    assert_eq!(
        schema["properties"]["port-number"],
        json!({ "type": "integer", "minimum": 1, "maximum": 1024 })
    );
    assert_eq!(text("port", json!({ "port-number": 22 })), "22");
}

#[test]
fn every_kind_of_result_has_its_form() {
    assert_eq!(text("greet", json!({ "name": "Ada", "times": 2 })), "Hello, Ada!!");
    assert_eq!(text("quiet", json!({})), "done");
    assert_eq!(text("blocks", json!({})), "a|b");
    assert_eq!(text("whole", json!({})), "whole");
    assert_eq!(text("fixed", json!({})), "fixed");
    assert_eq!(text("list", json!({})), r#"["by-name","by-date"]"#);
}

#[test]
fn an_error_of_the_sdk_keeps_its_code_and_any_other_is_internal_with_its_text() {
    let error = |name, arguments| call(name, arguments).map(|_| ()).unwrap_err();
    let own = error("greet", json!({ "name": "Ada", "times": 0 }));
    assert_eq!((own.code(), own.message()), (Code::InvalidArguments, "at /times: greet at least once"));
    let parse = error("look-up", json!({ "query": "x" }));
    assert_eq!((parse.code(), parse.message()), (Code::Internal, "invalid digit found in string"));
    assert_eq!(error("fails", json!({ "how": "badly" })).message(), "badly");
    assert_eq!(error("loop", json!({ "type": "again", "times": 1 })).message(), "again 2");
}

#[test]
fn arguments_that_do_not_fit_are_answered_with_the_path_and_the_reason() {
    let error = |name, arguments| call(name, arguments).map(|_| ()).unwrap_err();
    let wrong = error("greet", json!({ "name": 5 }));
    assert_eq!(wrong.code(), Code::InvalidArguments);
    assert_eq!(
        wrong.message(),
        "the arguments do not fit at /name: invalid type: integer `5`, expected a string"
    );
    assert!(error("greet", json!({})).message().contains("missing field `name`"));
    assert!(error("greet", json!({ "name": "a", "tines": 1 })).message().contains("unknown field `tines`"));
    assert!(error("look-up", json!({ "query": "1", "order": "up" })).message().contains("at /order"));
    assert_eq!(error("nothing", json!({})).code(), Code::UnknownTool);
}

#[test]
fn tools_of_a_module_and_of_a_unit_struct_are_registered_by_their_paths() {
    assert_eq!(text("far", json!({ "json": true, "arguments": 1, "context": -1 })), "true 1 -1");
    assert_eq!(text("step", json!({ "from": 3 })), "5");
    assert_eq!(text("add", json!({ "a": 3, "b": 4 })), "7");
    assert_eq!(input("step")["required"], json!(["from"]));
}

#[test]
fn the_function_stays_a_function() {
    assert_eq!(greet("Ada".into(), None).unwrap(), "Hello, Ada!");
    assert_eq!(Counter.step(1).unwrap(), 3);
}

#[test]
fn init_reads_the_configuration_and_names_the_key_that_is_wrong() {
    ThisPlugin::init(r#"{"prefix":"> "}"#).unwrap();
    assert_eq!(text("prefix", json!({})), "> ");
    let error = ThisPlugin::init(r#"{"prefix":5}"#).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("at /prefix: invalid type: integer `5`"), "{error}");
    assert!(ThisPlugin::init(r#"{"prefx":""}"#).unwrap_err().message().contains("unknown field `prefx`"));
}

#[test]
fn the_init_function_runs_after_the_configuration_was_read() {
    let error = ThisPlugin::init(r#"{"prefix":"bad"}"#).unwrap_err();
    assert_eq!(error.message(), "`prefix` cannot be \"bad\"");
}

#[test]
fn an_error_of_the_health_function_means_unhealthy() {
    ThisPlugin::init("{}").unwrap();
    assert!(ThisPlugin::health().unwrap().healthy);
    ThisPlugin::init(r#"{"prefix":"ill"}"#).unwrap();
    assert_eq!(ThisPlugin::health().unwrap_err().message(), "the prefix is ill");
}
