use hubcap_sdk::Found;

/// Finds nothing.
#[hubcap_sdk::rule]
fn nothing() -> Vec<Found> { //~
    Vec::new()
}

hubcap_sdk::plugin!(rules: [nothing]);

fn main() {}
