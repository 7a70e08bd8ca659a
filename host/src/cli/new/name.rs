//! The name of a new plugin.
//!
//! Invariant: what comes out is a plugin id, and a package name that cargo takes beside the SDK's.

use crate::cli::Failure;
use crate::model::{PLUGIN_ID_RULE, PluginId, text};

/// Crates that every plugin depends on: cargo cannot keep a local package of the same name and version
/// apart from them.
const TAKEN: [&str; 2] = ["hubcap-sdk", "hubcap-sdk-macros"];

/// The plugin id that was given.
///
/// # Errors
/// Where it is none, with the rule and one that it could be.
pub(super) fn check(given: &str) -> Result<PluginId, Failure> {
    let id = PluginId::new(given);
    if let Some(id) = id.filter(|_| !TAKEN.contains(&given)) {
        return Ok(id);
    }
    let shown = text::one_line(text::truncate(given, 100)).into_owned();
    let reason = if TAKEN.contains(&given) {
        "is the name of a crate that every plugin depends on".to_owned()
    } else {
        format!("is no plugin id: {PLUGIN_ID_RULE}")
    };
    let offer = nearest(given).map(|id| format!("; try `{id}`")).unwrap_or_default();
    Err(Failure::Usage(format!("{shown:?} {reason}{offer}")))
}

/// An id like what was given; none where too little of it is left.
fn nearest(given: &str) -> Option<PluginId> {
    // Of a path, the part that would be the new folder.
    let name = given.trim_end_matches('/').rsplit('/').next().unwrap_or(given);
    let mut id = String::new();
    let mut before = ' ';
    for c in name.chars() {
        let begins_a_word = c.is_ascii_uppercase() && !before.is_ascii_uppercase();
        if (begins_a_word || !c.is_ascii_alphanumeric()) && !id.ends_with('-') {
            id.push('-');
        }
        if c.is_ascii_alphanumeric() {
            id.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    let id =
        text::truncate(id.trim_start_matches(|c: char| !c.is_ascii_lowercase()), 24).trim_end_matches('-');
    [id.to_owned(), format!("{id}-plugin")]
        .into_iter()
        .filter(|id| !TAKEN.contains(&id.as_str()))
        .find_map(|id| PluginId::new(&id))
}

#[cfg(test)]
mod tests {
    use super::{check, nearest};
    use crate::cli::Failure;

    #[test]
    fn an_id_is_offered_that_is_like_what_was_given() {
        let cases = [
            ("My_Tool", "my-tool"),
            ("MyTool", "my-tool"),
            ("HTTP server", "http-server"),
            ("plugins/word-count/", "word-count"),
            ("2nd.try", "nd-try"),
            ("hubcap", "hubcap-plugin"),
            ("hubcap-sdk-macros", "hubcap-sdk-macros-plugin"),
            ("a-name-of-more-than-twenty-four-characters", "a-name-of-more-than-twen"),
        ];
        for (given, offered) in cases {
            assert_eq!(nearest(given).unwrap().as_str(), offered);
        }
        for given in ["", "/", "日本", "42"] {
            assert!(nearest(given).is_none(), "{given:?}");
        }
    }

    #[test]
    fn names_of_crates_that_plugins_depend_on_are_refused() {
        assert!(check("hubcap-sdk-plugin").is_ok());
        for taken in ["hubcap-sdk", "hubcap-sdk-macros"] {
            let Err(Failure::Usage(message)) = check(taken) else { panic!("{taken} is taken") };
            assert!(message.contains("depends on; try `hubcap-sdk-"), "{message}");
        }
    }
}
