use hubcap_sdk::{Completion, Request};

#[hubcap_sdk::model]
fn silent(_request: Request) -> Completion { //~
    Completion::text("")
}

hubcap_sdk::plugin!(models: [silent]);

fn main() {}
