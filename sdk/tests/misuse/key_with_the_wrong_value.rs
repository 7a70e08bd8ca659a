/// Greets somebody by name.
#[hubcap_sdk::tool(read_only = "yes")] //~
fn greet(name: String) -> String {
    format!("Hello, {name}!")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
