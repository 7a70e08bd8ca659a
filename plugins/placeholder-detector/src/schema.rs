//! The schemas of the tools.
//!
//! Invariant: no `oneOf`, `anyOf`, `allOf`, `not` or `if` at the root of an input: clients of language models drop
//! a tool that has one. That `text` and `files` exclude each other is therefore checked by [`crate::arguments`].

use hubcap_sdk::json;
use serde_json::Value;

use crate::report::FINDINGS_MAX;
use crate::rules::RULES;
use crate::text::EXCERPT_CHARS;

/// Longest path, in characters: it is repeated in each finding.
const PATH_CHARS: usize = 1024;

/// Most files in one call.
const FILES_MAX: usize = 1_000;

/// What `scan` takes.
pub(crate) fn scan_input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "text": {
                "type": "string",
                "description": "The text to scan. Not together with `files`."
            },
            "path": path("Where `text` is from; tells its language, and whether it is a test."),
            "language": language(),
            "files": {
                "type": "array",
                "minItems": 1,
                "maxItems": FILES_MAX,
                "description": "Several texts to scan. Not together with `text`, `path` and `language`.",
                "items": {
                    "type": "object",
                    "properties": {
                        "path": path("Where the text is from; tells its language, and whether it is a test."),
                        "text": { "type": "string", "description": "The text to scan." },
                        "language": language()
                    },
                    "required": ["path", "text"],
                    "additionalProperties": false
                }
            },
            "rules": {
                "type": "array",
                "maxItems": 64,
                "items": { "type": "string" },
                "description": format!("Only these rules; all without it. Known: {}.", names().join(", "))
            },
            "min_confidence": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "default": 0,
                "description": "Leaves out findings that the rule is less sure of. 0.7 leaves out most guesses."
            }
        },
        "additionalProperties": false
    })
}

/// What `scan` answers.
pub(crate) fn scan_output() -> Value {
    json!({
        "type": "object",
        "properties": {
            "findings": { "type": "array", "maxItems": FINDINGS_MAX, "items": finding() },
            "summary": {
                "type": "object",
                "properties": {
                    "files": number("Texts that were scanned."),
                    "lines": number("Lines in them."),
                    "findings": number("All findings, also those that did not fit into the answer."),
                    "by_rule": {
                        "type": "object",
                        "additionalProperties": { "type": "integer", "minimum": 1 },
                        "description": "All findings of each rule that has any."
                    },
                    "truncated": {
                        "type": "boolean",
                        "description": "Whether findings were left out of the list because it was full."
                    }
                },
                "required": ["files", "lines", "findings", "by_rule", "truncated"],
                "additionalProperties": false
            }
        },
        "required": ["findings", "summary"],
        "additionalProperties": false
    })
}

fn finding() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": { "type": "string", "description": "As it was given." },
            "rule": { "type": "string", "enum": names() },
            "severity": severity(),
            "confidence": { "type": "number", "minimum": 0, "maximum": 1, "description": "How sure the rule is." },
            "span": {
                "type": "object",
                "description": "Byte offsets in the UTF-8 text, on character boundaries.",
                "properties": {
                    "start": number("First byte."),
                    "end": number("The byte after the last one.")
                },
                "required": ["start", "end"],
                "additionalProperties": false
            },
            "line": number("Line of the start, from 1. Lines end at a line feed."),
            "column": number("Column of the start, from 1, in Unicode scalar values."),
            "message": { "type": "string", "description": "What is wrong and what to do." },
            "excerpt": {
                "type": "string",
                "maxLength": EXCERPT_CHARS,
                "description": "The line, without its indentation, with … where it was cut."
            }
        },
        "required": ["rule", "severity", "confidence", "span", "line", "column", "message", "excerpt"],
        "additionalProperties": false
    })
}

/// What `rules` takes: nothing.
pub(crate) fn rules_input() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

/// What `rules` answers.
pub(crate) fn rules_output() -> Value {
    json!({
        "type": "object",
        "properties": {
            "rules": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": { "type": "string" },
                        "title": { "type": "string" },
                        "description": { "type": "string" },
                        "severity": severity(),
                        "languages": {
                            "type": "array",
                            "items": { "type": "string" },
                            "description": "`*` is every language, and text in none."
                        }
                    },
                    "required": ["id", "title", "description", "severity", "languages"],
                    "additionalProperties": false
                }
            }
        },
        "required": ["rules"],
        "additionalProperties": false
    })
}

fn names() -> Vec<&'static str> {
    RULES.iter().map(|rule| rule.name).collect()
}

fn severity() -> Value {
    json!({ "type": "string", "enum": ["note", "warning", "error"] })
}

fn number(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

fn path(description: &str) -> Value {
    json!({ "type": "string", "maxLength": PATH_CHARS, "description": description })
}

fn language() -> Value {
    json!({
        "type": "string",
        "maxLength": 64,
        "description": "Such as `rust` or `python`; found from path and text without it. An unknown one is read as \
                        plain text."
    })
}
