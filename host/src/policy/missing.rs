//! What was asked for and is not granted, in words and as the line that would grant it.
//!
//! Invariant: every line that is shown here is one that the operator's file takes.

use std::collections::BTreeSet;

use super::{Bound, Grants, HttpGrant, commands, hub};
use crate::config::Grant;
use crate::manifest::{Access, Ask, FileAsk, HttpAsk, SecretAsk, Why};
use crate::model::{Callee, CalleeKind, text};
use crate::origin::{Method, Origin};
use crate::program::Shape;
use crate::units;

/// Something that was asked for and is not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What it is, for people.
    pub what: String,
    /// What the author wants it for.
    pub why: Option<String>,
    /// What the operator would write under `[plugins.<id>.grant]`.
    pub line: String,
    /// The same for programs.
    pub wanted: Wanted,
}

/// Something that can be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Bytes of state.
    State(u64),
    /// Requests to an origin.
    Http {
        /// Where to.
        origin: Origin,
        /// What kinds of requests.
        methods: BTreeSet<Method>,
    },
    /// A directory.
    Files {
        /// What the plugin calls it.
        name: String,
        /// Whether it is written to.
        write: bool,
    },
    /// A secret.
    Secret {
        /// What the plugin calls it.
        name: String,
        /// Where the author wants it to go.
        bound: Option<Bound>,
        /// Whether the plugin has to see it.
        reveal: bool,
    },
    /// Calls through the hub.
    Hub {
        /// Of what sort.
        kind: CalleeKind,
        /// Of what; of what the operator names, where absent.
        callee: Option<Callee>,
    },
    /// A command.
    Command {
        /// What the plugin calls it.
        name: String,
        /// Its arguments, as the author asks for them.
        args: Shape,
        /// Variables that the plugin sets.
        env: Vec<String>,
    },
}

/// What was asked for and is not granted, or not in full.
pub fn missing(ask: &Ask, grant: &Grant) -> Vec<Missing> {
    let grants = Grants::of(ask, grant);
    let kv = ask.kv().filter(|asked| grants.kv.is_none_or(|granted| granted < *asked));
    let kv = kv.into_iter().map(missing_kv);
    let asked = ask.http.iter().filter(|asked| !grants.allow(asked));
    let http = asked.map(missing_http);
    let has = |asked: &FileAsk| {
        let write = asked.access == Access::Write;
        grants.files.iter().any(|granted| granted.name == asked.name.as_str() && granted.write == write)
    };
    let files = ask.files.iter().filter(|asked| !has(asked)).map(missing_files);
    let has = |asked: &SecretAsk| {
        grants
            .secrets
            .iter()
            .any(|granted| granted.name == asked.name.as_str() && granted.reveal == asked.reveal)
    };
    let secrets = ask.secrets.iter().filter(|asked| !has(asked)).map(missing_secret);
    let process = ask.process.iter().filter(|asked| !commands::is_granted(asked, &grants.process));
    let process = process.map(commands::missing);
    kv.chain(http).chain(files).chain(secrets).chain(process).chain(hub::missing(ask, &grants.hub)).collect()
}

/// All that is asked for, each in a line of its own that says everything but what for.
pub fn asked(ask: &Ask) -> BTreeSet<String> {
    let secret = |asked: &SecretAsk| {
        let what = missing_secret(asked).what;
        let header = asked.header.as_ref();
        let header = header.map(|header| format!(", as `{}: {}…`", header.as_str(), asked.prefix.as_str()));
        text::one_line(&format!("{what}{}", header.unwrap_or_default())).into_owned()
    };
    let kv = ask.kv().map(|bytes| missing_kv(bytes).what);
    let http = ask.http.iter().map(|asked| missing_http(asked).what);
    let files = ask.files.iter().map(|asked| missing_files(asked).what);
    let secrets = ask.secrets.iter().map(secret);
    let process = ask.process.iter().map(|asked| commands::missing(asked).what);
    let hub = ask.hub.iter().map(|asked| hub::wanted(asked).what);
    kv.into_iter().chain(http).chain(files).chain(secrets).chain(process).chain(hub).collect()
}

impl Grants {
    /// Whether everything that is asked for here is granted.
    fn allow(&self, asked: &HttpAsk) -> bool {
        let to = |granted: &&HttpGrant| granted.origin == asked.url;
        let methods: BTreeSet<&Method> =
            self.http.iter().filter(to).flat_map(|granted| &granted.methods).collect();
        asked.methods.iter().all(|method| methods.contains(method))
    }
}

fn missing_kv(bytes: u64) -> Missing {
    let size = units::show_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
    Missing {
        what: format!("{size} of state"),
        why: None,
        line: format!("kv = {bytes}"),
        wanted: Wanted::State(bytes),
    }
}

fn missing_http(asked: &HttpAsk) -> Missing {
    let methods: Vec<&str> = asked.methods.iter().map(Method::as_str).collect();
    let line = match asked.url.host {
        Some(_) => format!("http = [\"{}\"]", asked.url),
        None => format!("http = [{{ url = \"{}\", broad = true }}]", asked.url),
    };
    Missing {
        what: format!("{} requests to {}", methods.join(", "), asked.url),
        why: why(asked.why.as_ref()),
        line,
        wanted: Wanted::Http { origin: asked.url.clone(), methods: asked.methods.clone() },
    }
}

fn missing_files(asked: &FileAsk) -> Missing {
    let name = asked.name.as_str();
    let (what, line) = match asked.access {
        Access::Read => {
            (format!("to read the directory {name:?}"), format!("files.{name} = \"/path/to/it\""))
        }
        Access::Write => (
            format!("to read and write the directory {name:?}"),
            format!("files.{name} = {{ path = \"/path/to/it\", write = true }}"),
        ),
    };
    let wanted = Wanted::Files { name: name.to_owned(), write: asked.access == Access::Write };
    Missing { what, why: why(asked.why.as_ref()), line, wanted }
}

fn missing_secret(asked: &SecretAsk) -> Missing {
    let name = asked.name.as_str();
    let bound = bound(asked);
    let carried = bound.as_ref().map(|Bound { origin, header, prefix }| {
        format!(", carried by requests to {origin} as `{}: {}…`", header.as_str(), prefix.as_str())
    });
    let seen = if asked.reveal { ", which it sees itself" } else { ", which it does not see" };
    let goes = carried.unwrap_or_default() + seen;
    let reveal = if asked.reveal { ", reveal = true" } else { "" };
    Missing {
        what: format!("the secret {name:?}{goes}"),
        why: why(asked.why.as_ref()),
        line: format!("secrets.{name} = {{ env = \"NAME_OF_A_VARIABLE\"{reveal} }}"),
        wanted: Wanted::Secret { name: name.to_owned(), bound, reveal: asked.reveal },
    }
}

/// Where an author wants a secret to go.
fn bound(asked: &SecretAsk) -> Option<Bound> {
    let (origin, header) = asked.url.clone().zip(asked.header.clone())?;
    Some(Bound { origin, header, prefix: asked.prefix.clone() })
}

pub(super) fn why(given: Option<&Why>) -> Option<String> {
    given.map(|why| why.as_str().to_owned())
}
