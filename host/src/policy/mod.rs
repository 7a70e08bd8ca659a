//! What a plugin may do: what its author asks for and its operator grants, and nothing else.
//!
//! Invariant: a thing that was asked for and not granted is not in [`Grants`], and neither is one that was
//! granted and not asked for.

mod commands;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::config::{Grant, GrantedHttp, GrantedSecret, Source};
use crate::manifest::{Access, Ask, FileAsk, HeaderName, HttpAsk, Prefix, SecretAsk, Why};
use crate::model::text;
use crate::origin::{Method, Origin};
use crate::program::Shape;
use crate::units;

pub use commands::CommandGrant;

/// What a plugin may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Requests that it may send.
    pub http: Vec<HttpGrant>,
    /// Directories that it may work in.
    pub files: Vec<FileGrant>,
    /// Secrets that its requests get, or that it may see.
    pub secrets: Vec<SecretGrant>,
    /// Commands that it may run.
    pub process: Vec<CommandGrant>,
    /// Bytes of state.
    pub kv: Option<u64>,
}

/// Requests to one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpGrant {
    /// Where to.
    pub origin: Origin,
    /// What kinds of requests.
    pub methods: BTreeSet<Method>,
    /// A file of certificates that are trusted besides the system's.
    pub ca: Option<PathBuf>,
    /// Addresses that are not public and may still be connected to.
    pub addresses: BTreeSet<IpAddr>,
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileGrant {
    /// What the plugin calls it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it may be written to.
    pub write: bool,
    /// Bytes that may be in it, where it may be written to.
    pub quota: u64,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretGrant {
    /// What the plugin calls it.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// Where the host puts it.
    pub bound: Option<Bound>,
    /// Whether the plugin may see it.
    pub reveal: bool,
}

/// Where the host puts a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The origin whose requests get it.
    pub origin: Origin,
    /// The header.
    pub header: HeaderName,
    /// What stands before it there.
    pub prefix: Prefix,
}

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

impl Grants {
    /// What was asked for and is granted.
    pub fn of(ask: &Ask, grant: &Grant) -> Self {
        Self {
            http: grant
                .http
                .iter()
                .flat_map(|granted| ask.http.iter().filter_map(|asked| http(asked, granted)))
                .collect(),
            files: ask.files.iter().filter_map(|asked| files(asked, grant)).collect(),
            secrets: ask.secrets.iter().filter_map(|asked| secret(asked, grant)).collect(),
            process: ask.process.iter().filter_map(|asked| commands::granted(asked, grant)).collect(),
            kv: ask.kv().zip(grant.kv()).map(|(asked, granted)| asked.min(granted)),
        }
    }

