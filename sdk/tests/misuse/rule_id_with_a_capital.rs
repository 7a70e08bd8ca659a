use hubcap_sdk::{Artifact, Found};

/// Finds nothing.
#[hubcap_sdk::rule(id = "Nothing")] //~
fn nothing(_artifact: &Artifact) -> Vec<Found> {
    Vec::new()
}

hubcap_sdk::plugin!(rules: [nothing]);

fn main() {}
