//! `hubcap:plugin/secrets`: secrets that a plugin was granted to see.
//!
//! Invariant: what is not granted and what is not there get the same answer.

use crate::bindings::{self, secrets};
use crate::imports::Imports;
use crate::model::text;

impl secrets::Host for Imports {
    fn exists(&mut self, name: String) -> bool {
        self.secrets.has(&name)
    }

    fn reveal(&mut self, name: String) -> Result<String, bindings::Error> {
        let secret = self.secrets.reveal(&name).map(str::to_owned).ok_or_else(|| denied(&name))?;
        self.has_seen_a_secret = true;
        Ok(secret)
    }
}

fn denied(name: &str) -> bindings::Error {
    let shown = text::one_line(text::truncate(name, 64)).into_owned();
    let message = format!(
        "to see the secret {shown:?} is not granted; the operator adds \
         `secrets.{shown} = {{ env = \"NAME_OF_A_VARIABLE\", reveal = true }}` under this plugin's grant in hubcap.toml"
    );
    tracing::warn!("denied: {message}");
    bindings::Error { code: "denied".into(), message, meta: Vec::new() }
}
