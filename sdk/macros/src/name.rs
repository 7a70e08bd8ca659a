//! Names: of tools, rules and models, and the nearest one to a mistyped one.

use proc_macro2::Span;
use syn::{Error, Ident, LitStr, Result};

/// The name that a function has unless an attribute gives another.
pub(crate) struct Name {
    /// The name.
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

impl Name {
    /// The name from the key, else from the function.
    pub(crate) fn of(key: Option<&LitStr>, function: &Ident) -> Self {
        match key {
            Some(literal) => Self { text: literal.value(), span: literal.span() },
            None => Self { text: plain(function), span: function.span() },
        }
    }

    /// Likewise, with `-` where a function can only have `_`.
    pub(crate) fn with_hyphens(key: Option<&LitStr>, function: &Ident) -> Self {
        let mut name = Self::of(key, function);
        if key.is_none() {
            name.text = name.text.replace('_', "-");
        }
        name
    }

    /// Refuses a name that breaks the rule.
    pub(crate) fn check(&self, what: &str, key: &str, rule: &str, holds: bool) -> Result<()> {
        if holds {
            return Ok(());
        }
        let text = &self.text;
        Err(Error::new(
            self.span,
            format!(
                "`{text}` is no name for a {what}: use {rule}; `{key} = \"…\"` in the attribute sets another"
            ),
        ))
    }
}

/// An identifier without `r#`.
pub(crate) fn plain(identifier: &Ident) -> String {
    let text = identifier.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// "did you mean" and the nearest of the known names, or all of them.
pub(crate) fn suggest(given: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3);
    let all = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match nearest {
        Some((_, name)) => format!("did you mean `{name}`? The keys are {all}"),
        None => format!("the keys are {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn a_mistyped_key_is_answered_with_the_nearest_one_and_a_strange_one_with_all() {
        assert!(suggest("titel", &["name", "title"]).starts_with("did you mean `title`?"));
        assert_eq!(suggest("permissions", &["name", "title"]), "the keys are `name`, `title`");
    }
}
