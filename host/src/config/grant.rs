//! `[plugins.<id>.grant]`: what the operator allows one plugin.
//!
//! Invariant: whatever would open more than one place is only taken where it is named as such.

mod hub;
mod secret;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::path::{Component, Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::GrantedCommand;
use crate::manifest::{Ask, MAX_STATE, Name};
use crate::origin::{Method, Origin};
use crate::units::{Bytes, BytesWithin};

pub use hub::GrantedHub;
pub use secret::{GrantedSecret, Source};

/// Directories that belong to the system: what is in them is no plugin's business.
pub(super) const SYSTEM: [&str; 3] = ["/dev", "/proc", "/sys"];

/// What the operator allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Bytes of state.
    kv: Option<BytesWithin<1, MAX_STATE>>,
    /// Origins that requests may go to.
    #[serde(default)]
    pub http: Vec<GrantedHttp>,
    /// Directories by the names that the plugin has for them.
    #[serde(default)]
    pub files: BTreeMap<Name, GrantedFiles>,
    /// Secrets by the names that the plugin has for them.
    #[serde(default)]
    pub secrets: BTreeMap<Name, GrantedSecret>,
    /// What may be called through the hub.
    #[serde(default)]
    pub hub: GrantedHub,
    /// Programs by the names that the plugin has for its commands.
    #[serde(default)]
    pub process: BTreeMap<Name, GrantedCommand>,
}

impl Grant {
    /// Bytes of state, if any are granted.
    pub fn kv(&self) -> Option<u64> {
        self.kv.map(|bytes| bytes.0 as u64)
    }

    /// The state that is asked for, and nothing else.
    pub fn of_state(ask: &Ask) -> Self {
        let kv = ask.kv().and_then(|bytes| usize::try_from(bytes).ok()).map(BytesWithin);
        Self { kv, ..Self::default() }
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same with paths that start in the folder of the file.
    ///
    /// # Errors
    /// Which directory is none that can be granted, and why.
    pub(super) fn in_folder(mut self, folder: &Path) -> Result<Self, (Name, String)> {
        let join = |path: &mut PathBuf| *path = folder.join(&*path);
        self.http.iter_mut().filter_map(|http| http.ca.as_mut()).for_each(join);
        for secret in self.secrets.values_mut() {
            if let Source::File(path) = &mut secret.source {
                join(path);
            }
        }
        for (name, files) in &mut self.files {
            join(&mut files.path);
            files.check().map_err(|why| (name.clone(), why))?;
        }
        Ok(self)
    }
}

/// Requests to one origin: `"https://api.github.com"`, or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedHttp {
    /// Where to.
    pub url: Origin,
    /// What kinds of requests; all that are asked for, where absent.
    pub methods: Option<BTreeSet<Method>>,
    /// A file of certificates in PEM that are trusted besides the system's.
    pub ca: Option<PathBuf>,
    /// Addresses that are not public and may still be connected to.
    pub addresses: BTreeSet<IpAddr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHttp {
    url: Origin,
    methods: Option<BTreeSet<Method>>,
    ca: Option<PathBuf>,
    #[serde(default)]
    addresses: BTreeSet<IpAddr>,
    #[serde(default)]
    broad: bool,
}

impl From<&str> for WrittenPath {
    fn from(path: &str) -> Self {
        Self { path: path.into(), write: false, quota: None, broad: false }
    }
}

/// A directory: its path, which is then only read, or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedFiles {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it may be written to.
    pub write: bool,
    /// Bytes that may be in it, where it may be written to.
    pub quota: u64,
    /// Whether the operator knows that it opens much.
    broad: bool,
}

