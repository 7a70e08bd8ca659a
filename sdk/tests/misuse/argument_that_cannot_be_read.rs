struct Name(String);

/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(
    times: u8,
    name: Option<Name>, //~
) -> String {
    let name = name.map(|name| name.0).unwrap_or_default();
    format!("Hello, {name}! {times}")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
