struct Greeting(String);

/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(name: String) -> Greeting { //~
    Greeting(format!("Hello, {name}!"))
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
