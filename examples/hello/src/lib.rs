//! The smallest tool: a typed function with a doc comment.

use hubcap_sdk::tool;

/// Greets somebody by name.
#[tool(title = "Greet", pure)]
fn greet(
    /// Who is greeted.
    name: String,
    /// How often; once where absent.
    times: Option<u8>,
) -> String {
    vec![format!("Hello, {name}!"); times.unwrap_or(1).into()].join(" ")
}

hubcap_sdk::plugin!(tools: [greet]);
