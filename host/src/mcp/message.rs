//! What a line asks for: judged by the rules of JSON-RPC and MCP, and typed.
//!
//! Invariant: a request that comes out has an id that is fit to be repeated, and params of the right
//! types; everything else is an answer that is ready to be sent, or nothing.

use std::borrow::Cow;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, DiscoverRequest, ErrorCode, ErrorData, GetMeta,
    InitializeRequest, InitializeRequestParams, ListToolsRequest, MetaObject, PaginatedRequestParams,
    PingRequest, ProgressToken, RequestId, RequestMetaObject,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::approval;
use super::json::{self, Envelope, MAX_VALUES, ParseError, Parsed};
use crate::model::text;

/// Bytes of an id or a progress token; both are repeated in what we send.
const MAX_ID: usize = 256;

/// Bytes of a tool's name, beyond which no tool has it. Names that we offer are far shorter.
const MAX_TOOL_NAME: usize = 256;

/// Bytes that a key or a value holds beside its text, at most: an object with one member has three of them.
const VALUE: usize = 256;

/// Characters of the client's own words that an error repeats.
const MAX_QUOTE: usize = 200;

/// What a line asks for.
#[derive(Debug)]
pub(super) enum Inbound {
    /// Work.
    Request(Box<Request>),
    /// To give up the request with this id.
    Cancel(RequestId),
    /// To be told what is wrong with it.
    Refuse(Refusal),
    /// To hear the answer to a question of ours, if it is one: nothing where it is an error.
    Answer(RequestId, Option<Value>),
    /// Nothing: a notification without consequences.
    Ignore,
}

/// A request, typed.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) id: RequestId,
    pub(super) body: ClientRequest,
    /// Bytes that it holds, about.
    pub(super) weight: usize,
}

/// An answer that says no.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    jsonrpc: &'static str,
    /// `null` where the request has none, or none that can be repeated.
    pub(super) id: Option<RequestId>,
    pub(super) error: ErrorData,
}

impl Refusal {
    /// The answer `error` to the request with this id.
    pub(super) fn new(id: Option<RequestId>, error: ErrorData) -> Self {
        Self { jsonrpc: "2.0", id, error }
    }
}

/// In `_meta`: which revision of MCP a request speaks.
pub(super) const REVISION: &str = "io.modelcontextprotocol/protocolVersion";

/// In `_meta`: what progress of a request is to be called.
const TOKEN: &str = "progressToken";

type Params = Map<String, Value>;

/// Reads and judges a line.
pub(super) fn read(line: &[u8]) -> Inbound {
    match json::parse(line) {
        Ok(Parsed::Object(envelope)) => judge(envelope, line.len()),
        Ok(Parsed::Array) => refuse(None, invalid("batches are not supported; send one message a line")),
        Ok(Parsed::Scalar) => refuse(None, invalid("a message has to be a JSON object")),
        Err(ParseError::NumberRange) => refuse(None, invalid("a number is out of range")),
        Err(ParseError::Malformed(why)) => {
            refuse(None, ErrorData::parse_error(format!("the line is not valid JSON: {why}"), None))
        }
    }
}

fn judge(envelope: Envelope, bytes: usize) -> Inbound {
    let Envelope { jsonrpc, id, method, params, result, is_reply, has_duplicates, values } = envelope;
    let id = id.as_ref().map(read_id);
    let known = id.clone().flatten();
    if is_reply && method.is_none() {
        // One that is not whole or not clear is as good as an error.
        let result = result.filter(|_| values <= MAX_VALUES && !has_duplicates);
        return known.map_or(Inbound::Ignore, |id| Inbound::Answer(id, result));
    }
    if values > MAX_VALUES {
        let text =
            format!("the message has more than {MAX_VALUES} keys and values; send less in one message");
        return refuse(known, invalid(text));
    }
    let problem = if has_duplicates {
        "a key stands twice in one object; send each key once"
    } else if id == Some(None) {
        "the id has to be a string of at most 256 bytes or an integer of at most 64 bits"
    } else if jsonrpc.as_ref().and_then(Value::as_str) != Some("2.0") {
        "`jsonrpc` has to be \"2.0\""
    } else if is_reply {
        "a message has either a `method` or a `result` or `error`"
    } else if let Some(Value::String(method)) = method {
        return dispatch(&method, known, params, bytes + values * VALUE);
    } else {
        "a message needs a `method`, which is a string"
    };
    refuse(known, invalid(problem))
}

