//! A tool that asks another host.

use hubcap_sdk::{Error, http, tool};

/// What is read of the answer; the rest is left alone.
#[derive(serde::Deserialize)]
struct Answer {
    #[serde(rename = "crate")]
    about: About,
}

#[derive(serde::Deserialize)]
struct About {
    max_stable_version: Option<String>,
}

/// Tells the newest stable version of a Rust crate.
#[tool(title = "Newest version")]
fn newest(
    /// Name of the crate.
    name: String,
) -> Result<String, Error> {
    // It becomes a part of the path, so it must not be able to be more than that.
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Err(Error::invalid_arguments(format!("{name:?} is no name of a crate")));
    }
    let url = format!("https://crates.io/api/v1/crates/{name}");
    let answer: Answer = http::get(&url).header("user-agent", "hubcap example").send()?.ok()?.json()?;
    Ok(answer.about.max_stable_version.unwrap_or_else(|| "no stable version yet".to_owned()))
}

hubcap_sdk::plugin!(tools: [newest]);
