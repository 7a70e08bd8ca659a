use hubcap_sdk::Context;

/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(
    name: String,
    first: Context,
    second: Context, //~
) -> String {
    format!("Hello, {name}! {} {}", first.depth, second.depth)
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
