//! Doc comments: what agents and people read.

use syn::{Attribute, Error, Expr, Ident, Lit, Meta, Result};

/// Bytes of a description that the host takes.
const MAX_DESCRIPTION: usize = 2 << 10;

/// The text of an item's doc comment; empty where there is none.
pub(crate) fn text(attributes: &[Attribute]) -> Result<String> {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        // `#[doc(hidden)]` and its like say nothing.
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(literal) = &pair.value else {
            return Err(Error::new_spanned(
                &pair.value,
                "write the text itself: macros cannot read it from elsewhere",
            ));
        };
        if let Lit::Str(line) = &literal.lit {
            let line = line.value();
            lines.push(line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
        }
    }
    Ok(lines.join("\n").trim().to_owned())
}

/// The description that an item needs.
pub(crate) fn description(
    what: &str,
    name: &Ident,
    attributes: &[Attribute],
    reader: &str,
) -> Result<String> {
    let text = text(attributes)?;
    match text.len() {
        0 => Err(Error::new_spanned(
            name,
            format!(
                "the {what} `{name}` needs a doc comment, {reader}: write `/// What it does.` above the function"
            ),
        )),
        bytes if bytes > MAX_DESCRIPTION => Err(Error::new_spanned(
            name,
            format!(
                "the doc comment of the {what} `{name}` has {bytes} bytes: shorten it to {MAX_DESCRIPTION}, or \
                 write the rest as a comment (`//`)"
            ),
        )),
        _ => Ok(text),
    }
}

/// The first line of a description, without its full stop.
pub(crate) fn title(description: &str) -> &str {
    let line = description.lines().next().unwrap_or(description);
    line.strip_suffix('.').unwrap_or(line)
}
