//! What a plugin may call through the hub: named on the command line or on the terminal, and written.

use toml_edit::{Array, Item, TableLike, value};

use crate::model::{Callee, CalleeKind};

/// Reads `KIND=NAME`.
pub(super) fn named(written: &str) -> Result<Callee, String> {
    let (kind, name) = written.split_once('=').ok_or("write KIND=NAME")?;
    let kind = CalleeKind::ALL.into_iter().find(|known| known.as_str() == kind);
    callee(kind.ok_or("the kind is `tool`, `validator` or `provider`")?, name)
}

fn callee(kind: CalleeKind, name: &str) -> Result<Callee, String> {
    Callee::new(kind, name).ok_or_else(|| format!("{name:?} is no {kind}: {}", kind.rule()))
}

/// What the options name of a kind, as [`list`] reads it; nothing where they name none.
pub(super) fn given(kind: CalleeKind, options: &[Callee]) -> Option<String> {
    let of_kind = options.iter().filter(|callee| callee.kind() == kind);
    let names: Vec<&str> = of_kind.map(Callee::name).collect();
    (!names.is_empty()).then(|| names.join(","))
}

/// Names with commas between.
///
/// # Errors
/// Which of it is no name.
pub(super) fn list(kind: CalleeKind, given: &str) -> Result<Vec<Callee>, String> {
    given.split(',').map(|name| callee(kind, name.trim())).collect()
}

/// Adds callees to their list.
pub(super) fn put(hub: &mut dyn TableLike, callees: &[Callee]) -> Result<(), String> {
    for callee in callees {
        let key = callee.kind().plural();
        let list = hub.entry(key).or_insert_with(|| value(Array::new()));
        let list = Item::as_array_mut(list).ok_or_else(|| format!("`{key}` is not a list"))?;
        if !list.iter().any(|there| there.as_str() == Some(callee.name())) {
            list.push(callee.name());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::{given, list, named, put};
    use crate::model::CalleeKind;

    #[test]
    fn an_option_is_a_kind_and_a_name_of_that_kind() {
        assert_eq!(named("tool=github_search").unwrap().to_string(), "the tool \"github_search\"");
        for (written, why) in [
            ("github_search", "KIND=NAME"),
            ("tools=github_search", "the kind is"),
            ("tool=github", "`<plugin-id>_<tool>`"),
            ("provider=a_b", "the id of its plugin"),
        ] {
            assert!(named(written).unwrap_err().contains(why), "{written}");
        }
    }

    #[test]
    fn names_of_one_kind_are_taken_together() {
        let options: Vec<_> =
            ["provider=a", "tool=a_b", "provider=c"].iter().map(|option| named(option).unwrap()).collect();
        assert_eq!(given(CalleeKind::Provider, &options).as_deref(), Some("a,c"));
        assert_eq!(given(CalleeKind::Validator, &options), None);
        assert_eq!(list(CalleeKind::Provider, "a, c").unwrap().len(), 2);
        assert!(list(CalleeKind::Provider, "a,").unwrap_err().contains("\"\" is no provider"));
    }

    #[test]
    fn callees_are_added_to_what_is_there_and_stand_once() {
        let callees = ["tool=a_b", "tool=c_d", "provider=e"].map(|option| named(option).unwrap());
        let mut document: DocumentMut = "tools = [\"a_b\"] # mine\n".parse().unwrap();
        put(document.as_table_mut(), &callees).unwrap();
        assert_eq!(document.to_string(), "tools = [\"a_b\", \"c_d\"] # mine\nproviders = [\"e\"]\n");
        let mut wrong: DocumentMut = "tools = 1\n".parse().unwrap();
        assert_eq!(put(wrong.as_table_mut(), &callees).unwrap_err(), "`tools` is not a list");
    }
}
