//! Secrets: what the operator lends to a plugin's requests, or lets it see.
//!
//! Invariant: a value is read once, when its plugin is loaded; it leaves this module only for a request to
//! its origin, for a guest that was granted to see it, and to be looked for in text that must not have it. It
//! is wiped from memory with its plugin.

mod redact;
mod source;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::origin::Origin;
use crate::policy::{Bound, SecretGrant};

/// Bytes of a secret: fewer would be found all over ordinary text.
const MIN_BYTES: usize = 8;
/// Bytes of a secret.
const MAX_BYTES: usize = 16 << 10;

/// The secrets of one plugin.
#[derive(Default)]
pub struct Secrets(Vec<Secret>);

struct Secret {
    name: String,
    value: SecretString,
    bound: Option<Bound>,
    reveal: bool,
}

impl Secret {
    fn value(&self) -> &str {
        self.value.expose_secret()
    }
}

/// Shows that there are secrets, and nothing of them.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

impl Secrets {
    /// Reads what was granted.
    ///
    /// # Errors
    /// Which secret cannot be had, and why; nothing of its value.
    pub async fn read(grants: &[SecretGrant]) -> Result<Self, String> {
        let mut secrets = Vec::with_capacity(grants.len());
        for grant in grants {
            let wrong = |why: String| format!("the secret {:?} cannot be used: {why}", grant.name);
            if grant.bound.is_none() && !grant.reveal {
                return Err(wrong(
                    "it goes nowhere: grant it a `url` and a `header`, or `reveal = true`".into(),
                ));
            }
            let value = source::value(&grant.source).await.map_err(wrong)?;
            check(value.expose_secret(), grant.bound.as_ref()).map_err(|why| wrong(why.into()))?;
            let (name, bound) = (grant.name.clone(), grant.bound.clone());
            secrets.push(Secret { name, value, bound, reveal: grant.reveal });
        }
        Ok(Self(secrets))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is one of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|secret| secret.name == name)
    }

    /// The value for a guest that was granted to see it.
    pub fn reveal(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|secret| secret.name == name && secret.reveal).map(Secret::value)
    }

    /// Headers, name and value, of requests to an origin.
    pub fn headers(&self, origin: &Origin) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(move |secret| {
            let bound = secret.bound.as_ref().filter(|bound| bound.origin == *origin)?;
            Some((bound.header.as_str(), format!("{}{}", bound.prefix.as_str(), secret.value())))
        })
    }
}

fn check(value: &str, bound: Option<&Bound>) -> Result<(), &'static str> {
    if !(MIN_BYTES..=MAX_BYTES).contains(&value.len()) {
        return Err("it has to have 8 bytes to 16 KiB");
    }
    if value.chars().any(char::is_control) {
        return Err("it has more than one line, or other control characters");
    }
    let visible = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if bound.is_some() && !visible(value) {
        return Err("a header takes visible ASCII only");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, MIN_BYTES, Secrets};
    use crate::config::Source;
    use crate::manifest::Manifest;
    use crate::origin::Origin;
    use crate::policy::{Bound, SecretGrant};

    pub(super) fn bound() -> Bound {
        let text = "id = \"x\"\nversion = \"1.0.0\"\n[[ask.secrets]]\nname = \"token\"\nurl = \"https://api.example\"\nheader = \"authorization\"\nprefix = \"Bearer \"\n";
        let asked = Manifest::parse("plugin.toml", text).unwrap().ask.secrets[0].clone();
        let (origin, header) = (asked.url.unwrap(), asked.header.unwrap());
        Bound { origin, header, prefix: asked.prefix }
    }

    /// The secret `token` from a file with this content.
    pub(super) async fn secret(content: &str, bound: Option<Bound>, reveal: bool) -> Result<Secrets, String> {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let source = Source::File(path);
        Secrets::read(&[SecretGrant { name: "token".into(), source, bound, reveal }]).await
    }

    #[tokio::test]
    async fn a_bound_secret_goes_into_requests_to_its_origin_and_nowhere_else() {
        let secrets = secret("s3cret-value\n", Some(bound()), false).await.unwrap();
        let headers = |origin: &str| secrets.headers(&Origin::parse(origin).unwrap()).collect::<Vec<_>>();
        assert_eq!(headers("https://api.example"), [("authorization", "Bearer s3cret-value".to_owned())]);
        for other in ["http://api.example", "https://api.example:8443", "https://other.example", "https://*"]
        {
            assert!(headers(other).is_empty(), "{other}");
        }
        assert_eq!((secrets.has("token"), secrets.reveal("token")), (true, None));
        assert!(!secrets.has("other") && secrets.reveal("other").is_none());
        assert_eq!(format!("{secrets:?}"), "1 secrets");
    }

    #[tokio::test]
    async fn only_a_revealed_one_is_seen() {
        let secrets = secret("s3cret-value", None, true).await.unwrap();
        assert_eq!(secrets.reveal("token"), Some("s3cret-value"));
        let nowhere = secret("s3cret-value", None, false).await.unwrap_err();
        assert!(nowhere.contains("goes nowhere") && !nowhere.contains("s3cret"), "{nowhere}");
    }

    #[tokio::test]
    async fn a_value_has_8_bytes_to_16_kib_on_one_line() {
        for fine in ["x".repeat(MIN_BYTES), "x".repeat(MAX_BYTES), "x".repeat(MIN_BYTES) + "\r\n"] {
            assert!(secret(&fine, Some(bound()), true).await.is_ok());
        }
        for wrong in [
            "x".repeat(MIN_BYTES - 1),
            "x".repeat(MAX_BYTES + 1),
            "two lines\nof secret".into(),
            "with a \0 in it".into(),
            "gehéim-in-header".into(),
        ] {
            let error = secret(&wrong, Some(bound()), true).await.unwrap_err();
            assert!(!error.contains(&wrong), "{error}");
        }
        assert!(secret("gehéim-seen-only", None, true).await.is_ok());
    }
}
