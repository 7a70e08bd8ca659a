//! Tools behind `#[tool]` and `#[tools]`.

use super::unique;
use crate::{Context, Error, Output, Tool};

/// One tool.
pub struct ToolEntry {
    /// Its name.
    pub name: &'static str,
    /// Makes its definition.
    pub define: fn() -> Result<Tool, Error>,
    /// Reads the arguments and runs it.
    pub call: fn(&str, Context) -> Result<Output, Error>,
}

/// Something that `plugin!(tools: […])` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tool",
    label = "not made by `#[tool]` or `#[tools]`",
    note = "put `#[hubcap_sdk::tool]` on the function `{Self}`, or `#[hubcap_sdk::tools]` on its `impl` block"
)]
pub trait ToolSet {
    /// The tools.
    const TOOLS: &'static [ToolEntry];
}

/// Fails the build where a tool of the last set has the name of an earlier one.
#[track_caller]
pub const fn unique_tools(sets: &[&[ToolEntry]]) {
    let Some((last, before)) = sets.split_last() else { return };
    let mut set = 0;
    while set < before.len() {
        let mut other = 0;
        while other < before[set].len() {
            let mut tool = 0;
            while tool < last.len() {
                let fix = "remove it from the list, or give one another name with `#[tool(name = \"…\")]`";
                unique::check("the tool", last[tool].name, &[before[set][other].name], fix);
                tool += 1;
            }
            other += 1;
        }
        set += 1;
    }
}

/// The definitions of all tools.
///
/// # Errors
/// A definition that no client would take, with the tool's name.
pub fn list_tools(sets: &[&[ToolEntry]]) -> Result<Vec<Tool>, Error> {
    sets.iter().copied().flatten().map(|tool| (tool.define)()).collect()
}

/// Runs one tool.
///
/// # Errors
/// Those of the tool, and one where there is none of that name.
pub fn call_tool(
    sets: &[&[ToolEntry]],
    name: &str,
    arguments: &str,
    context: Context,
) -> Result<Output, Error> {
    let tool = sets.iter().copied().flatten().find(|tool| tool.name == name);
    (tool.ok_or_else(|| Error::unknown_tool(name))?.call)(arguments, context)
}
