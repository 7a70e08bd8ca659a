struct Arguments {
    name: String,
}

/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(#[args] arguments: Arguments) -> String { //~
    format!("Hello, {}!", arguments.name)
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
