//! What differs between a pin and what is there now.
//!
//! Invariant: two pins that differ in more than who signed have at least one change, and a summary repeats no text of a guest's
//! but checked names, versions and what is asked for.

use serde_json::Value;

use crate::lock::{Kept, Part, Pin};
use crate::model::text;

/// Changes that a summary names.
const TOLD: usize = 5;

/// The fields of a tool's definition.
const FIELDS: &[(&str, &str)] = &[
    ("title", "title"),
    ("description", "description"),
    ("inputSchema", "input schema"),
    ("outputSchema", "output schema"),
    ("annotations", "annotations"),
];

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What changed, for people.
    pub what: String,
    /// How it was and how it is, where that is more than `what` says.
    pub texts: Option<(String, String)>,
}

impl Change {
    fn new(what: String) -> Self {
        Self { what, texts: None }
    }
}

/// All that differs.
pub fn changes(before: &Pin, now: &Pin) -> Vec<Change> {
    let mut found = Vec::new();
    if before.version != now.version {
        found.push(Change::new(format!("version {} became {}", before.version, now.version)));
    }
    if before.publisher != now.publisher && before.digest != now.digest {
        found.push(Change::new(format!("it was {} and is {}", signed(before), signed(now))));
    }
    found.extend(asked(&before.ask, &now.ask));
    let gone = before.parts.keys().filter(|part| !now.parts.contains_key(part));
    found.extend(gone.map(|part| Change::new(format!("{part} is gone"))));
    for (part, kept) in &now.parts {
        match before.parts.get(part) {
            None => found.push(new_part(part, kept)),
            Some(same) if same == kept => {}
            Some(other) => found.extend(changed(part, other, kept)),
        }
    }
    if before.digest != now.digest {
        let same = before.parts == now.parts && before.ask == now.ask;
        found.push(Change::new(if same {
            "digest changed, definitions are the same".into()
        } else {
            "digest changed".into()
        }));
    }
    found
}

/// The changes in one line.
pub fn summary(changes: &[Change]) -> String {
    let told: Vec<&str> = changes.iter().take(TOLD).map(|change| change.what.as_str()).collect();
    let more = changes.len().saturating_sub(TOLD);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{}{more}", told.join(", "))
}

fn signed(pin: &Pin) -> String {
    pin.publisher.as_ref().map_or_else(|| "not signed".into(), |publisher| format!("signed by {publisher}"))
}

fn asked(before: &Kept, now: &Kept) -> Vec<Change> {
    if before == now {
        return Vec::new();
    }
    let (Some(before), Some(now)) = (&before.text, &now.text) else {
        return vec![Change::new("what it asks for changed".into())];
    };
    let only = |these: &str, those: &str| -> Vec<String> {
        let lines = these.lines().filter(|line| those.lines().all(|other| other != *line));
        lines.map(|line| text::clean_and_cut(line, 200)).collect()
    };
    let more = only(now, before).into_iter().map(|line| format!("it asks for more: {line}"));
    let less = only(before, now).into_iter().map(|line| format!("it asks for less, without: {line}"));
    let found: Vec<Change> = more.chain(less).map(Change::new).collect();
    if found.is_empty() { vec![Change::new("what it asks for changed".into())] } else { found }
}

fn new_part(part: &Part, kept: &Kept) -> Change {
    let texts = kept.text.as_ref().map(|text| (String::new(), readable(text)));
    Change { what: format!("{part} is new"), texts }
}

fn changed(part: &Part, before: &Kept, now: &Kept) -> Vec<Change> {
    let (Some(old), Some(new)) = (&before.text, &now.text) else {
        return vec![Change::new(format!("{part} changed, by more than the lock keeps the text of"))];
    };
    let whole =
        || vec![Change { what: format!("{part} changed"), texts: Some((readable(old), readable(new))) }];
    let Part::Tool(_) = part else {
        return whole();
    };
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let (old, new) = (parse(old), parse(new));
    let fields = FIELDS.iter().filter(|(key, _)| old.get(key) != new.get(key));
    let found: Vec<Change> = fields
        .map(|(key, name)| Change {
            what: format!("the {name} of {part} changed"),
            texts: Some((shown(old.get(key)), shown(new.get(key)))),
        })
        .collect();
    if found.is_empty() { whole() } else { found }
}

