//! From a file to its identity: whose it is, and what its author says of it.
//!
//! Invariant: nothing is compiled or run here; whatever is wrong with a file is told in its own words.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::manifest::Manifest;
use crate::model::{PLUGIN_ID_RULE, PluginId, text};
use crate::plugin::{Candidate, Contents, format};

/// Why a file is no plugin, in words for the operator.
pub type Refusal = String;

/// Who a file says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: PluginId,
    /// Its version.
    pub version: String,
    /// What else its author says, where there is a manifest.
    pub manifest: Option<Manifest>,
    /// SHA-256 of the file, and of the manifest beside it where that is the one that counts.
    pub digest: String,
    /// Whether what is known of it is in the file itself, and not in a manifest beside it.
    pub self_contained: bool,
    /// Who signed it, by the operator's name for the key. [`Identity::of`] does not look at signatures.
    pub publisher: Option<String>,
}

impl Identity {
    /// Reads who a file says it is: from the manifest in it, else from the one beside it, else from
    /// its name.
    ///
    /// # Errors
    /// Why it is no component, or what is wrong with its manifest.
    pub fn of(candidate: &Candidate, contents: &Contents) -> Result<Self, Refusal> {
        let embedded = format::look(&contents.bytes)?;
        let sidecar = contents.sidecar.as_deref().map(|text| (format!("{}.toml", candidate.stem()), text));
        let (manifest, digest) = match (embedded, sidecar) {
            (Some(text), _) => (Some(("plugin.toml".to_owned(), text)), digest(&[&contents.bytes])),
            (None, Some((name, text))) => (Some((name, text)), digest(&[&contents.bytes, text.as_bytes()])),
            (None, None) => (None, digest(&[&contents.bytes])),
        };
        let self_contained = embedded.is_some() || contents.sidecar.is_none();
        let Some((name, text)) = manifest else {
            let id = Self::id_of_name(candidate.stem())?;
            let version = "0.0.0".into();
            return Ok(Self { id, version, manifest: None, digest, self_contained, publisher: None });
        };
        let manifest = Manifest::parse(&name, text).map_err(|error| format!("bad manifest: {error}"))?;
        let (id, version) = (manifest.id.clone(), manifest.version.clone());
        Ok(Self { id, version, manifest: Some(manifest), digest, self_contained, publisher: None })
    }

    fn id_of_name(stem: &str) -> Result<PluginId, Refusal> {
        PluginId::new(stem).ok_or_else(|| {
            format!(
                "bad name: it has no manifest, and {:?} is no plugin id: {PLUGIN_ID_RULE}",
                text::one_line(text::truncate(stem, 100))
            )
        })
    }
}

/// SHA-256 in hexadecimal. A component ends where its format says, so that nothing that follows it can
/// pass for a part of it.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    HEXLOWER.encode(&hash.finalize())
}