fn dispatch(method: &str, id: Option<RequestId>, params: Option<Value>, weight: usize) -> Inbound {
    let Some(id) = id else { return notification(method, params.as_ref()) };
    let params = match params {
        None => Params::new(),
        Some(Value::Object(params)) => params,
        Some(_) => return refuse(Some(id), bad_params("params have to be an object")),
    };
    match request(method, params) {
        Ok(body) => Inbound::Request(Box::new(Request { id, body, weight })),
        Err(error) => refuse(Some(id), error),
    }
}

/// Of what a client can notify us, only giving up a request has consequences.
fn notification(method: &str, params: Option<&Value>) -> Inbound {
    if method != "notifications/cancelled" {
        return Inbound::Ignore;
    }
    let id = params.and_then(|params| params.get("requestId"));
    id.and_then(read_id).map_or(Inbound::Ignore, Inbound::Cancel)
}

fn request(method: &str, mut params: Params) -> Result<ClientRequest, ErrorData> {
    let meta = read_meta(params.remove("_meta"))?;
    let mut body = match method {
        "tools/call" => ClientRequest::CallToolRequest(CallToolRequest::new(call_params(params)?)),
        "tools/list" => ClientRequest::ListToolsRequest(ListToolsRequest::with_param(list_params(params)?)),
        "ping" => ClientRequest::PingRequest(PingRequest::default()),
        "server/discover" => ClientRequest::DiscoverRequest(DiscoverRequest::default()),
        "initialize" => ClientRequest::InitializeRequest(InitializeRequest::new(initialize_params(params)?)),
        unknown => return Err(unknown_method(unknown)),
    };
    if let Some(meta) = meta {
        *body.get_meta_mut() = meta;
    }
    Ok(body)
}

fn read_meta(meta: Option<Value>) -> Result<Option<RequestMetaObject>, ErrorData> {
    let meta = match meta {
        None => return Ok(None),
        Some(Value::Object(meta)) => meta,
        Some(_) => return Err(bad_params("`_meta` has to be an object")),
    };
    if meta.get(TOKEN).is_some_and(|token| read_id(token).is_none()) {
        return Err(bad_params("`progressToken` has to be a string of at most 256 bytes or an integer"));
    }
    Ok(Some(RequestMetaObject(MetaObject(meta))))
}

fn call_params(mut params: Params) -> Result<CallToolRequestParams, ErrorData> {
    let name = match params.remove("name") {
        Some(Value::String(name)) if name.len() <= MAX_TOOL_NAME => name,
        Some(Value::String(name)) => {
            return Err(bad_params(format!("there is no tool `{}`: no name is that long", quote(&name))));
        }
        _ => return Err(bad_params("tools/call needs `name`, which is a string")),
    };
    let call = approval::retried(&mut params, CallToolRequestParams::new(name)).map_err(bad_params)?;
    match params.remove("arguments") {
        None | Some(Value::Null) => Ok(call),
        Some(Value::Object(arguments)) => Ok(call.with_arguments(arguments)),
        Some(_) => Err(bad_params("`arguments` have to be an object")),
    }
}

fn list_params(mut params: Params) -> Result<PaginatedRequestParams, ErrorData> {
    let list = PaginatedRequestParams::default();
    match params.remove("cursor") {
        None | Some(Value::Null) => Ok(list),
        Some(Value::String(cursor)) => Ok(list.with_cursor(Some(cursor))),
        Some(_) => Err(bad_params("`cursor` has to be a string")),
    }
}

fn initialize_params(params: Params) -> Result<InitializeRequestParams, ErrorData> {
    serde_json::from_value(Value::Object(params))
        .map_err(|error| bad_params(format!("initialize: {}", quote(&error.to_string()))))
}

