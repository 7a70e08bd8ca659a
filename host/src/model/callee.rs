//! What a plugin can call through the hub, by name.
//!
//! Invariant: whoever has a [`Callee`] has a name that a plugin or a tool of one can have. None of the hub's
//! own tools has one.

use std::fmt;

use crate::model::{PluginId, is_tool_name};

/// The sorts of things that a plugin can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CalleeKind {
    /// One tool.
    Tool,
    /// A validator.
    Validator,
    /// A provider.
    Provider,
}

impl CalleeKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tool, Self::Validator, Self::Provider];

    /// One of the kind, in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Validator => "validator",
            Self::Provider => "provider",
        }
    }

    /// Several of the kind, in a word: the key of their grants.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Validator => "validators",
            Self::Provider => "providers",
        }
    }

    /// What a name of the kind has to be, in words.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Tool => "a tool's full name is `<plugin-id>_<tool>`",
            Self::Validator => "a validator goes by the id of its plugin",
            Self::Provider => "a provider goes by the id of its plugin",
        }
    }
}

impl fmt::Display for CalleeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that a plugin can call: an edge's far end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Callee {
    kind: CalleeKind,
    plugin: PluginId,
    name: String,
}

impl Callee {
    /// The callee of this name: a tool's full name, or a plugin's id. Nothing where that is no name.
    pub fn new(kind: CalleeKind, name: &str) -> Option<Self> {
        let plugin = match kind {
            CalleeKind::Tool => {
                let (plugin, tool) = name.split_once('_')?;
                PluginId::new(plugin).filter(|_| is_tool_name(tool))?
            }
            CalleeKind::Validator | CalleeKind::Provider => PluginId::new(name)?,
        };
        Some(Self { kind, plugin, name: name.to_owned() })
    }

    /// What it is.
    pub fn kind(&self) -> CalleeKind {
        self.kind
    }

    /// The name to call it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The plugin that it is of.
    pub fn plugin(&self) -> &PluginId {
        &self.plugin
    }
}

impl fmt::Display for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} {:?}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Callee, CalleeKind};

    #[test]
    fn a_tool_goes_by_its_full_name_and_the_rest_by_the_id_of_the_plugin() {
        let tool = Callee::new(CalleeKind::Tool, "github_search_code").unwrap();
        assert_eq!((tool.plugin().as_str(), tool.name()), ("github", "github_search_code"));
        assert_eq!(tool.to_string(), "the tool \"github_search_code\"");
        let provider = Callee::new(CalleeKind::Provider, "claude-cli").unwrap();
        assert_eq!((provider.plugin().as_str(), provider.name()), ("claude-cli", "claude-cli"));
    }

    #[test]
    fn the_hubs_own_tools_and_what_is_no_name_cannot_be_called() {
        for name in ["hubcap_validate", "route_search", "github", "_x", "a_", "a_b c", "*", "A_b", ""] {
            assert_eq!(Callee::new(CalleeKind::Tool, name), None, "{name:?}");
        }
        for name in ["hubcap", "a_b", "*", "", "A"] {
            assert_eq!(Callee::new(CalleeKind::Validator, name), None, "{name:?}");
            assert_eq!(Callee::new(CalleeKind::Provider, name), None, "{name:?}");
        }
    }
}
