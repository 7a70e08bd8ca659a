//! Making results.

use crate::{Content, Error, Output};

impl Output {
    /// One block of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Content::Text(text.into())], structured: None, meta: Vec::new() }
    }

    /// Data; agents that only read text get its JSON.
    ///
    /// # Errors
    /// Where the value cannot be written as JSON, such as a map whose keys are no strings.
    pub fn structured<T: serde::Serialize>(value: &T) -> Result<Self, Error> {
        Ok(Self { content: Vec::new(), structured: Some(serde_json::to_string(value)?), meta: Vec::new() })
    }
}
