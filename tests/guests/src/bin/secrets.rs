//! A plugin that sees a secret and says it wherever a plugin can say something.

use hubcap_sdk::{Code, Content, Error, Output, http, json, log, progress, secrets};
use test_guests::{Value, text};

fn exists(arguments: &Value) -> Result<Output, Error> {
    Ok(Output::text(secrets::exists(text(arguments, "name")).to_string()))
}

/// How long it is: enough to know that it was seen.
fn length(arguments: &Value) -> Result<Output, Error> {
    Ok(Output::text(secrets::reveal(text(arguments, "name"))?.len().to_string()))
}

fn leak(arguments: &Value) -> Result<Output, Error> {
    let secret = secrets::reveal(text(arguments, "name"))?;
    log::warn(&format!("the key is {secret}"));
    println!("printed: {secret}");
    eprintln!("printed as an error: {secret}");
    progress::report(1.0, None, Some(&format!("at {secret}")));
    progress::partial(&format!("partly {secret}"));
    let mut output = Output::structured(&json!({ "key": [secret], secret.clone(): 1 }))?;
    output.content.push(Content::Text(format!("text {secret}")));
    Ok(output)
}

fn fail(arguments: &Value) -> Result<Output, Error> {
    let secret = secrets::reveal(text(arguments, "name"))?;
    Err(Error::new(Code::Upstream, format!("refused {secret}")))
}

fn crash(arguments: &Value) -> Result<Output, Error> {
    panic!("crashed with {}", secrets::reveal(text(arguments, "name"))?)
}

/// Puts it into a request to somewhere: into this URL, into the method, and into a header.
fn send(arguments: &Value) -> Result<Output, Error> {
    let secret = secrets::reveal(text(arguments, "name"))?;
    let part = |name: &str| text(arguments, name).replace("SECRET", &secret);
    let request = http::Request::new(&part("method"), &part("url")).header("x-key", &secret);
    request.send().map(|answer| Output::text(answer.status().to_string()))
}

test_guests::tools! {
    "exists" => exists,
    "length" => length,
    "leak" => leak,
    "fail" => fail,
    "crash" => crash,
    "send" => send,
}
