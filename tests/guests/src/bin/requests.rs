//! Requests to other hosts: the well-behaved ones of the SDK, and those that only bad guests send.

use std::time::Duration;

use hubcap_sdk::bindings::plugin::wasi::clocks::monotonic_clock::subscribe_duration;
use hubcap_sdk::bindings::plugin::wasi::http::outgoing_handler::handle;
use hubcap_sdk::bindings::plugin::wasi::http::types::{
    Fields, FutureIncomingResponse, Method, OutgoingRequest, RequestOptions, Scheme,
};
use hubcap_sdk::handle::join;
use hubcap_sdk::{Error, Output, http, json, progress};
use test_guests::{Value, answer, number, text};

fn request(arguments: &Value) -> http::Request {
    let method = arguments["method"].as_str().unwrap_or("GET");
    let mut request = http::Request::new(method, text(arguments, "url"));
    for (name, value) in arguments["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap_or_default());
    }
    if let Some(body) = arguments["body"].as_str() {
        request = request.body(body);
    }
    match arguments["timeout-ms"].as_u64() {
        Some(time) => request.timeout(Duration::from_millis(time)),
        None => request,
    }
}

/// One request, all of its answer.
fn one(arguments: &Value) -> Result<Output, Error> {
    let answer = request(arguments).send()?;
    let (status, url) = (answer.status(), answer.url());
    let kind = answer.header("content-type").map(str::to_owned);
    Output::structured(&json!({ "status": status, "url": url, "type": kind, "body": answer.text()? }))
}

/// How many bytes an answer has.
fn size(arguments: &Value) -> Result<Output, Error> {
    answer(request(arguments).send()?.bytes()?.len())
}

/// The size of an upload, and what came back.
fn upload(arguments: &Value) -> Result<Output, Error> {
    let body = vec![b'u'; number(arguments, "bytes") as usize];
    answer(request(arguments).body(body).send()?.ok()?.text()?)
}

/// Several at once.
fn several(arguments: &Value) -> Result<Output, Error> {
    let started = (0..number(arguments, "count")).map(|_| request(arguments).start());
    let started = started.collect::<Result<Vec<_>, _>>()?;
    let ended = join(started, |_, never| match never {});
    let statuses = ended.into_iter().map(|end| Ok(end?.status())).collect::<Result<Vec<_>, Error>>()?;
    answer(format!("{statuses:?}"))
}

/// A request as a bad guest writes it: the parts as they are given.
fn raw(arguments: &Value) -> Result<OutgoingRequest, String> {
    let fields = Fields::new();
    for (name, value) in arguments["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default().as_bytes().to_vec();
        fields.append(name, &value).map_err(|error| format!("{error:?}"))?;
    }
    let request = OutgoingRequest::new(fields);
    let method = match text(arguments, "method") {
        "" => Method::Get,
        "CONNECT" => Method::Connect,
        "TRACE" => Method::Trace,
        other => Method::Other(other.to_owned()),
    };
    let refused = |what: &'static str| move |()| what.to_owned();
    request.set_method(&method).map_err(refused("method"))?;
    request.set_scheme(Some(&Scheme::Http)).map_err(refused("scheme"))?;
    request.set_authority(Some(text(arguments, "authority"))).map_err(refused("authority"))?;
    request.set_path_with_query(Some(text(arguments, "path"))).map_err(refused("path"))?;
    Ok(request)
}

/// What becomes of a bad request: refused in a part, or with a code, or a status.
fn bad(arguments: &Value) -> Result<Output, Error> {
    let end = raw(arguments).and_then(|request| {
        let options = RequestOptions::new();
        for nanos in [0, u64::MAX] {
            let _ = options.set_first_byte_timeout(Some(nanos));
            let _ = options.set_connect_timeout(Some(nanos));
        }
        let future = handle(request, Some(options)).map_err(|code| format!("{code:?}"))?;
        status(&future)
    });
    answer(end.unwrap_or_else(|refused| refused))
}

fn status(future: &FutureIncomingResponse) -> Result<String, String> {
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => Ok(response.status().to_string()),
        Some(Ok(Err(code))) => Err(format!("{code:?}")),
        other => Err(format!("{other:?}")),
    }
}

/// Many requests without a look at their answers; then what became of each, counted.
fn flood(arguments: &Value) -> Result<Output, Error> {
    let (mut waiting, mut refused) = (Vec::new(), 0_u64);
    for _ in 0..number(arguments, "count") {
        let future = raw(arguments).ok().and_then(|request| handle(request, None).ok());
        let Some(future) = future else { continue };
        // The host refuses at once, and tells when it is asked.
        if waiting.len() < 100 {
            waiting.push(future);
        } else {
            refused += 1;
        }
    }
    let ends: Vec<_> = waiting.iter().map(status).collect();
    let answered = ends.iter().filter(|end| end.is_ok()).count();
    let limited =
        ends.iter().filter(|end| end.as_ref().is_err_and(|code| code.contains("ConnectionLimit"))).count();
    answer(format!("{answered} answered, {limited} limited, {refused} not looked at"))
}

/// Reads the start of an answer and sleeps on it.
fn hold(arguments: &Value) -> Result<Output, Error> {
    let mut answer = request(arguments).send()?;
    answer.chunk()?;
    progress::report(1.0, None, None);
    subscribe_duration(Duration::from_secs(600).as_nanos() as u64).block();
    Ok(Output::text("slept"))
}

/// Begins an upload without announcing its length, sends a part of it and crashes.
fn crash(arguments: &Value) -> Result<Output, Error> {
    let request = raw(arguments).map_err(Error::upstream)?;
    request.set_method(&Method::Post).map_err(|()| Error::upstream("method"))?;
    let body = request.body().map_err(|()| Error::upstream("body"))?;
    let _future = handle(request, None)?;
    let stream = body.write().map_err(|()| Error::upstream("stream"))?;
    stream.blocking_write_and_flush(b"part")?;
    subscribe_duration(Duration::from_millis(200).as_nanos() as u64).block();
    panic!("in the middle of it");
}

test_guests::tools! {
    "one" => one,
    "size" => size,
    "upload" => upload,
    "several" => several,
    "bad" => bad,
    "flood" => flood,
    "hold" => hold,
    "crash" => crash,
}