impl GrantedFiles {
    /// Refuses what is the system's, and what holds the user's home unless that is named as broad: as it
    /// is written, and as links lead.
    fn check(&self) -> Result<(), String> {
        let written = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let real = self.path.canonicalize().ok();
        let home = dirs::home_dir().map(|home| home.canonicalize().unwrap_or(home));
        let shown = self.path.display();
        for path in real.into_iter().chain([lexical(&written)]) {
            if SYSTEM.iter().any(|system| path.starts_with(system)) {
                return Err(format!("{shown} belongs to the system and cannot be granted"));
            }
            if !self.broad && home.as_ref().is_some_and(|home| home.starts_with(&path)) {
                return Err(format!(
                    "{shown} is all of the user's home or more; name a directory in it, or write `{{ path = \"…\", broad = true }}`"
                ));
            }
        }
        Ok(())
    }

    /// Whether writing there could change what hubcap itself reads: its `own` files and directories, and
    /// whatever is in those that it `keeps` for itself.
    pub fn endangers(&self, own: &[PathBuf], keeps: &[PathBuf]) -> bool {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| lexical(path));
        let path = real(&self.path);
        let holds = own.iter().chain(keeps).any(|own| real(own).starts_with(&path));
        let inside = keeps.iter().any(|kept| path.starts_with(real(kept)));
        self.write && !self.broad && (holds || inside)
    }
}

/// Bytes that may be in a directory that is written to, where the operator says nothing.
const DEFAULT_QUOTA: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPath {
    path: PathBuf,
    #[serde(default)]
    write: bool,
    quota: Option<Bytes>,
    #[serde(default)]
    broad: bool,
}

impl<'de> Deserialize<'de> for GrantedHttp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = deserializer.deserialize_any(TextOr::<WrittenHttp>::new(|text| {
            Origin::parse(text).map(|url| WrittenHttp {
                url,
                methods: None,
                ca: None,
                addresses: BTreeSet::new(),
                broad: false,
            })
        }))?;
        let WrittenHttp { url, methods, ca, addresses, broad } = written;
        if url.host.is_none() && !broad {
            return Err(de::Error::custom(
                "`*` is every host there is; name hosts, or write `{ url = \"…\", broad = true }`",
            ));
        }
        Ok(Self { url, methods, ca, addresses })
    }
}

impl<'de> Deserialize<'de> for GrantedFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written =
            deserializer.deserialize_any(TextOr::<WrittenPath>::new(|text| Ok(WrittenPath::from(text))))?;
        if written.quota.is_some() && !written.write {
            return Err(de::Error::custom(
                "a quota is for a directory that may be written to: add `write = true`",
            ));
        }
        let quota = written.quota.map_or(DEFAULT_QUOTA, |Bytes(bytes)| bytes as u64);
        Ok(Self { path: written.path, write: written.write, quota, broad: written.broad })
    }
}

/// A path without `.` and `..`, as far as that can be told without looking at the disk.
pub(crate) fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            // The root has no parent but itself.
            Component::ParentDir if plain.has_root() => {}
            part => plain.push(part),
        }
    }
    plain
}

/// Takes a text in place of a table. Errors in the table keep their place.
pub(super) struct TextOr<T>(fn(&str) -> Result<T, String>);