/// A definition's text for people: the fields of a tool with their names, anything else as it is.
fn readable(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let fields: Vec<String> = FIELDS
        .iter()
        .filter_map(|(key, name)| value.get(key).map(|field| format!("{name}: {}", shown(Some(field)))))
        .collect();
    if fields.is_empty() { shown(Some(&value)) } else { fields.join("\n") }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => format!("{value:#}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{changes, summary};
    use crate::lock::tests::pin;
    use crate::lock::{Kept, Part, Pin};

    fn whats(before: &Pin, now: &Pin) -> Vec<String> {
        changes(before, now).into_iter().map(|change| change.what).collect()
    }

    #[test]
    fn a_changed_field_is_named_and_both_texts_are_there() {
        let before = pin("1.0.0", json!({ "description": "Says it.", "inputSchema": { "type": "object" } }));
        let now = pin("1.0.0", json!({ "description": "Says IT.", "inputSchema": { "type": "object" } }));
        let found = changes(&before, &now);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "the description of tool say changed");
        assert_eq!(found[0].texts, Some(("Says it.".into(), "Says IT.".into())));
        assert!(changes(&now, &now).is_empty());
    }

    #[test]
    fn each_field_of_a_definition_counts() {
        let full = json!({ "title": "t", "description": "d", "inputSchema": {}, "outputSchema": {}, "annotations": {} });
        for (key, name) in super::FIELDS {
            let mut other = full.clone();
            other[key] = json!({ "changed": true });
            assert_eq!(
                whats(&pin("1.0.0", full.clone()), &pin("1.0.0", other)),
                [format!("the {name} of tool say changed")]
            );
        }
    }

    #[test]
    fn tools_rules_and_asks_that_come_and_go_are_named() {
        let digest = || "0".repeat(64);
        let with = |ask: &[&str], parts: &[Part]| {
            let ask = ask.iter().map(|line| (*line).to_owned()).collect();
            Pin::new("1.0.0".into(), digest(), None, ask)
                .with_parts(parts.iter().map(|part| (part.clone(), json!([]))))
        };
        let (say, shout) = (Part::Tool("say".into()), Part::Tool("shout".into()));
        let before = with(&["http GET https://a.example", "kv 1MiB"], &[say, Part::Rules]);
        let now = with(&["kv 1MiB", "http GET https://b.example"], &[shout, Part::Models]);
        assert_eq!(
            whats(&before, &now),
            [
                "it asks for more: http GET https://b.example",
                "it asks for less, without: http GET https://a.example",
                "tool say is gone",
                "the set of rules is gone",
                "tool shout is new",
                "the set of models is new"
            ]
        );
        assert!(summary(&changes(&before, &now)).ends_with("tool shout is new, and 1 more"));
    }

    #[test]
    fn another_file_with_the_same_definitions_says_so() {
        let mut now = pin("1.0.0", json!({}));
        let before = now.clone();
        now.digest = "f".repeat(64);
        assert_eq!(whats(&before, &now), ["digest changed, definitions are the same"]);
        now.publisher = Some("acme".into());
        now.version = "1.1.0".into();
        assert_eq!(
            whats(&before, &now),
            [
                "version 1.0.0 became 1.1.0",
                "it was not signed and is signed by acme",
                "digest changed, definitions are the same"
            ]
        );
    }

    #[test]
    fn a_change_of_a_text_that_was_not_kept_is_named_too() {
        let (mut before, now) = (pin("1.0.0", json!(1)), pin("1.0.0", json!(2)));
        before.parts.values_mut().for_each(|kept: &mut Kept| kept.text = None);
        assert_eq!(whats(&before, &now), ["tool say changed, by more than the lock keeps the text of"]);
    }
}
