use hubcap_sdk::{Completion, Request};

/// Says nothing.
#[hubcap_sdk::model]
fn silent(_request: Request) -> Completion {
    Completion::text("")
}

/// Says nothing either.
#[hubcap_sdk::model(id = "silent")]
fn mute(_request: Request) -> Completion {
    Completion::text("")
}

hubcap_sdk::plugin!(models: [
    silent,
    mute, //~
]);

fn main() {}
