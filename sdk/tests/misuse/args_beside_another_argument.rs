/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(#[args] name: String, times: u32) -> String { //~
    format!("Hello, {name}! {times}")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
