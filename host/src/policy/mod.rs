//! What a plugin may do: what its author asks for and its operator grants, and nothing else.
//!
//! Invariant: a thing that was asked for and not granted is not in [`Grants`], and neither is one that was
//! granted and not asked for.

mod commands;
mod hub;
mod missing;
mod question;
mod tools;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::config::{Grant, GrantedHttp, GrantedSecret, Source};
use crate::manifest::{Access, Ask, FileAsk, HeaderName, HttpAsk, Prefix, SecretAsk};
use crate::model::Callee;
use crate::origin::{Method, Origin};

pub use commands::CommandGrant;
pub(crate) use hub::denied as call_denied;
pub use missing::{Missing, Wanted, asked, missing};
pub use question::{Asked, words};
pub use tools::{Rules, Ruling};

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
    /// What it may call through the hub.
    pub hub: BTreeSet<Callee>,
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
            hub: hub::edges(ask, grant),
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
        let hub = self.hub.iter().map(|callee| format!("calls of {callee}"));
        kv.chain(http).chain(files).chain(secrets).chain(process).chain(hub).collect()
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
