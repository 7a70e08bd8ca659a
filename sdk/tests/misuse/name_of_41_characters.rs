/// Greets somebody by name.
#[hubcap_sdk::tool]
fn greet_somebody_by_a_name_that_is_too_long(name: String) -> String { //~
    format!("Hello, {name}!")
}

hubcap_sdk::plugin!(tools: [greet_somebody_by_a_name_that_is_too_long]);

fn main() {}
