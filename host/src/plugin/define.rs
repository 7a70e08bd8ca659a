//! Tool definitions as a plugin gives them: checked, cleaned and compiled.
//!
//! Invariant: a plugin with one bad definition is refused whole: a list with silent gaps would lie.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::bindings::tool_types;
use crate::model::{Annotations, PluginId, Tool, is_tool_name, text};
use crate::plugin::tools::LoadedTool;
use crate::schema::{self, Checker};

/// Tools of one plugin.
const MAX_TOOLS: usize = 64;
/// Bytes of a description.
const MAX_DESCRIPTION: usize = 2 << 10;
/// Bytes of a title.
const MAX_TITLE: usize = 256;
/// Characters of `<plugin-id>_<tool>`: clients put about 13 before it and cut at 64.
const MAX_FULL_NAME: usize = 51;

/// Checks a plugin's tools and puts them in the order of their names.
///
/// # Errors
/// The first thing that is wrong, with the tool's name.
pub(crate) fn tools(id: &PluginId, given: Vec<tool_types::Tool>) -> Result<Vec<LoadedTool>, String> {
    if given.len() > MAX_TOOLS {
        return Err(format!("has {} tools, more than {MAX_TOOLS}", given.len()));
    }
    let mut folded = HashMap::new();
    let mut tools = Vec::with_capacity(given.len());
    for tool in given {
        let tool = define(id, tool)?;
        if let Some(other) = folded.insert(tool.name.to_ascii_lowercase(), tool.name.clone()) {
            return Err(format!("has two tools of one name: {other:?} and {:?}", tool.name));
        }
        tools.push(tool);
    }
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tools)
}

fn define(id: &PluginId, given: tool_types::Tool) -> Result<LoadedTool, String> {
    let name = full_name(id, &given.name)?;
    let wrong = |what: String| format!("tool {:?}: {what}", given.name);
    let input_schema =
        schema::read(&given.input_schema).map_err(|what| wrong(format!("its input schema {what}")))?;
    if input_schema.get("type") != Some(&Value::from("object")) {
        return Err(wrong("its input schema needs `\"type\": \"object\"` at its root".into()));
    }
    schema::headers::check(&input_schema).map_err(|what| wrong(format!("its input schema {what}")))?;
    let output_schema = given
        .output_schema
        .as_deref()
        .map(schema::read)
        .transpose()
        .map_err(|what| wrong(format!("its output schema {what}")))?;
    let input = Checker::new(&input_schema).map_err(|what| wrong(format!("its input schema {what}")))?;
    let output = output_schema
        .as_ref()
        .map(Checker::new)
        .transpose()
        .map_err(|what| wrong(format!("its output schema {what}")))?;
    let tool = Tool {
        name,
        title: given.title.as_deref().map(title).transpose().map_err(&wrong)?,
        description: description(&given.description).map_err(&wrong)?,
        input_schema: Arc::new(input_schema),
        output_schema: output_schema.map(Arc::new),
        annotations: annotations(given.annotations),
    };
    Ok(LoadedTool { tool, name: given.name, input, output })
}

fn full_name(id: &PluginId, name: &str) -> Result<String, String> {
    if !is_tool_name(name) {
        // Escaped, because a letter of another script can look like one of these.
        let shown = text::truncate(name, 100).escape_default();
        return Err(format!("tool name \"{shown}\" is not 1 to 40 of [a-zA-Z0-9_-]"));
    }
    let full = format!("{id}_{name}");
    if full.len() > MAX_FULL_NAME {
        return Err(format!(
            "the full name {full:?} has {} characters, more than {MAX_FULL_NAME}",
            full.len()
        ));
    }
    Ok(full)
}

fn title(given: &str) -> Result<String, String> {
    let cleaned = text::one_line(&text::clean(given)).into_owned();
    if cleaned.len() > MAX_TITLE {
        Err(format!("its title has more than {MAX_TITLE} bytes"))
    } else {
        Ok(cleaned)
    }
}

