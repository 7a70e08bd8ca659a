//! Calls other plugins in every way that a plugin can: one tool for each.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hubcap_sdk::handle::{self, Handle, Next};
use hubcap_sdk::{Artifact, Context, Error, Options, Output, Plugin, Tool, Tools, hub, json, progress};
use test_guests::{Run, Value, answer, number, text, tool};

static CONTEXT: OnceLock<Context> = OnceLock::new();

fn pass_on(arguments: &Value) -> Result<Output, Error> {
    hub::call(text(arguments, "tool"), &arguments["arguments"])
}

/// Says what came of a call, and how long it took.
fn outcome(arguments: &Value) -> Result<Output, Error> {
    let started = Instant::now();
    let said = said(pass_on(arguments));
    Output::structured(&json!({ "said": said, "micros": started.elapsed().as_micros() as u64 }))
}

fn said(result: Result<Output, Error>) -> String {
    result.map_or_else(|error| error.to_string(), |output| hub::text(&output))
}

fn start(arguments: &Value) -> Result<hub::Pending<Output>, Error> {
    hub::start_call(text(arguments, "tool"), &arguments["arguments"])
}

/// Calls several tools at once, and says what they told and what came of each.
fn many(arguments: &Value) -> Result<Output, Error> {
    let tools = arguments["tools"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let calls = tools.map(|tool| hub::start_call(tool, &arguments["arguments"])).collect::<Result<_, _>>()?;
    let mut told = Vec::new();
    let ends = handle::join(calls, |index, event| {
        match event {
            hub::Event::Progress((done, total)) => told.push(format!("{index}: {done} of {total:?}")),
            hub::Event::Partial(text) => told.push(format!("{index}: {text}")),
            hub::Event::Ready => {}
        }
        progress::report(told.len() as f64, None, None);
    });
    Output::structured(&json!({ "told": told, "said": ends.into_iter().map(said).collect::<Vec<_>>() }))
}

/// Starts a call very often, and says how often that worked.
fn flood(arguments: &Value) -> Result<Output, Error> {
    let (mut started, mut counts) = (Vec::new(), json!({}));
    for _ in 0..number(arguments, "times") {
        match start(arguments) {
            Ok(call) => started.push(call),
            Err(error) => {
                let code = error.code().as_str();
                counts[code] = json!(number(&counts, code) + 1);
            }
        }
    }
    counts["started"] = json!(started.len());
    let ends = handle::join(started, |_, _| ());
    counts["ok"] = json!(ends.iter().filter(|end| end.is_ok()).count());
    Output::structured(&counts)
}

/// Starts a call and waits until it runs.
fn running(arguments: &Value) -> Result<hub::Pending<Output>, Error> {
    let call = start(arguments)?;
    while let Next::Nothing = call.next()? {
        call.subscribe().block();
    }
    Ok(call)
}

/// Drops a call that runs, and goes on.
fn give_up(arguments: &Value) -> Result<Output, Error> {
    drop(running(arguments)?);
    std::thread::sleep(Duration::from_millis(number(arguments, "ms")));
    answer("went on")
}

/// Ends while a call runs.
fn leave(arguments: &Value) -> Result<Output, Error> {
    std::mem::forget(running(arguments)?);
    answer("left")
}

/// Crashes while a call runs.
fn crash(arguments: &Value) -> Result<Output, Error> {
    let _call = running(arguments)?;
    panic!("crashed while a call ran");
}

fn judge(arguments: &Value) -> Result<Output, Error> {
    let artifact =
        Artifact { text: text(arguments, "text").to_owned(), path: None, language: None, meta: Vec::new() };
    let options = Options { rules: Vec::new(), min_confidence: 0.0, meta: Vec::new() };
    let report = hub::validate(arguments["validator"].as_str(), &artifact, &options)?;
    let found: Vec<_> =
        report.findings.iter().map(|found| format!("{} {:?}", found.rule, found.meta)).collect();
    Output::structured(&json!({ "found": found, "meta": report.meta }))
}

fn ask(arguments: &Value) -> Result<Output, Error> {
    answer(hub::complete(text(arguments, "provider"), &hub::prompt(text(arguments, "text")))?.text)
}

fn callees(_: &Value) -> Result<Output, Error> {
    let callees = hub::callees()?;
    let callees = callees.iter().map(|one| format!("{} {}: {}", one.kind, one.name, one.description));
    answer(callees.collect::<Vec<_>>().join("\n"))
}

/// Calls itself in the first of the plugins that are named, with the rest of them.
fn down(arguments: &Value) -> Result<Output, Error> {
    let path = arguments["path"].as_array().map(Vec::as_slice).unwrap_or_default();
    match path.split_first() {
        Some((first, rest)) => {
            hub::call(&format!("{}_down", first.as_str().unwrap_or_default()), &json!({ "path": rest }))
        }
        None => {
            let context = CONTEXT.get();
            let (depth, left) = context.map_or((99, 0), |context| (context.depth, context.deadline_ms));
            Output::structured(&json!({ "depth": depth, "deadline": left }))
        }
    }
}

const RUNS: [(&str, Run); 11] = [
    ("pass-on", pass_on),
    ("outcome", outcome),
    ("many", many),
    ("flood", flood),
    ("give-up", give_up),
    ("leave", leave),
    ("crash", crash),
    ("judge", judge),
    ("ask", ask),
    ("callees", callees),
    ("down", down),
];

struct Guest;

impl Plugin for Guest {}

impl Tools for Guest {
    fn list_tools() -> Result<Vec<Tool>, Error> {
        Ok(RUNS.iter().map(|(name, _)| tool(name)).collect())
    }

    fn call_tool(name: &str, arguments: &str, context: Context) -> Result<Output, Error> {
        CONTEXT.get_or_init(|| context);
        test_guests::run(&RUNS, name, arguments)
    }
}

test_guests::register!(Guest);
