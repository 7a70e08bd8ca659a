use hubcap_sdk::Request;

/// Says nothing.
#[hubcap_sdk::model]
fn silent(_request: Request) -> String { //~
    String::new()
}

hubcap_sdk::plugin!(models: [silent]);

fn main() {}
