use hubcap_sdk::Context;

/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(
    context: Context,
    name: String, //~
) -> String {
    format!("Hello, {name}! {}", context.depth)
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
