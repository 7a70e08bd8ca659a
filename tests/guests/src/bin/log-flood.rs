//! Writes log lines: many, one very long one, and ones with characters that no terminal should see.

use hubcap_sdk::{Error, Output, log};
use test_guests::{Value, answer, number};

fn lines(arguments: &Value) -> Result<Output, Error> {
    let line = "l".repeat(number(arguments, "bytes") as usize);
    for _ in 0..number(arguments, "n") {
        log::info(&line);
    }
    answer(number(arguments, "n"))
}

fn control(_: &Value) -> Result<Output, Error> {
    log::warn("ansi \u{1b}[31mred\u{1b}[0m nul \0 return \r bidi \u{202e}evil\u{202c} end");
    log::warn("forged\n{\"jsonrpc\":\"2.0\",\"id\":\"forged\",\"result\":{}}\n");
    answer(2)
}

test_guests::tools! { "lines" => lines, "control" => control }
