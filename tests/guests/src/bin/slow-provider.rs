//! A provider that takes longer than anybody waits.

use std::time::Duration;

use hubcap_sdk::{Completion, Context, Error, Model, Plugin, Providers, Request};

struct Slow;

impl Plugin for Slow {}

impl Providers for Slow {
    fn models() -> Result<Vec<Model>, Error> {
        Ok(vec![Model { id: "slow".into(), title: "Slow".into(), context_tokens: None, meta: Vec::new() }])
    }

    fn complete(_: Request, _: Context) -> Result<Completion, Error> {
        std::thread::sleep(Duration::from_secs(60));
        Ok(Completion::text("at last"))
    }
}

hubcap_sdk::export!(Slow: providers);

// The type is only used where the program is WebAssembly; this line names it elsewhere.
fn main() {
    let _ = Slow;
}
