//! A tool that asks a server with a secret, and never sees it.

use hubcap_sdk::{Error, config, http, tool};

/// `[plugins.tickets.config]` of the operator's file.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default = "server")]
    server: String,
}

fn server() -> String {
    "https://tickets.example".into()
}

/// A ticket, as the server has it; the rest of it is left alone.
#[derive(serde::Deserialize)]
struct Ticket {
    number: u64,
    title: String,
}

/// Lists the open tickets, newest first, a line each.
#[tool(title = "Open tickets", read_only)]
fn open() -> Result<String, Error> {
    // The host adds the header `authorization`: there is nothing to do here.
    let url = format!("{}/open", config::get::<Settings>()?.server);
    let mut tickets: Vec<Ticket> = http::get(&url).send()?.ok()?.json()?;
    tickets.sort_by_key(|ticket| std::cmp::Reverse(ticket.number));
    let lines = tickets.iter().map(|ticket| format!("#{} {}\n", ticket.number, ticket.title));
    Ok(lines.collect())
}

hubcap_sdk::plugin!(tools: [open], config: Settings);
