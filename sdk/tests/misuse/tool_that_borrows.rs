/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(name: &str, times: &[u32]) -> String { //~
    format!("Hello, {name}! {times:?}")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