fn description(given: &str) -> Result<String, String> {
    let cleaned = text::clean(given).trim().to_owned();
    match cleaned.len() {
        0 => Err("it has no description, and agents choose tools by that".into()),
        n if n > MAX_DESCRIPTION => {
            Err(format!("its description has {n} bytes, more than {MAX_DESCRIPTION}"))
        }
        _ => Ok(cleaned),
    }
}

fn annotations(given: tool_types::Annotations) -> Annotations {
    Annotations {
        read_only: given.read_only,
        destructive: given.destructive,
        idempotent: given.idempotent,
        open_world: given.open_world,
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_DESCRIPTION, MAX_TITLE, MAX_TOOLS, tool_types, tools};
    use crate::model::PluginId;
    use crate::plugin::LoadedTool;

    fn tool(name: &str) -> tool_types::Tool {
        tool_types::Tool {
            name: name.into(),
            title: None,
            description: "Does something.".into(),
            input_schema: r#"{"type":"object"}"#.into(),
            output_schema: None,
            annotations: tool_types::Annotations {
                read_only: None,
                destructive: None,
                idempotent: None,
                open_world: None,
            },
            meta: Vec::new(),
        }
    }

    fn define(given: Vec<tool_types::Tool>) -> Result<Vec<LoadedTool>, String> {
        tools(&PluginId::new("a-plugin-of-20-letters").unwrap(), given)
    }

    fn refused(change: impl FnOnce(&mut tool_types::Tool)) -> String {
        let mut changed = tool("x");
        change(&mut changed);
        define(vec![changed]).map(|_| ()).unwrap_err()
    }

    #[test]
    fn sixty_four_tools_are_taken_and_sixty_five_are_not() {
        let named = |n: usize| (0..n).map(|i| tool(&format!("t{i}"))).collect();
        assert_eq!(define(named(MAX_TOOLS)).unwrap().len(), MAX_TOOLS);
        assert!(define(named(MAX_TOOLS + 1)).is_err());
    }

    #[test]
    fn names_that_differ_only_in_case_are_one_name() {
        assert!(
            define(vec![tool("a"), tool("A")]).map(|_| ()).unwrap_err().contains("two tools of one name")
        );
    }

    #[test]
    fn a_full_name_of_51_characters_is_taken_and_one_of_52_is_not() {
        let id_and_separator = "a-plugin-of-20-letters_".len();
        assert!(define(vec![tool(&"x".repeat(51 - id_and_separator))]).is_ok());
        assert!(define(vec![tool(&"x".repeat(52 - id_and_separator))]).is_err());
    }

    #[test]
    fn descriptions_and_titles_are_cleaned_and_bounded() {
        let mut full = tool("x");
        full.description = format!("\u{1b}{}", "d".repeat(MAX_DESCRIPTION));
        full.title = Some(format!("\u{202e}{}", "t".repeat(MAX_TITLE)));
        let defined = define(vec![full]).unwrap();
        assert_eq!(defined[0].tool.description.len(), MAX_DESCRIPTION);
        assert_eq!(defined[0].tool.title.as_ref().unwrap().len(), MAX_TITLE);
        assert!(refused(|tool| tool.description = "d".repeat(MAX_DESCRIPTION + 1)).contains("description"));
        assert!(refused(|tool| tool.title = Some("t".repeat(MAX_TITLE + 1))).contains("title"));
        assert!(refused(|tool| tool.description = " \u{200b}".into()).contains("no description"));
    }

    #[test]
    fn a_definition_is_refused_with_the_tools_name_and_the_reason() {
        assert!(refused(|tool| tool.name = "a b".into()).contains("\"a b\""));
        assert!(refused(|tool| tool.input_schema = "{}".into()).contains("\"type\": \"object\""));
        assert!(refused(|tool| tool.input_schema = "[]".into()).contains("tool \"x\": its input schema"));
        assert!(refused(|tool| tool.output_schema = Some("{\"type\":1}".into())).contains("output schema"));
    }
}
