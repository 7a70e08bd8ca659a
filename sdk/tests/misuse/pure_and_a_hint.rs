/// Greets somebody by name.
#[hubcap_sdk::tool(pure, destructive)] //~
fn greet(name: String) -> String {
    format!("Hello, {name}!")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
