/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet((first, last): (String, String)) -> String { //~
    format!("Hello, {first} {last}!")
}

hubcap_sdk::plugin!(tools: [greet]);

fn main() {}
