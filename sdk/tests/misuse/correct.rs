/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(name: String) -> String {
    format!("Hello, {name}!")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
