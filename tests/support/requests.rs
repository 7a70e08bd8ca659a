//! The ground of the tests of requests: a plugin that sends them, and what it is granted.

use serde_json::Value;

use super::guests::wasm;
use super::home::Home;

/// The guest in a home where these origins are asked for, and what the operator grants.
pub(crate) fn home(asked: &[&str], grant: &str) -> Home {
    home_of("requests", asked, grant)
}

/// The same with another guest in its place.
pub(crate) fn home_of(guest: &str, asked: &[&str], grant: &str) -> Home {
    let asks = asked.iter().map(|url| {
        format!("[[ask.http]]\nurl = \"{url}\"\nmethods = [\"GET\", \"POST\"]\nwhy = \"a test\"\n")
    });
    let manifest = format!("id = \"fetch\"\nversion = \"1.0.0\"\n{}", asks.collect::<String>());
    Home::new()
        .file("fetch.wasm", &wasm(guest))
        .file("fetch.toml", manifest.as_bytes())
        .config(&format!("[plugins.fetch.grant]\n{grant}\n"))
        .accept("fetch")
}

/// A home where these origins are asked for and granted, on this machine too.
pub(crate) fn granted(urls: &[&str]) -> Home {
    home(urls, &grants(urls))
}

/// The line that grants these origins on this machine.
pub(crate) fn grants(urls: &[&str]) -> String {
    let grants =
        urls.iter().map(|url| format!("{{ url = \"{url}\", addresses = [\"127.0.0.1\", \"::1\"] }}"));
    format!("http = [{}]", grants.collect::<Vec<_>>().join(", "))
}

/// The body of an answer.
pub(crate) fn body(result: &Value) -> &Value {
    &result["structuredContent"]["body"]
}
