struct Failure;

/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet(name: String) -> Result<String, Failure> { //~
    if name.is_empty() { Err(Failure) } else { Ok(name) }
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
