/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet<T: std::fmt::Display>(name: T) -> String { //~
    format!("Hello, {name}!")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
