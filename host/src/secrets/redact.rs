//! Takes secrets out of text that leaves the host.
//!
//! Invariant: a text without a secret is not touched, and costs one search for each secret.

use std::borrow::Cow;

use serde_json::Value;

use crate::secrets::Secrets;

impl Secrets {
    /// The text with each secret's name in the place of its value.
    pub fn redacted<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut redacted = Cow::Borrowed(text);
        for secret in &self.0 {
            if redacted.contains(secret.value()) {
                redacted = Cow::Owned(redacted.replace(secret.value(), &format!("[secret {}]", secret.name)));
            }
        }
        redacted
    }

    /// The same in place.
    pub fn redact(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.redacted(text) {
            *text = redacted;
        }
    }

    /// The same in all texts of a value, names too.
    pub fn redact_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.redact(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::Object(map) => {
                let is_shown = |key: &String| matches!(self.redacted(key), Cow::Owned(_));
                if map.keys().any(is_shown) {
                    let entries = std::mem::take(map).into_iter();
                    *map = entries.map(|(key, value)| (self.redacted(&key).into_owned(), value)).collect();
                }
                map.values_mut().for_each(|value| self.redact_json(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Takes secrets out of bytes, where they may be in the middle of anything.
    pub fn redact_bytes(&self, bytes: &mut Vec<u8>) {
        for secret in &self.0 {
            let (value, name) = (secret.value().as_bytes(), format!("[secret {}]", secret.name));
            let (mut redacted, mut rest) = (Vec::new(), bytes.as_slice());
            while let Some(at) = rest.windows(value.len()).position(|window| window == value) {
                redacted.extend_from_slice(&rest[..at]);
                redacted.extend_from_slice(name.as_bytes());
                rest = &rest[at + value.len()..];
            }
            if rest.len() < bytes.len() {
                redacted.extend_from_slice(rest);
                *bytes = redacted;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use crate::secrets::tests::{bound, secret};

    #[tokio::test]
    async fn a_secret_is_taken_out_of_text_values_and_bytes() {
        let secrets = secret("s3cret-value", Some(bound()), false).await.unwrap();
        assert_eq!(secrets.redacted("a s3cret-value, s3cret-value!"), "a [secret token], [secret token]!");
        assert!(matches!(secrets.redacted("nothing here"), Cow::Borrowed(_)));
        let mut value = json!({ "s3cret-value": ["x", { "y": "is s3cret-value" }], "n": 1 });
        secrets.redact_json(&mut value);
        assert_eq!(value, json!({ "[secret token]": ["x", { "y": "is [secret token]" }], "n": 1 }));
        let mut bytes = b"\xffs3cret-value\xff".to_vec();
        secrets.redact_bytes(&mut bytes);
        assert_eq!(bytes, b"\xff[secret token]\xff");
    }
}
