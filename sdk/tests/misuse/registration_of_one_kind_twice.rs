use hubcap_sdk::{Artifact, Found};

struct Validator;

/// Finds nothing.
#[hubcap_sdk::rule]
fn nothing(_artifact: &Artifact) -> Vec<Found> {
    Vec::new()
}

hubcap_sdk::plugin!(
    rules: [nothing],
    validator: Validator, //~
);

fn main() {}
