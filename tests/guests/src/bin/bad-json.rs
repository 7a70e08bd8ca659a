//! Returns structured results that are no JSON, or JSON that no parser should follow to its end.

use hubcap_sdk::{Error, Output};
use test_guests::{Value, text};

fn run(arguments: &Value) -> Result<Output, Error> {
    let json = match text(arguments, "case") {
        "truncated" => "{\"a\":".to_owned(),
        "nan" => "{\"a\":NaN}".to_owned(),
        "deep" => format!("{}{}", "[".repeat(99_000), "]".repeat(99_000)),
        "twice" => "{\"a\":\"first\",\"a\":\"last\"}".to_owned(),
        "infinite" => "{\"a\":1e999}".to_owned(),
        "long-number" => format!("{{\"a\":{}}}", "9".repeat(1_000_000)),
        "longer-number" => format!("{{\"a\":{}}}", "9".repeat(10 << 20)),
        "trailing" => "{} {}".to_owned(),
        _ => "{\"a\":1}".to_owned(),
    };
    Ok(Output { content: Vec::new(), structured: Some(json), meta: Vec::new() })
}

test_guests::tools! { "run" => run }
