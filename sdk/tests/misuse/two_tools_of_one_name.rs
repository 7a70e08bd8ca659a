/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(name: String) -> String {
    format!("Hello, {name}!")
}

/// Greets everybody.
#[hubcap_sdk::tool(name = "Greet")]
fn greet_all() -> String {
    "Hello!".to_owned()
}

hubcap_sdk::plugin!(tools: [
    greet,
    greet_all, //~
]);

fn main() {}
