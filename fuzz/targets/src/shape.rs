//! Argument shapes: what a plugin may fill in a command, and what comes out.

use std::collections::BTreeMap;

use hubcap::model::text::is_hidden;
use hubcap::program::{Part, Shape, Slot, Template};
use hubcap::toml_file;
use serde::Deserialize;

/// A shape and values for its slots, as a TOML file.
#[derive(Deserialize)]
struct Input {
    args: Shape,
    #[serde(default)]
    fill: BTreeMap<String, Vec<String>>,
}

/// Reads a shape and fills it.
pub(crate) fn run(data: &[u8]) {
    let Ok(Input { args, fill }) = toml_file::parse("shape.toml", &crate::lossy(data)) else { return };
    shown(&args);
    let Ok(template) = Template::new(&args) else { return };
    let values: Vec<_> = fill.clone().into_iter().collect();
    let Ok(filled) = template.fill(values) else { return };
    assert!(filled.iter().map(String::len).sum::<usize>() <= 256 << 10);
    assert!(!filled.iter().any(|argument| argument.contains('\0')));
    assert_eq!(filled, expected(&args, &fill));
}

/// What is shown of a shape is on one line, shows all of itself, and is read as the same shape.
fn shown(shape: &Shape) {
    let shown = shape.to_string();
    assert!(!shown.chars().any(|c| c.is_control() || is_hidden(c)), "{shown:?}");
    let again: Input = toml_file::parse("shape.toml", &format!("args = {shown}")).unwrap();
    assert_eq!(&again.args, shape);
}

/// The arguments, put together in the plainest way, each value looked at on the way.
fn expected(shape: &Shape, fill: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let (mut arguments, mut behind) = (Vec::new(), false);
    for part in shape.parts() {
        match part {
            Part::Fixed(fixed) => {
                behind |= fixed == "--";
                arguments.push(fixed.clone());
            }
            Part::Slot(slot) => {
                let values = fill.get(&slot.name).cloned().unwrap_or_default();
                assert!(
                    values.len() <= slot.repeat.unwrap_or(1) && (slot.repeat.is_some() || values.len() == 1)
                );
                arguments.extend(values.iter().map(|value| argument(slot, value, behind)));
            }
        }
    }
    arguments
}

fn argument(slot: &Slot, value: &str, behind: bool) -> String {
    let argument = format!("{}{value}", slot.prefix.as_deref().unwrap_or_default());
    let may_be_an_option = slot.dash || behind || slot.prefix.is_some();
    assert!(may_be_an_option || !argument.starts_with('-'), "{argument:?} is an option");
    match &slot.pattern {
        Some(pattern) => {
            let anywhere = regex::Regex::new(&pattern.to_string()).unwrap();
            let whole = pattern.compile().unwrap();
            assert!(anywhere.is_match(value) && whole.matches(value), "{value:?} is not all of {pattern}");
        }
        None => assert!(!value.is_empty()),
    }
    argument
}
