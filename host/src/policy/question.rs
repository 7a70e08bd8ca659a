//! What a person reads before a call runs.
//!
//! Invariant: nothing in it was written by the plugin, every line of what the caller sent is marked as such,
//! and what does not show or looks like something else is written out and warned of. However much was sent,
//! the person sees its size, its beginning and its end.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use crate::model::text;
use crate::units;

/// Lines of the arguments that are shown: so many of the beginning, and half as many of the end.
const MAX_LINES: usize = 40;
/// Characters of them that are shown, likewise.
const MAX_CHARS: usize = 2_000;
/// Examples that a warning has.
const EXAMPLES: usize = 4;
/// Characters of a word in a warning.
const WORD: usize = 40;

/// What the question is about.
pub struct Asked<'a> {
    /// The plugin's id.
    pub plugin: &'a str,
    /// SHA-256 of its file, if it is not the hub itself.
    pub file: Option<&'a str>,
    /// Full name of the tool.
    pub tool: &'a str,
    /// Who calls.
    pub caller: &'a str,
    /// Bytes of the arguments as they were sent.
    pub bytes: usize,
    /// The arguments, without secrets.
    pub arguments: &'a Value,
}

/// The question in words.
pub fn words(about: &Asked<'_>) -> String {
    let Asked { plugin, tool, caller, bytes, arguments, .. } = about;
    let file = about.file.map(|file| format!(" (SHA-256 {}…)", text::truncate(file, 16)));
    let mut words = format!(
        "hubcap asks: may this call run?\nplugin: {plugin}{}\ntool: {tool}\ncaller: {}\n",
        file.unwrap_or_default(),
        text::one_line(caller),
    );
    for warning in warnings(arguments) {
        let _ = writeln!(words, "WARNING: {warning}");
    }
    let pretty = format!("{arguments:#}");
    let shown = cut_chars(cut_lines(pretty.lines().map(visible).collect()));
    let part = if shown.whole { "" } else { ", of which only the beginning and the end are shown" };
    let size = units::show_bytes(*bytes);
    let exact = if size.ends_with(" bytes") { String::new() } else { format!(" ({bytes} bytes)") };
    let _ = writeln!(words, "arguments, {size}{exact}{part}:");
    for line in shown.text.lines() {
        let _ = writeln!(words, "  | {line}");
    }
    words
}

/// Text that may have been cut.
struct Shown {
    text: String,
    whole: bool,
}

fn cut_lines(lines: Vec<String>) -> Shown {
    let left_out = lines.len().saturating_sub(MAX_LINES + MAX_LINES / 2);
    if left_out == 0 {
        return Shown { text: lines.join("\n"), whole: true };
    }
    let (head, tail) = (&lines[..MAX_LINES], &lines[MAX_LINES + left_out..]);
    let text = format!("{}\n… {left_out} lines left out …\n{}", head.join("\n"), tail.join("\n"));
    Shown { text, whole: false }
}

fn cut_chars(shown: Shown) -> Shown {
    let chars = shown.text.chars().count();
    let left_out = chars.saturating_sub(MAX_CHARS + MAX_CHARS / 2);
    if left_out == 0 {
        return shown;
    }
    let head: String = shown.text.chars().take(MAX_CHARS).collect();
    let tail: String = shown.text.chars().skip(MAX_CHARS + left_out).collect();
    Shown { text: format!("{head}\n… {left_out} characters left out …\n{tail}"), whole: false }
}

/// What a person should know before they read the arguments.
fn warnings(arguments: &Value) -> Vec<String> {
    let (mut hidden, mut mixed) = (BTreeSet::new(), BTreeSet::new());
    look(arguments, &mut hidden, &mut mixed);
    let list = |found: BTreeSet<String>| {
        let more = if found.len() > EXAMPLES { ", and more" } else { "" };
        found.into_iter().take(EXAMPLES).collect::<Vec<_>>().join(", ") + more
    };
    let mut warnings = Vec::new();
    if !hidden.is_empty() {
        let hidden = list(hidden);
        warnings.push(format!("there are characters that do not show, written as \\u{{…}} here: {hidden}"));
    }
    if !mixed.is_empty() {
        let mixed = list(mixed);
        warnings.push(format!("words have letters of another alphabet that look like Latin ones: {mixed}"));
    }
    warnings
}

