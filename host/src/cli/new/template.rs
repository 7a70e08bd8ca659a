//! What a new plugin is made of: files that are kept as files.

use crate::cli::new::Kind;
use crate::model::PluginId;

const CARGO: &str = include_str!("templates/cargo.toml.in");
const WORKSPACE: &str = include_str!("templates/workspace.toml.in");
const IGNORED: &str = include_str!("templates/gitignore");

/// What differs between the kinds.
struct Template {
    manifest: &'static str,
    source: &'static str,
    cases: &'static str,
}

const TOOL: Template = Template {
    manifest: include_str!("templates/tool/plugin.toml"),
    source: include_str!("templates/tool/lib.rs"),
    cases: include_str!("templates/tool/cases.toml"),
};

const VALIDATOR: Template = Template {
    manifest: include_str!("templates/validator/plugin.toml"),
    source: include_str!("templates/validator/lib.rs"),
    cases: include_str!("templates/validator/cases.toml"),
};

const PROVIDER: Template = Template {
    manifest: include_str!("templates/provider/plugin.toml"),
    source: include_str!("templates/provider/lib.rs"),
    cases: include_str!("templates/provider/cases.toml"),
};

/// The files of a crate in Rust: path and text of each. `sdk` is the line of its dependency; `alone` says
/// that it needs a workspace of its own.
pub(super) fn rust(kind: Kind, id: &PluginId, sdk: &str, alone: bool) -> [(&'static str, String); 5] {
    let template = match kind {
        Kind::Tool => TOOL,
        Kind::Validator => VALIDATOR,
        Kind::Provider => PROVIDER,
    };
    // The dependency last: a path may hold anything.
    let cargo = CARGO.replace("{{id}}", id.as_str()).replace("{{sdk}}", sdk);
    let manifest = template.manifest.replace("{{id}}", id.as_str()).replace("{{title}}", &title(id));
    [
        ("Cargo.toml", if alone { cargo + WORKSPACE } else { cargo }),
        ("plugin.toml", manifest),
        ("src/lib.rs", template.source.to_owned()),
        ("cases.toml", template.cases.to_owned()),
        (".gitignore", IGNORED.to_owned()),
    ]
}

/// The id as people would write it: `word-count` is `Word count`.
fn title(id: &PluginId) -> String {
    let (first, rest) = id.as_str().split_at(1);
    first.to_ascii_uppercase() + &rest.replace('-', " ")
}