    /// What there is, in words.
    pub fn describe(&self) -> Vec<String> {
        let methods =
            |grant: &HttpGrant| grant.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let kv = self.kv.iter().map(|bytes| format!("{bytes} bytes of state"));
        let http = self.http.iter().map(|grant| format!("{} requests to {}", methods(grant), grant.origin));
        let files = self.files.iter().map(|grant| {
            let what = if grant.write { "read and write" } else { "read" };
            format!("to {what} {:?}: {}", grant.name, grant.path.display())
        });
        let secrets = self.secrets.iter().map(|grant| {
            let seen = if grant.reveal { ", which it may see" } else { "" };
            format!("the secret {:?}{seen}", grant.name)
        });
        let process = self.process.iter().map(commands::describe);
        kv.chain(http).chain(files).chain(secrets).chain(process).collect()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn http(asked: &HttpAsk, granted: &GrantedHttp) -> Option<HttpGrant> {
    let methods: BTreeSet<Method> = match &granted.methods {
        Some(methods) => asked.methods.intersection(methods).cloned().collect(),
        None => asked.methods.clone(),
    };
    let origin = asked.url.narrowed(&granted.url).filter(|_| !methods.is_empty())?;
    Some(HttpGrant { origin, methods, ca: granted.ca.clone(), addresses: granted.addresses.clone() })
}

fn files(asked: &FileAsk, grant: &Grant) -> Option<FileGrant> {
    let granted = grant.files.get(&asked.name)?;
    Some(FileGrant {
        name: asked.name.as_str().to_owned(),
        path: granted.path.clone(),
        write: granted.write && asked.access == Access::Write,
        quota: granted.quota,
    })
}

/// The operator says where a secret goes; where nothing is said, it goes where the author asked.
fn secret(asked: &SecretAsk, grant: &Grant) -> Option<SecretGrant> {
    let granted: &GrantedSecret = grant.secrets.get(&asked.name)?;
    let origin = granted.url.clone().or_else(|| asked.url.clone());
    let header = granted.header.clone().or_else(|| asked.header.clone());
    let prefix = granted.prefix.clone().unwrap_or_else(|| asked.prefix.clone());
    Some(SecretGrant {
        name: asked.name.as_str().to_owned(),
        source: granted.source.clone(),
        bound: origin.zip(header).map(|(origin, header)| Bound { origin, header, prefix }),
        reveal: granted.reveal && asked.reveal,
    })
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
    kv.chain(http).chain(files).chain(secrets).chain(process.map(commands::missing)).collect()
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
    kv.into_iter().chain(http).chain(files).chain(secrets).chain(process).collect()
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

fn why(given: Option<&Why>) -> Option<String> {
    given.map(|why| why.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Grants, missing};
    use crate::config::Config;
    use crate::manifest::Manifest;
    use crate::model::PluginId;
    use crate::origin::Method;

    const ASK: &str = "id = \"x\"\nversion = \"1.0.0\"\n[ask]\nkv = \"1MiB\"\n\
        [[ask.http]]\nurl = \"https://api.example\"\nmethods = [\"GET\", \"POST\"]\nwhy = \"reads issues\"\n\
        [[ask.files]]\nname = \"work\"\naccess = \"write\"\n\
        [[ask.secrets]]\nname = \"token\"\nurl = \"https://api.example\"\nheader = \"authorization\"\nprefix = \"Bearer \"\n";

    fn both(grant: &str) -> (Grants, Vec<String>) {
        let manifest = Manifest::parse("plugin.toml", ASK).unwrap();
        let config =
            Config::parse(Path::new("/etc/hubcap.toml"), &format!("[plugins.x.grant]\n{grant}")).unwrap();
        let grant = config.of(&PluginId::new("x").unwrap()).grant;
        let missing = missing(&manifest.ask, &grant).into_iter().map(|missing| missing.line).collect();
        (Grants::of(&manifest.ask, &grant), missing)
    }

    #[test]
    fn nothing_is_granted_by_asking_and_nothing_by_granting_what_nobody_asked_for() {
        let (grants, missing) = both("");
        assert!(grants.is_empty());
        assert_eq!(
            missing,
            [
                "kv = 1048576",
                "http = [\"https://api.example\"]",
                "files.work = { path = \"/path/to/it\", write = true }",
                "secrets.token = { env = \"NAME_OF_A_VARIABLE\" }",
            ]
        );
        let (grants, _) = both(
            "http = [\"https://other.example\"]\nfiles.other = \"/srv\"\nsecrets.other = { env = \"A\" }\n",
        );
        assert!(grants.is_empty(), "{grants:?}");
    }

    #[test]
    fn what_is_asked_and_granted_is_as_narrow_as_the_narrower_of_both() {
        let (grants, missing) = both(
            "kv = \"2MiB\"\nhttp = [{ url = \"https://api.example\", methods = [\"GET\", \"DELETE\"] }]\nfiles.work = \"/srv/work\"\nsecrets.token = { env = \"T\", reveal = true }\n",
        );
        assert_eq!(grants.kv, Some(1 << 20));
        let methods: Vec<_> = grants.http[0].methods.iter().map(Method::as_str).collect();
        assert_eq!(methods, ["GET"]);
        assert!(!grants.files[0].write && !grants.secrets[0].reveal);
        let bound = grants.secrets[0].bound.as_ref().unwrap();
        assert_eq!(
            (bound.origin.to_string().as_str(), bound.prefix.as_str()),
            ("https://api.example", "Bearer ")
        );
        assert_eq!(missing.len(), 2, "{missing:?}");
    }

    #[test]
    fn a_broad_grant_opens_only_what_was_asked_for() {
        let (grants, _) = both("http = [{ url = \"https://*\", broad = true }]\n");
        assert_eq!(grants.http[0].origin.to_string(), "https://api.example");
    }

    #[test]
    fn with_everything_granted_nothing_is_missing() {
        let (_, missing) = both(
            "kv = \"1MiB\"\nhttp = [\"https://api.example\"]\nfiles.work = { path = \"/srv/work\", write = true }\nsecrets.token = { env = \"T\" }\n",
        );
        assert!(missing.is_empty(), "{missing:?}");
    }
}
