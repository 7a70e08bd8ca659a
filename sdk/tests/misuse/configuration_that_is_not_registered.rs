use hubcap_sdk::{Error, config};

struct Settings {
    loud: bool,
}

/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(name: String) -> Result<String, Error> {
    let loud = config::get::<Settings>()?.loud; //~
    Ok(format!("Hello, {name}! {loud}"))
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
