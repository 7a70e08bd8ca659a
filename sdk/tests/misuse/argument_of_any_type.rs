/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(name: impl std::fmt::Display) -> String { //~
    format!("Hello, {name}!")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