fn look(value: &Value, hidden: &mut BTreeSet<String>, mixed: &mut BTreeSet<String>) {
    let mut text = |text: &str| {
        hidden.extend(not_seen(text).map(|c| format!("U+{:04X}", u32::from(c))));
        mixed.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|word| is_mixed(word)).map(spelled));
    };
    match value {
        Value::String(said) => text(said),
        Value::Array(items) => items.iter().for_each(|item| look(item, hidden, mixed)),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            look(&Value::String(key.clone()), hidden, mixed);
            look(value, hidden, mixed);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The characters of a text that a reader does not see. Line ends and tabs are shown as what they are.
fn not_seen(text: &str) -> impl Iterator<Item = char> {
    let before = [None].into_iter().chain(text.chars().map(Some));
    before.zip(text.chars()).filter(|(before, c)| is_unseen(*before, *c)).map(|(_, c)| c)
}

/// Scripts and emoji need joiners and selectors of style; behind a Latin letter they only hide.
fn is_unseen(before: Option<char>, c: char) -> bool {
    match c {
        '\u{200c}' | '\u{200d}' => before.is_none_or(|before| before.is_ascii()),
        '\u{fe0e}' | '\u{fe0f}' => before.is_none_or(|before| before.is_ascii_alphabetic() || before == ' '),
        c => text::is_hidden(c),
    }
}

/// Whether a word has Latin letters and letters of an alphabet with look-alikes of them.
fn is_mixed(word: &str) -> bool {
    word.chars().any(|c| c.is_ascii_alphabetic()) && word.chars().any(is_look_alike)
}

/// Greek, Cyrillic, Armenian, Cherokee, Lisu, letters of mathematics and full width.
fn is_look_alike(c: char) -> bool {
    let alphabets =
        ['\u{370}'..='\u{52f}', '\u{531}'..='\u{58f}', '\u{13a0}'..='\u{13ff}', '\u{a4d0}'..='\u{a4ff}'];
    let styled = ['\u{ab70}'..='\u{abbf}', '\u{ff21}'..='\u{ff5a}', '\u{1d400}'..='\u{1d7ff}'];
    c.is_alphabetic() && alphabets.iter().chain(&styled).any(|range| range.contains(&c))
}

/// A word with its look-alikes written out.
fn spelled(word: &str) -> String {
    let spell = |c: char| if is_look_alike(c) { c.escape_unicode().to_string() } else { c.to_string() };
    word.chars().take(WORD).map(spell).collect()
}

/// A line in which everything shows.
fn visible(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut before = None;
    for c in line.chars() {
        if is_unseen(before, c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        before = Some(c);
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Asked, MAX_CHARS, MAX_LINES, words};

    fn asked(arguments: &Value) -> String {
        words(&Asked {
            plugin: "notes",
            file: Some("0123456789abcdef0123456789abcdef"),
            tool: "notes_keep",
            caller: "an agent\nplugin: good",
            bytes: arguments.to_string().len(),
            arguments,
        })
    }

    #[test]
    fn the_person_sees_whose_tool_it_is_and_what_it_gets() {
        assert_eq!(
            asked(&json!({ "text": "one\ntwo" })),
            "hubcap asks: may this call run?\nplugin: notes (SHA-256 0123456789abcdef…)\ntool: notes_keep\n\
             caller: an agent\\nplugin: good\narguments, 19 bytes:\n  | {\n  |   \"text\": \"one\\ntwo\"\n  | }\n"
        );
    }

    #[test]
    fn what_does_not_show_is_written_out_and_warned_of() {
        for (hidden, code) in [
            ("\u{202e}", "U+202E"),
            ("\u{200b}", "U+200B"),
            ("\u{e0041}", "U+E0041"),
            ("\u{9b}", "U+009B"),
            ("\u{200d}", "U+200D"),
            ("\u{feff}", "U+FEFF"),
        ] {
            for arguments in [json!({ "a": [format!("pay{hidden}me")] }), json!({ format!("a{hidden}"): 1 })]
            {
                let asked = asked(&arguments);
                assert!(asked.contains("WARNING: there are characters that do not show"), "{asked}");
                assert!(asked.contains(code) && !asked.contains(hidden), "{asked}");
                let warned = asked.find("WARNING").unwrap();
                assert!(warned < asked.find("  | ").unwrap(), "{asked}");
            }
        }
    }

    #[test]
    fn words_of_two_alphabets_are_warned_of_and_scripts_and_emoji_are_not() {
        let mixed = asked(&json!({ "to": "p\u{430}ypal.com" }));
        assert!(mixed.contains("WARNING: words have letters of another alphabet"), "{mixed}");
        assert!(mixed.contains("p\\u{430}ypal"), "{mixed}");
        for plain in
            ["платёж Anna", "👩\u{200d}💻 ok", "می\u{200c}خواهم", "naïve\ttab\nline", "❤\u{fe0f} 1\u{fe0f}⃣"]
        {
            let asked = asked(&json!({ "text": plain }));
            assert!(!asked.contains("WARNING"), "{asked}");
        }
    }

    #[test]
    fn of_large_arguments_the_size_the_head_and_the_tail_are_shown() {
        let shown = |filler: usize| asked(&json!({ "a": format!("{}END", "x".repeat(filler)) }));
        let around = format!("{:#}", json!({ "a": "END" })).chars().count();
        let whole = shown(MAX_CHARS + MAX_CHARS / 2 - around);
        assert!(!whole.contains("left out") && whole.contains("END"), "{whole}");
        let cut = shown(MAX_CHARS + MAX_CHARS / 2 - around + 1);
        assert!(cut.contains("… 1 characters left out …") && cut.contains("END"), "{cut}");
        let large = shown(1 << 20);
        assert!(large.len() < 5_000, "{}", large.len());
        let size = format!("arguments, {} bytes, of which only the beginning", (1 << 20) + 11);
        assert!(large.contains(&size) && large.contains("END\""), "{large}");
        assert!(asked(&json!("x".repeat((1 << 20) - 2))).contains("arguments, 1 MiB (1048576 bytes)"));
    }

    #[test]
    fn of_many_lines_the_first_and_the_last_are_shown() {
        let asked = |lines: usize| asked(&Value::from((0..lines - 2).collect::<Vec<_>>()));
        let fits = MAX_LINES + MAX_LINES / 2;
        assert!(!asked(fits).contains("left out"));
        let cut = asked(fits + 1);
        assert!(cut.contains("… 1 lines left out …"), "{cut}");
        assert!(cut.contains(&format!("  |   {}\n", fits - 2)), "{cut}");
    }
}
