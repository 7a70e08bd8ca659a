//! Runs programs: well-behaved ones, and in all the ways that a guest can misuse them.

use std::thread::sleep;
use std::time::{Duration, Instant};

use hubcap_sdk::handle::{Handle, Next, join};
use hubcap_sdk::process::{Command, Event, Lines, Output as Ended, Running};
use hubcap_sdk::{Error, Output, hub, json, progress};
use test_guests::{Value, answer, number, text};

fn command(arguments: &Value) -> Command {
    let mut command = Command::new(text(arguments, "command"));
    for slot in arguments["slots"].as_array().into_iter().flatten() {
        let values = slot[1].as_array().into_iter().flatten().map(|value| match value {
            Value::String(text) => text.clone(),
            bytes => "x".repeat(bytes.as_u64().unwrap_or(0) as usize),
        });
        command = command.slot(slot[0].as_str().unwrap_or_default(), values);
    }
    for (name, value) in arguments["env"].as_object().into_iter().flatten() {
        command = command.env(name, value.as_str().unwrap_or_default());
    }
    if let Some(path) = arguments["directory"].as_str() {
        command = command.directory(path);
    }
    if let Some(time) = arguments["deadline-ms"].as_u64() {
        command = command.deadline(Duration::from_millis(time));
    }
    match &arguments["stdin"] {
        Value::String(text) => command.stdin(text.as_bytes()),
        Value::Number(bytes) => command.stdin(vec![b'x'; bytes.as_u64().unwrap_or(0) as usize]),
        _ => command,
    }
}

fn told(ended: &Ended) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    json!({
        "code": ended.code, "signal": ended.signal, "timedOut": ended.timed_out,
        "stdout": text(&ended.stdout), "stderr": text(&ended.stderr),
    })
}

/// One program, all of its output.
fn run(arguments: &Value) -> Result<Output, Error> {
    Output::structured(&told(&command(arguments).run()?))
}

/// One program: how much it printed, and its last words.
fn collect(arguments: &Value) -> Result<Output, Error> {
    let ended = command(arguments).run()?;
    let words = ended.stderr.len().saturating_sub(100);
    let words = String::from_utf8_lossy(&ended.stderr[words..]).into_owned();
    let (stdout, stderr) = (ended.stdout.len(), ended.stderr.len());
    Output::structured(&json!({ "code": ended.code, "stdout": stdout, "stderr": stderr, "words": words }))
}

/// One program by its lines: how many, and the longest.
fn lines(arguments: &Value) -> Result<Output, Error> {
    let (mut lines, mut longest) = (0_u64, 0);
    let ended = command(arguments).lines(|line| {
        lines += 1;
        longest = longest.max(line.len());
        Ok(())
    })?;
    Output::structured(&json!({ "lines": lines, "longest": longest, "ended": told(&ended) }))
}

/// Takes what a program prints, and counts it; after `most` bytes it is dropped.
fn flood(arguments: &Value) -> Result<Output, Error> {
    let running = command(arguments).spawn()?;
    // What is not taken meanwhile has to wait.
    sleep(Duration::from_millis(number(arguments, "pause-ms")));
    let (mut stdout, mut stderr) = (0, 0);
    let most = arguments["most"].as_u64().unwrap_or(u64::MAX) as usize;
    loop {
        match running.next()? {
            Next::Nothing => running.subscribe().block(),
            Next::Event(Event::Stdout(bytes)) => stdout += bytes.len(),
            Next::Event(Event::Stderr(bytes)) => stderr += bytes.len(),
            Next::Over => break,
        }
        if stdout + stderr >= most {
            drop(running);
            return Output::structured(&json!({ "stdout": stdout, "stderr": stderr }));
        }
    }
    let ended = running.finish()?;
    Output::structured(&json!({ "stdout": stdout, "stderr": stderr, "code": ended.code }))
}

