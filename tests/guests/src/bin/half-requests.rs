//! Requests that are not brought to their end: parts that are kept, dropped in the wrong order or never
//! finished, and headers where none belong.

use hubcap_sdk::bindings::plugin::wasi::http::outgoing_handler::handle;
use hubcap_sdk::bindings::plugin::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    Scheme,
};
use hubcap_sdk::{Error, Output};
use test_guests::{Value, answer, number, text};

fn wrong(what: &str) -> Error {
    Error::upstream(what)
}

/// A request with these fields to the authority that the arguments name.
fn post(arguments: &Value, fields: Fields) -> Result<OutgoingRequest, Error> {
    let request = OutgoingRequest::new(fields);
    request.set_method(&Method::Post).map_err(|()| wrong("method"))?;
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| wrong("scheme"))?;
    request.set_authority(Some(text(arguments, "authority"))).map_err(|()| wrong("authority"))?;
    request.set_path_with_query(Some("/")).map_err(|()| wrong("path"))?;
    Ok(request)
}

fn answered(future: &FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    future.subscribe().block();
    future.get().and_then(Result::ok).unwrap_or(Err(ErrorCode::ConfigurationError))
}

/// Sends a part of a body, and waits for an answer without ever sending the rest.
fn unfinished(arguments: &Value) -> Result<Output, Error> {
    let request = post(arguments, Fields::new())?;
    let body = request.body().map_err(|()| wrong("body"))?;
    let stream = body.write().map_err(|()| wrong("stream"))?;
    let future = handle(request, None)?;
    stream.blocking_write_and_flush(b"part")?;
    answer(answered(&future)?.status())
}

/// Gets an answer, and returns with every part of it and of its request still held.
fn kept(arguments: &Value) -> Result<Output, Error> {
    let request = post(arguments, Fields::new())?;
    let body = request.body().map_err(|()| wrong("body"))?;
    let stream = body.write().map_err(|()| wrong("stream"))?;
    let future = handle(request, None)?;
    stream.blocking_write_and_flush(b"part")?;
    let response = answered(&future)?;
    let incoming = response.consume().map_err(|()| wrong("consume"))?;
    let reading = incoming.stream().map_err(|()| wrong("reading"))?;
    std::mem::forget((body, stream, future, response, incoming, reading));
    answer("kept")
}

/// Drops one part before those that were made of it.
fn order(arguments: &Value) -> Result<Output, Error> {
    let request = post(arguments, Fields::new())?;
    if text(arguments, "first") == "request" {
        let headers = request.headers();
        drop(request);
        return answer(headers.entries().len());
    }
    let body = request.body().map_err(|()| wrong("body"))?;
    let stream = body.write().map_err(|()| wrong("stream"))?;
    let future = handle(request, None)?;
    match text(arguments, "first") {
        "request-body" => drop((body, stream)),
        "future" => drop((future, stream, body)),
        part => {
            let response = answered(&future)?;
            let incoming = response.consume().map_err(|()| wrong("consume"))?;
            let reading = incoming.stream().map_err(|()| wrong("reading"))?;
            match part {
                "answer" => drop((response, incoming, reading)),
                _ => drop((incoming, reading, response)),
            }
        }
    }
    answer("dropped")
}

/// A body with a header behind it.
fn trailer(arguments: &Value) -> Result<Output, Error> {
    let trailers = Fields::new();
    if let Err(refused) = trailers.append(text(arguments, "name"), b"canary") {
        return answer(format!("{refused:?}"));
    }
    let request = post(arguments, Fields::new())?;
    let body = request.body().map_err(|()| wrong("body"))?;
    let stream = body.write().map_err(|()| wrong("stream"))?;
    let future = handle(request, None)?;
    stream.blocking_write_and_flush(b"part")?;
    drop(stream);
    OutgoingBody::finish(body, Some(trailers))?;
    answer(answered(&future)?.status())
}

/// Very many headers, or one twice.
fn headers(arguments: &Value) -> Result<Output, Error> {
    let fields = Fields::new();
    let names = (0..number(arguments, "count")).map(|n| format!("x-{n}"));
    let twice = [text(arguments, "twice"); 2].into_iter().filter(|name| !name.is_empty());
    for name in names.chain(twice.map(str::to_owned)) {
        if let Err(refused) = fields.append(&name, b"5") {
            return answer(format!("{refused:?}"));
        }
    }
    match handle(post(arguments, fields)?, None).and_then(|future| answered(&future)) {
        Ok(response) => answer(response.status()),
        Err(code) => answer(format!("{code:?}")),
    }
}

test_guests::tools! {
    "unfinished" => unfinished,
    "kept" => kept,
    "order" => order,
    "trailer" => trailer,
    "headers" => headers,
}
