//! A tool is a function with a doc comment.

use hubcap_sdk::{Error, tool};

/// Greets somebody by name.
#[tool(title = "Greet", pure)]
fn greet(
    /// Who is greeted.
    name: String,
) -> Result<String, Error> {
    if name.trim().is_empty() {
        return Err(Error::invalid_arguments("`name` is empty: say who it is"));
    }
    Ok(format!("Hello, {name}!"))
}

hubcap_sdk::plugin!(tools: [greet]);

#[cfg(test)]
mod tests {
    #[test]
    fn whoever_has_a_name_is_greeted() {
        assert_eq!(super::greet("Ada".into()).unwrap(), "Hello, Ada!");
        assert!(super::greet(" ".into()).is_err());
    }
}
