//! A component's manifest: the section in the file, the text in the section, and the text beside the file.

use std::path::Path;
use std::sync::OnceLock;

use hubcap::manifest::{Manifest, SECTION};
use hubcap::model::PluginId;
use hubcap::plugin::{Candidate, Contents, Identity, scan};
use hubcap::policy;

use crate::text::is_clean;

/// How a component starts.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// The bytes as a component, or as a manifest that is put into one and beside one.
pub(crate) fn run(data: &[u8]) {
    if data.starts_with(COMPONENT) {
        if let Ok(identity) = identity(data, None) {
            sound(&identity);
        }
        return;
    }
    let text = crate::lossy(data);
    let inside = identity(&with_section(text.as_bytes()), None);
    let beside = identity(COMPONENT, Some(&text));
    match (&inside, &beside) {
        (Ok(inside), Ok(beside)) => {
            assert_eq!(inside.manifest, beside.manifest);
            assert!(inside.self_contained && !beside.self_contained && inside.digest != beside.digest);
            sound(inside);
            accepted(&text, inside.manifest.as_ref().unwrap());
        }
        (Err(_), Err(_)) => {}
        _ => panic!("inside {inside:?}, beside {beside:?}"),
    }
    if let Err(error) = Manifest::parse("plugin.toml", &text) {
        crate::config::refused(&text, &error);
        let told = error.to_string();
        assert_eq!(hubcap::model::text::one_line(&told), told, "an author writes lines of the host");
    }
}

fn identity(bytes: &[u8], sidecar: Option<&str>) -> Result<Identity, String> {
    let contents = Contents { bytes: bytes.to_vec(), sidecar: sidecar.map(str::to_owned), signature: None };
    Identity::of(candidate(), &contents)
}

/// A candidate has to be a file that is there; what it holds is never read here.
fn candidate() -> &'static Candidate {
    static CANDIDATE: OnceLock<Candidate> = OnceLock::new();
    CANDIDATE.get_or_init(|| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        scan(&file).unwrap().remove(0)
    })
}

/// A component with nothing but a manifest.
fn with_section(manifest: &[u8]) -> Vec<u8> {
    let name = [&leb128(SECTION.len()), SECTION.as_bytes()].concat();
    let size = leb128(name.len() + manifest.len());
    [COMPONENT, b"\0", &size, &name, manifest].concat()
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn sound(identity: &Identity) {
    assert_eq!(PluginId::new(identity.id.as_str()).as_ref(), Some(&identity.id));
    assert!(identity.digest.len() == 64 && identity.digest.bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(identity.version.len() <= 64 && is_clean(&identity.version));
    let Some(manifest) = &identity.manifest else { return };
    assert_eq!((&manifest.id, &manifest.version), (&identity.id, &identity.version));
    let texts = [&manifest.title, &manifest.description, &manifest.license, &manifest.homepage];
    assert!(texts.into_iter().flatten().all(|text| is_clean(text)));
}

/// Layout means nothing, and what is asked for can be shown on one line each.
fn accepted(text: &str, manifest: &Manifest) {
    let laid_out = toml::to_string(&text.parse::<toml::Table>().unwrap()).unwrap();
    assert_eq!(&Manifest::parse("plugin.toml", &laid_out).unwrap(), manifest, "{laid_out}");
    for line in policy::asked(&manifest.ask) {
        assert!(is_clean(&line) && !line.contains('\n'), "{line:?}");
    }
}
