/// Greets somebody by name.
#[hubcap_sdk::tool]
fn grüße(name: String) -> String { //~
    format!("Hello, {name}!")
}

hubcap_sdk::plugin!(tools: [grüße]);

fn main() {}
