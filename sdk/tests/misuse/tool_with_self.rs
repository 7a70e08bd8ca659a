/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(&self, name: String) -> String { //~
    format!("Hello, {name}!")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