fn unknown_method(method: &str) -> ErrorData {
    let text = format!("there is no method `{}`; hubcap serves tools/list and tools/call", quote(method));
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, text, None)
}

/// An id or a token that is fit to be repeated.
fn read_id(value: &Value) -> Option<RequestId> {
    match value {
        Value::Number(number) => number.as_i64().map(RequestId::Number),
        Value::String(id) if id.len() <= MAX_ID => Some(RequestId::String(id.as_str().into())),
        _ => None,
    }
}

/// Whether the request says which revision of MCP it speaks, as all do from 2026-07-28 on.
pub(super) fn names_revision(body: &ClientRequest) -> bool {
    body.get_meta().contains_key(REVISION)
}

/// Whether it is a `ping` of the revisions that have it: the answer is empty, and depends on nothing.
pub(super) fn is_plain_ping(body: &ClientRequest) -> bool {
    matches!(body, ClientRequest::PingRequest(_)) && !names_revision(body)
}

/// Puts `key` in the place of the client's progress token, and gives that token.
pub(super) fn swap_token(body: &mut ClientRequest, key: i64) -> Option<ProgressToken> {
    let slot = body.get_meta_mut().get_mut(TOKEN)?;
    let token = read_id(slot)?;
    *slot = key.into();
    Some(ProgressToken(token))
}

fn refuse(id: Option<RequestId>, error: ErrorData) -> Inbound {
    Inbound::Refuse(Refusal::new(id, error))
}

fn invalid(text: impl Into<Cow<'static, str>>) -> ErrorData {
    ErrorData::invalid_request(text, None)
}

fn bad_params(text: impl Into<Cow<'static, str>>) -> ErrorData {
    ErrorData::invalid_params(text, None)
}

