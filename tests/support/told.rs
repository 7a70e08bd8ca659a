//! Plugins that tell of themselves whatever a test says: one tool, which answers "done".

use std::fs;

use super::guests::{root, wat_component};

/// What a plugin tells of its tool.
pub(crate) struct Told<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) schema: &'a str,
    pub(crate) read_only: bool,
}

impl Default for Told<'_> {
    fn default() -> Self {
        Self { name: "run", description: "Runs.", schema: r#"{"type":"object"}"#, read_only: false }
    }
}

/// Where the texts lie in the guest's memory, and how long they may be.
const NAME: (usize, usize) = (768, 256);
const DESCRIPTION: (usize, usize) = (1_024, 2_048);
const SCHEMA: (usize, usize) = (3_072, 1_024);

impl Told<'_> {
    /// The component.
    pub(crate) fn component(&self) -> Vec<u8> {
        let part = fs::read_to_string(root().join("tests/guests/wat/plugin.part")).unwrap();
        let mut data = String::new();
        let mut list = Vec::new();
        for ((at, room), text) in [(NAME, self.name), (DESCRIPTION, self.description), (SCHEMA, self.schema)]
        {
            assert!(text.len() <= room, "{} bytes of text", text.len());
            data.push_str(&at_address(at, text.as_bytes()));
            list.push([(at as u32).to_le_bytes(), (text.len() as u32).to_le_bytes()].concat());
        }
        data.push_str(&at_address(256, &list[0]));
        data.push_str(&at_address(276, &list[1..].concat()));
        if self.read_only {
            data.push_str(&at_address(304, &[1, 1]));
        }
        // The last segment at an address holds.
        let mark = "    (func (export \"realloc\")";
        assert!(part.contains(mark));
        wat_component(&part.replacen(mark, &format!("{data}{mark}"), 1))
    }
}

fn at_address(at: usize, bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!("    (data (i32.const {at}) \"{escaped}\")\n")
}

/// A plugin with this description, and nothing else to tell.
pub(crate) fn described(description: &str) -> Vec<u8> {
    Told { description, ..Told::default() }.component()
}

/// The component with a manifest in it, as `plugin build` embeds it.
pub(crate) fn with_manifest(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    let name = b"hubcap:manifest";
    let mut section = vec![name.len() as u8];
    section.extend(name);
    section.extend(manifest.as_bytes());
    component.push(0);
    let mut length = section.len();
    while length >= 0x80 {
        component.push(length as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.extend(section);
    component
}
