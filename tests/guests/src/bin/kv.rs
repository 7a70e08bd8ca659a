//! Uses state: one tool for each function, and some that use it hard.

use hubcap_sdk::{Error, Output, kv};
use test_guests::{Value, answer, number, text};

/// A value of the arguments: text, or so many bytes.
fn value(arguments: &Value) -> Vec<u8> {
    match arguments["value"].as_str() {
        Some(text) => text.into(),
        None => vec![b'x'; number(arguments, "bytes") as usize],
    }
}

fn get(arguments: &Value) -> Result<Output, Error> {
    let value = kv::get(text(arguments, "key"))?;
    answer(value.map_or("none".into(), |value| String::from_utf8_lossy(&value).into_owned()))
}

fn set(arguments: &Value) -> Result<Output, Error> {
    kv::set(text(arguments, "key"), value(arguments))?;
    answer("set")
}

fn delete(arguments: &Value) -> Result<Output, Error> {
    kv::delete(text(arguments, "key"))?;
    answer("deleted")
}

fn list(arguments: &Value) -> Result<Output, Error> {
    let keys: Vec<String> = kv::list(text(arguments, "prefix")).collect::<Result<_, _>>()?;
    answer(keys.join(" "))
}

fn increment(arguments: &Value) -> Result<Output, Error> {
    answer(kv::increment(text(arguments, "key"), arguments["by"].as_i64().unwrap_or(1))?)
}

fn swap(arguments: &Value) -> Result<Output, Error> {
    let expected = arguments["expected"].as_str().map(str::as_bytes);
    answer(kv::compare_and_swap(text(arguments, "key"), expected, value(arguments))?)
}

/// Writes keys until that is refused, and says how many there were and why.
fn fill(arguments: &Value) -> Result<Output, Error> {
    let value = value(arguments);
    for n in 0..number(arguments, "keys") {
        if let Err(error) = kv::set(&format!("{n:07}"), &value) {
            return answer(format!("{n} {error}"));
        }
    }
    answer("all")
}

/// Adds to two counters, to one of them by swapping text that holds it.
fn hammer(arguments: &Value) -> Result<Output, Error> {
    for _ in 0..number(arguments, "times") {
        kv::increment("sum", 1)?;
        loop {
            let held: Option<u64> = kv::get_json("text")?;
            let before = held.map(|held| held.to_string());
            let after = (held.unwrap_or(0) + 1).to_string();
            if kv::compare_and_swap("text", before.as_deref().map(str::as_bytes), after)? {
                break;
            }
        }
    }
    answer("hammered")
}

test_guests::tools! {
    "get" => get,
    "set" => set,
    "delete" => delete,
    "list" => list,
    "increment" => increment,
    "swap" => swap,
    "fill" => fill,
    "hammer" => hammer,
}
