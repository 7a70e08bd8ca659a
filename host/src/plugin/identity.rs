//! From a file to its identity: what it is, whose it is, and what its author says of it.
//!
//! Invariant: nothing is compiled or run here; whatever is wrong with a file is told in its own words.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use wasmparser::{Parser, Payload};

use crate::manifest::{self, Manifest};
use crate::model::{PLUGIN_ID_RULE, PluginId, text};
use crate::plugin::file::{Candidate, Contents};

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
        check_format(&contents.bytes)?;
        let embedded = embedded_manifest(&contents.bytes)?;
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

/// Tells apart what people drop into a plugin directory by mistake.
fn check_format(bytes: &[u8]) -> Result<(), Refusal> {
    match bytes {
        [] => Err("not a component: the file is empty".into()),
        [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            Err("not a component: it is a core module; build it for wasm32-wasip2".into())
        }
        [0x7f, b'E', b'L', b'F', ..] => {
            Err("precompiled artifact: hubcap compiles components by itself; drop the .wasm it came from"
                .into())
        }
        _ if bytes.trim_ascii_start().starts_with(b"(") => {
            Err("text format: assemble it first, as with `wasm-tools parse`".into())
        }
        _ => Err("not a component: it does not start like WebAssembly".into()),
    }
}

/// The text of the manifest in a component.
fn embedded_manifest(bytes: &[u8]) -> Result<Option<&str>, Refusal> {
    let mut found = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| format!("not a valid component: {}", first_line(&error.to_string())))? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == manifest::SECTION => {
                found.push(section.data());
            }
            _ => {}
        }
    }
    match found[..] {
        [] => Ok(None),
        [data] if data.len() > manifest::MAX_BYTES => {
            Err(format!("bad manifest: {} bytes, more than {}", data.len(), manifest::MAX_BYTES))
        }
        [data] => std::str::from_utf8(data).map(Some).map_err(|_| "bad manifest: it is not UTF-8".into()),
        [..] => Err("bad manifest: the component holds more than one".into()),
    }
}

/// The first line of what another library says, cut to what an operator reads.
pub(super) fn first_line(long: &str) -> String {
    text::clean_and_cut(long.lines().next().unwrap_or_default(), 500)
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{Component, CustomSection};

    use super::embedded_manifest;
    use crate::manifest::{MAX_BYTES, SECTION};

    fn component(manifests: &[&[u8]]) -> Vec<u8> {
        let mut component = Component::new();
        for manifest in manifests {
            component.section(&CustomSection { name: SECTION.into(), data: (*manifest).into() });
        }
        component.finish()
    }

    #[test]
    fn a_manifest_of_64_kib_is_read_and_a_larger_one_is_refused() {
        let full = vec![b' '; MAX_BYTES];
        assert_eq!(embedded_manifest(&component(&[&full])).unwrap().unwrap().len(), MAX_BYTES);
        let larger = vec![b' '; MAX_BYTES + 1];
        assert!(embedded_manifest(&component(&[&larger])).unwrap_err().contains("more than 65536"));
    }

    #[test]
    fn a_component_has_one_manifest_of_text_or_none() {
        assert_eq!(embedded_manifest(&component(&[])).unwrap(), None);
        assert!(embedded_manifest(&component(&[b"", b""])).unwrap_err().contains("more than one"));
        assert!(embedded_manifest(&component(&[b"\xff"])).unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn a_manifest_of_a_component_inside_is_not_that_of_the_plugin() {
        let mut outer = Component::new();
        outer.section(&wasm_encoder::NestedComponentSection(&{
            let mut inner = Component::new();
            inner.section(&CustomSection { name: SECTION.into(), data: b"id = \"inner\"".as_slice().into() });
            inner
        }));
        assert_eq!(embedded_manifest(&outer.finish()).unwrap(), None);
    }
}