impl<T> TextOr<T> {
    pub(super) fn new(from_text: fn(&str) -> Result<T, String>) -> Self {
        Self(from_text)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOr<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a table")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{DEFAULT_QUOTA, Grant, Source};
    use crate::observed::observed;
    use crate::toml_file;

    fn grant(content: &str) -> Result<Grant, String> {
        toml_file::parse::<Grant>("hubcap.toml", content)
            .map_err(|error| error.to_string())
            .and_then(|grant| grant.in_folder(Path::new("/etc/hubcap")).map_err(|(_, why)| why))
    }

    #[test]
    fn grants_are_read_in_their_short_and_their_long_form() {
        let grant = grant(
            "kv = \"1MiB\"\nhttp = [\"https://api.github.com\", { url = \"https://ghe.corp:8443\", ca = \"corp.pem\", addresses = [\"10.0.0.5\"] }]\n\
             files.docs = \"docs\"\nfiles.work = { path = \"/srv/work\", write = true }\n\
             secrets.token = { env = \"TOKEN\" }\nsecrets.key = { file = \"key\", reveal = true }\n",
        )
        .unwrap();
        assert_eq!(grant.kv(), Some(1 << 20));
        assert_eq!(grant.http[1].ca.as_deref(), Some(Path::new("/etc/hubcap/corp.pem")));
        let files: Vec<_> = grant.files.values().collect();
        assert!(files[0].path == Path::new("/etc/hubcap/docs") && !files[0].write);
        assert!(files[1].write && files[1].quota == DEFAULT_QUOTA);
        let sources: Vec<_> = grant.secrets.values().map(|secret| secret.source.clone()).collect();
        assert_eq!(sources, [Source::File("/etc/hubcap/key".into()), Source::Env("TOKEN".into())]);
    }

    #[test]
    fn what_would_open_everything_is_only_taken_where_it_is_named_as_such() {
        let home = dirs::home_dir().unwrap();
        let home = home.display();
        for (narrow, broad) in [
            (
                "http = [\"https://*\"]".to_owned(),
                "http = [{ url = \"https://*\", broad = true }]".to_owned(),
            ),
            ("files.x = \"/\"".to_owned(), "files.x = { path = \"/\", broad = true }".to_owned()),
            (
                "files.x = \"/tmp/../.\"".to_owned(),
                "files.x = { path = \"/tmp/..\", broad = true }".to_owned(),
            ),
            (format!("files.x = \"{home}\""), format!("files.x = {{ path = \"{home}\", broad = true }}")),
        ] {
            assert!(grant(&narrow).unwrap_err().contains("broad = true"), "{narrow}");
            assert!(grant(&broad).is_ok(), "{broad}");
        }
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/", &link).unwrap();
        for much in ["../..", "../../../tmp/..", link.to_str().unwrap()] {
            assert!(grant(&format!("files.x = \"{much}\"")).unwrap_err().contains("broad = true"), "{much}");
        }
        let systems = ["/proc", "/proc/self", "/sys/kernel", "/dev", "/tmp/../dev/shm", "../../proc/self"];
        for system in systems {
            let error = grant(&format!("files.x = {{ path = \"{system}\", broad = true }}")).unwrap_err();
            assert!(error.contains("belongs to the system"), "{error}");
        }
        observed("C05", format_args!("{} ways to write /proc, /sys, /dev: not even as broad", systems.len()));
    }

    #[test]
    fn what_is_wrong_in_a_grant_is_told_with_its_place() {
        for (content, why) in [
            (
                "http = [{ url = \"https://a.example\", methdos = [] }]",
                "hubcap.toml:1:38: unknown key `methdos`; did you mean `methods`?",
            ),
            ("http = [\"https://a.example/x\"]", "hubcap.toml:1:9: \"https://a.example/x\" is no origin"),
            ("http = [1]", "hubcap.toml:1:9: invalid type"),
            ("files.x = { path = \"/srv\", quota = \"1MiB\" }", "add `write = true`"),
            ("secrets.x = { env = \"A\", file = \"b\" }", "one of `env`, `file` and `command`"),
            ("secrets.x = { command = [\"pass\"] }", "absolute path"),
            ("secrets.X = { env = \"A\" }", "is no name"),
            ("secrets.x = { env = \"ghp real token\" }", "no name of a variable"),
            ("secrets.x = { env = \"A\", url = \"https://*\" }", "every host there is"),
            ("kv = 1073741825", "not between 1 bytes and 1 GiB"),
            ("kv = 0", "not between 1 bytes and 1 GiB"),
            ("htpp = []", "hubcap.toml:1:1: unknown key `htpp`; did you mean `http`?"),
        ] {
            let error = grant(content).unwrap_err();
            assert!(error.contains(why), "{content}: {error}");
        }
    }
}
