/// Greets somebody by name.
#[hubcap_sdk::tool(name = "say hello")] //~
fn greet(name: String) -> String {
    format!("Hello, {name}!")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
