//! Returns too much: one long text, very many blocks, or a text that claims to be longer than memory.

use hubcap_sdk::{Content, Error, Output};
use test_guests::{Value, number};

fn text(arguments: &Value) -> Result<Output, Error> {
    Ok(Output::text("x".repeat(number(arguments, "bytes") as usize)))
}

fn blocks(arguments: &Value) -> Result<Output, Error> {
    let content = vec![Content::Text(String::new()); number(arguments, "blocks") as usize];
    Ok(Output { content, structured: None, meta: Vec::new() })
}

/// A string of 2 GiB less one byte that is not there.
fn claim(_: &Value) -> Result<Output, Error> {
    let bytes = Box::leak(Box::new([b'x'; 16]));
    // SAFETY: none. The length is a lie, and the host has to find out.
    let lie = unsafe { String::from_raw_parts(bytes.as_mut_ptr(), i32::MAX as usize, i32::MAX as usize) };
    Ok(Output::text(lie))
}

test_guests::tools! { "text" => text, "blocks" => blocks, "claim" => claim }
