//! The keys of an attribute: `name = "…"`, `read_only`, `context_tokens = 8192`.
//!
//! Invariant: what is not asked for by name was refused when the attribute was read.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, Lit, LitInt, LitStr, Result, Token};

use crate::name::suggest;

/// One `key` or `key = value`.
struct Pair {
    key: Ident,
    value: Option<Lit>,
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let key = input.parse()?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() { Some(input.parse()?) } else { None };
        Ok(Self { key, value })
    }
}

/// The keys that were given.
pub(crate) struct Keys(Vec<Pair>);

impl Keys {
    /// Reads the inside of the attribute `attribute`, which knows the keys `known`.
    pub(crate) fn read(attribute: &str, known: &[&str], tokens: TokenStream) -> Result<Self> {
        let pairs = Punctuated::<Pair, Token![,]>::parse_terminated.parse2(tokens)?;
        let mut read: Vec<Pair> = Vec::new();
        for pair in pairs {
            let key = &pair.key;
            if !known.contains(&key.to_string().as_str()) {
                let suggestion = suggest(&key.to_string(), known);
                let message = format!("`{attribute}` has no key `{key}`: {suggestion}");
                return Err(Error::new_spanned(key, message));
            }
            if read.iter().any(|other| other.key == *key) {
                return Err(Error::new_spanned(key, format!("`{key}` is given twice: remove one")));
            }
            read.push(pair);
        }
        Ok(Self(read))
    }

    fn find(&self, key: &str) -> Option<&Pair> {
        self.0.iter().find(|pair| pair.key == key)
    }

    /// The identifier of a key, for messages that point at it.
    pub(crate) fn place(&self, key: &str) -> Option<&Ident> {
        self.find(key).map(|pair| &pair.key)
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&LitStr>> {
        let Some(pair) = self.find(key) else { return Ok(None) };
        match &pair.value {
            Some(Lit::Str(literal)) => Ok(Some(literal)),
            _ => Err(Error::new_spanned(&pair.key, format!("`{key}` wants a text: `{key} = \"…\"`"))),
        }
    }

    /// A whole number.
    pub(crate) fn number(&self, key: &str) -> Result<Option<&LitInt>> {
        let Some(pair) = self.find(key) else { return Ok(None) };
        match &pair.value {
            Some(Lit::Int(literal)) => Ok(Some(literal)),
            _ => Err(Error::new_spanned(&pair.key, format!("`{key}` wants a whole number: `{key} = 8192`"))),
        }
    }

    /// True where the key stands alone.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>> {
        let Some(pair) = self.find(key) else { return Ok(None) };
        match &pair.value {
            None => Ok(Some(true)),
            Some(Lit::Bool(literal)) => Ok(Some(literal.value)),
            Some(_) => {
                let message = format!("`{key}` stands alone, or is `{key} = true` or `{key} = false`");
                Err(Error::new_spanned(&pair.key, message))
            }
        }
    }
}