/// Starts so many at once, with so many calls of a tool beside them, and waits for all of them.
fn many(arguments: &Value) -> Result<Output, Error> {
    let begun = Instant::now();
    let call = |_| hub::start_call(text(arguments, "tool"), &arguments["arguments"]);
    let calls = (0..number(arguments, "calls")).map(call).collect::<Result<Vec<_>, _>>()?;
    let started =
        (0..number(arguments, "n")).map(|_| command(arguments).start()).collect::<Result<Vec<_>, _>>()?;
    progress::report(1.0, None, Some("all are started"));
    let ended = join(started, |_, never| match never {});
    let ended: Vec<Value> = ended
        .into_iter()
        .map(|ended| match ended {
            Ok(ended) => told(&ended),
            Err(error) => json!({ "error": error.to_string() }),
        })
        .collect();
    let said: Vec<String> = join(calls, |_, _| ())
        .into_iter()
        .map(|called| called.map_or_else(|error| error.to_string(), |output| hub::text(&output)))
        .collect();
    Output::structured(&json!({ "ended": ended, "said": said, "ms": begun.elapsed().as_millis() as u64 }))
}

/// Starts them until that is refused, and says how many there were and why.
fn fill(arguments: &Value) -> Result<Output, Error> {
    let mut running: Vec<Running> = Vec::new();
    for _ in 0..1_000 {
        match command(arguments).spawn() {
            Ok(one) => running.push(one),
            Err(error) => return answer(format!("{} {error}", running.len())),
        }
    }
    answer("all")
}

/// Starts one and waits until it prints something.
fn begun(arguments: &Value) -> Result<Running, Error> {
    let running = command(arguments).spawn()?;
    while running.next()? == Next::Nothing {
        running.subscribe().block();
    }
    progress::report(1.0, None, Some("the program runs"));
    Ok(running)
}

/// Starts one and never ends by itself.
fn hold(arguments: &Value) -> Result<Output, Error> {
    let running = begun(arguments)?;
    sleep(Duration::from_secs(3_600));
    running.finish().map(|ended| Output::text(format!("{ended:?}")))
}

/// Starts one and waits for its end without taking what it prints.
fn finish(arguments: &Value) -> Result<Output, Error> {
    Output::structured(&json!({ "code": begun(arguments)?.finish()?.code }))
}

/// Starts one and drops it.
fn dropped(arguments: &Value) -> Result<Output, Error> {
    drop(begun(arguments)?);
    answer("dropped")
}

/// Starts one and returns, with the handle still there.
fn leave(arguments: &Value) -> Result<Output, Error> {
    std::mem::forget(begun(arguments)?);
    answer("left")
}

/// Starts one and crashes.
fn crash(arguments: &Value) -> Result<Output, Error> {
    let running = begun(arguments)?;
    panic!("with {running:?}");
}

/// Writes a line and reads one, so many times.
fn talk(arguments: &Value) -> Result<Output, Error> {
    let mut running = command(arguments).open_stdin().spawn()?;
    let (mut lines, mut heard) = (Lines::default(), Vec::new());
    for n in 0..number(arguments, "n") {
        running.write(format!("line {n}\n").as_bytes())?;
        while heard.len() as u64 <= n {
            match running.next()? {
                Next::Nothing => running.subscribe().block(),
                Next::Event(Event::Stdout(bytes)) => lines.feed(&bytes, |line| {
                    heard.push(line.to_owned());
                    Ok(())
                })?,
                Next::Event(Event::Stderr(_)) => {}
                Next::Over => return answer("over"),
            }
        }
    }
    running.close_stdin();
    let ended = running.finish()?;
    Output::structured(&json!({ "heard": heard, "ended": told(&ended) }))
}

test_guests::tools! {
    "run" => run,
    "collect" => collect,
    "lines" => lines,
    "flood" => flood,
    "many" => many,
    "fill" => fill,
    "hold" => hold,
    "finish" => finish,
    "drop" => dropped,
    "leave" => leave,
    "crash" => crash,
    "talk" => talk,
}