fn quote(words: &str) -> String {
    text::clean_and_cut(words, MAX_QUOTE)
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test that cannot go on has failed")]
mod tests {
    use rmcp::model::{ClientRequest, GetMeta, NumberOrString, RequestId};
    use serde_json::{Value, json};

    use super::{Inbound, MAX_ID, MAX_TOOL_NAME, MAX_VALUES, VALUE, read, swap_token};

    fn refusal(line: &str) -> Value {
        match read(line.as_bytes()) {
            Inbound::Refuse(refusal) => json!([refusal.error.code.0, refusal.id]),
            other => panic!("{line} became {other:?}"),
        }
    }

    fn request(line: &str) -> super::Request {
        match read(line.as_bytes()) {
            Inbound::Request(request) => *request,
            other => panic!("{line} became {other:?}"),
        }
    }

    fn with_id(id: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
    }

    #[test]
    fn strings_of_256_bytes_and_integers_are_ids_and_nothing_else_is() {
        let longest = format!("\"{}\"", "x".repeat(MAX_ID));
        for id in ["0", "-5", "9223372036854775807", "\"\"", "\"a\"", &longest] {
            assert_eq!(json!(request(&with_id(id)).id).to_string(), id);
        }
        let too_long = format!("\"{}\"", "x".repeat(MAX_ID + 1));
        for id in ["null", "1.5", "1.0", "1e400", "true", "[]", "{}", "9223372036854775808", &too_long] {
            assert_eq!(refusal(&with_id(id)), json!([-32600, null]), "{id}");
        }
    }

    #[test]
    fn a_line_that_is_no_request_is_refused_with_its_id_where_that_can_be_read() {
        for (line, expected) in [
            ("{", json!([-32700, null])),
            ("[]", json!([-32600, null])),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, json!([-32600, null])),
            ("1", json!([-32600, null])),
            ("{}", json!([-32600, null])),
            (r#"{"jsonrpc":"2.0","id":1}"#, json!([-32600, 1])),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, json!([-32600, 1])),
            (r#"{"id":1,"method":"ping"}"#, json!([-32600, 1])),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, json!([-32600, 1])),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":1}"#, json!([-32600, 1])),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"a":2}}"#, json!([-32600, 1])),
            (r#"{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}"#, json!([-32600, null])),
        ] {
            assert_eq!(refusal(line), expected, "{line}");
        }
    }

    #[test]
    fn methods_and_params_that_are_not_ours_are_refused_by_name() {
        for (method, params, code) in [
            ("prompts/list", "{}", -32601),
            ("tools/Call", "{}", -32601),
            ("tools/call", "{}", -32602),
            ("tools/call", "[]", -32602),
            ("tools/call", r#"{"name":7}"#, -32602),
            ("tools/call", r#"{"name":"a","arguments":[]}"#, -32602),
            ("tools/call", r#"{"name":"a","_meta":1}"#, -32602),
            ("tools/call", r#"{"name":"a","_meta":{"progressToken":1.5}}"#, -32602),
            ("tools/list", r#"{"cursor":1}"#, -32602),
            ("initialize", "{}", -32602),
        ] {
            let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
            assert_eq!(refusal(&line), json!([code, 1]), "{line}");
        }
    }

    #[test]
    fn no_error_repeats_the_clients_words_at_length() {
        let long = "x".repeat(1_000_000);
        for line in [
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{long}"}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":"{long}","method":"ping"}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{long}"}}}}"#),
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"capabilities":"{long}"}}}}"#
            ),
            long.clone(),
        ] {
            let Inbound::Refuse(refusal) = read(line.as_bytes()) else { panic!("{}", &line[..60]) };
            assert!(json!(refusal).to_string().len() < 1000, "{}", &line[..60]);
        }
    }

    #[test]
    fn a_message_of_100000_keys_and_values_is_taken_and_a_larger_one_is_refused() {
        // Beside what is in the array there are the message, seven keys, and seven values.
        let line = |inside: usize| {
            let arguments = format!("[{}0]", "0,".repeat(inside - 1));
            format!(
                r#"{{"method":"tools/call","params":{{"name":"a","arguments":{{"x":{arguments}}}}},"jsonrpc":"2.0","id":"after"}}"#
            )
        };
        let largest = MAX_VALUES - 15;
        let Inbound::Request(taken) = read(line(largest).as_bytes()) else { panic!("it was refused") };
        assert_eq!(taken.weight, line(largest).len() + MAX_VALUES * VALUE);
        let Inbound::Refuse(refusal) = read(line(largest + 1).as_bytes()) else { panic!("it was taken") };
        assert_eq!(json!([refusal.error.code.0, refusal.id]), json!([-32600, "after"]));
        assert!(refusal.error.message.contains("more than 100000 keys and values"), "{refusal:?}");
    }

    #[test]
    fn a_call_keeps_its_arguments_and_may_have_none() {
        let call = |params: &str| {
            let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
            let ClientRequest::CallToolRequest(call) = request(&line).body else { panic!("{line}") };
            (call.params.name.into_owned(), json!(call.params.arguments))
        };
        let longest = "n".repeat(MAX_TOOL_NAME);
        assert_eq!(call(r#"{"name":"a_b","arguments":{"x":[1]}}"#), ("a_b".into(), json!({"x": [1]})));
        assert_eq!(call(r#"{"name":"a_b","arguments":null}"#), ("a_b".into(), json!(null)));
        assert_eq!(call(&format!(r#"{{"name":"{longest}"}}"#)), (longest.clone(), json!(null)));
    }

    #[test]
    fn a_token_is_replaced_by_our_key_and_given_back() {
        let line =
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":"t","k":1}}}"#;
        let mut body = request(line).body;
        let token = swap_token(&mut body, 42);
        assert_eq!(token.map(|token| token.0), Some(NumberOrString::String("t".into())));
        assert_eq!(json!(body.get_meta()), json!({"progressToken": 42, "k": 1}));
        assert_eq!(swap_token(&mut request(&with_id("1")).body, 42), None);
    }

    #[test]
    fn only_giving_up_a_request_has_consequences_among_notifications() {
        let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}"#;
        assert!(matches!(read(cancel.as_bytes()), Inbound::Cancel(RequestId::String(id)) if &*id == "a"));
        for line in [
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/unheard-of","params":[]}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null}}"#,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"x"}}"#,
        ] {
            assert!(matches!(read(line.as_bytes()), Inbound::Ignore), "{line}");
        }
    }
}
