//! What a file is, found out before it is compiled: its kind, its manifest, and how much is in it.
//!
//! Invariant: reads the file once, keeps nothing of it but the manifest, and compiles nothing.

use wasmparser::{Parser, Payload};

use crate::manifest;
use crate::plugin::{Refusal, first_line};

/// Types, functions and the like of all modules of a component together. Compiling costs some 7 KiB of memory
/// for each, however short it is; large programs have some ten thousand.
const MAX_ITEMS: usize = 100_000;

/// Finds the text of the manifest in a component.
///
/// # Errors
/// Why it is no component that can be compiled, or what is wrong with the place of the manifest.
pub(super) fn look(bytes: &[u8]) -> Result<Option<&str>, Refusal> {
    check_kind(bytes)?;
    let (mut manifests, mut depth, mut items) = (Vec::new(), 0_u32, 0_usize);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload =
            payload.map_err(|error| format!("not a valid component: {}", first_line(&error.to_string())))?;
        items = items.saturating_add(count(&payload) as usize);
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == manifest::SECTION => {
                manifests.push(section.data());
            }
            _ => {}
        }
    }
    if items > MAX_ITEMS {
        return Err(format!(
            "too large: it has {items} types, functions and the like, more than {MAX_ITEMS}"
        ));
    }
    the_one(&manifests)
}

/// Tells apart what people drop into a plugin directory by mistake.
fn check_kind(bytes: &[u8]) -> Result<(), Refusal> {
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

/// How many things a section declares.
fn count(payload: &Payload<'_>) -> u32 {
    match payload {
        Payload::TypeSection(section) => section.count(),
        Payload::ImportSection(section) => section.count(),
        Payload::FunctionSection(section) => section.count(),
        Payload::TableSection(section) => section.count(),
        Payload::MemorySection(section) => section.count(),
        Payload::GlobalSection(section) => section.count(),
        Payload::ExportSection(section) => section.count(),
        Payload::ElementSection(section) => section.count(),
        Payload::DataSection(section) => section.count(),
        Payload::CoreTypeSection(section) => section.count(),
        Payload::ComponentTypeSection(section) => section.count(),
        Payload::ComponentImportSection(section) => section.count(),
        Payload::ComponentExportSection(section) => section.count(),
        Payload::ComponentAliasSection(section) => section.count(),
        Payload::ComponentCanonicalSection(section) => section.count(),
        Payload::ComponentInstanceSection(section) => section.count(),
        Payload::InstanceSection(section) => section.count(),
        _ => 0,
    }
}

fn the_one<'a>(manifests: &[&'a [u8]]) -> Result<Option<&'a str>, Refusal> {
    match *manifests {
        [] => Ok(None),
        [data] if data.len() > manifest::MAX_BYTES => {
            Err(format!("bad manifest: {} bytes, more than {}", data.len(), manifest::MAX_BYTES))
        }
        [data] => std::str::from_utf8(data).map(Some).map_err(|_| "bad manifest: it is not UTF-8".into()),
        [..] => Err("bad manifest: the component holds more than one".into()),
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        Component, CustomSection, Module, ModuleSection, NestedComponentSection, TypeSection,
    };

    use super::{MAX_ITEMS, look};
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
        assert_eq!(look(&component(&[&full])).unwrap().unwrap().len(), MAX_BYTES);
        let larger = vec![b' '; MAX_BYTES + 1];
        assert!(look(&component(&[&larger])).unwrap_err().contains("more than 65536"));
    }

    #[test]
    fn a_component_has_one_manifest_of_text_or_none() {
        assert_eq!(look(&component(&[])).unwrap(), None);
        assert!(look(&component(&[b"", b""])).unwrap_err().contains("more than one"));
        assert!(look(&component(&[b"\xff"])).unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn a_manifest_of_a_component_inside_is_not_that_of_the_plugin() {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&{
            let mut inner = Component::new();
            inner.section(&CustomSection { name: SECTION.into(), data: b"id = \"inner\"".as_slice().into() });
            inner
        }));
        assert_eq!(look(&outer.finish()).unwrap(), None);
    }

    #[test]
    fn a_hundred_thousand_things_are_taken_and_one_more_is_not() {
        let component = |n: usize| {
            let mut component = Component::new();
            for types in [n / 2, n - n / 2] {
                let mut section = TypeSection::new();
                (0..types).for_each(|_| section.ty().function([], []));
                let mut module = Module::new();
                module.section(&section);
                component.section(&ModuleSection(&module));
            }
            component.finish()
        };
        assert_eq!(look(&component(MAX_ITEMS)), Ok(None));
        let refused = look(&component(MAX_ITEMS + 1)).unwrap_err();
        assert!(refused.contains("100001") && refused.contains("more than 100000"), "{refused}");
    }
}
