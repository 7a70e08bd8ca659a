use hubcap_sdk::Artifact;

/// Finds nothing.
#[hubcap_sdk::rule]
fn nothing(artifact: &Artifact) -> bool { //~
    artifact.text.is_empty()
}

hubcap_sdk::plugin!(rules: [nothing]);

fn main() {}
