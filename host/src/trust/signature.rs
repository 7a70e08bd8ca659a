//! Publishers' signatures of plugin files, by minisign.
//!
//! Invariant: a good signature covers all that the digest covers, and says which plugin and version it is
//! for, so that an old file or another plugin's cannot be passed off.

use minisign_verify::{Error, PublicKey, Signature};
use semver::Version;

use crate::model::{PluginId, text};
use crate::trust::Trust;

/// What was signed, and what its signature has to fit.
pub struct Signed<'a> {
    /// The component.
    pub bytes: &'a [u8],
    /// Text of the `.minisig` beside it, where there is one.
    pub signature: Option<&'a str>,
    /// Who the file says it is.
    pub id: &'a PluginId,
    /// Its version.
    pub version: &'a str,
    /// Whether what is known of it is in the component, and not in a manifest beside it.
    pub self_contained: bool,
    /// The version that was accepted last, where one was.
    pub accepted: Option<&'a str>,
}

/// The publisher who signed it; nobody where it has no signature and needs none.
///
/// Without publishers nothing is looked at: there is no key to look with.
///
/// # Errors
/// Why the file cannot be trusted to be what it says.
pub fn check(trust: &Trust, signed: &Signed<'_>) -> Result<Option<String>, String> {
    let Some(given) = signed.signature.filter(|_| !trust.publishers.is_empty()) else {
        return match trust.require_signature {
            true => Err("not signed: [trust] in hubcap.toml requires a signature of a publisher, \
                 `<file>.wasm.minisig` beside the file"
                .into()),
            false => Ok(None),
        };
    };
    let bad = |why: String| format!("bad signature: {why}");
    let signature = Signature::decode(given).map_err(|_| bad("the .minisig is not minisign's".into()))?;
    let publisher = publisher(trust, signed.bytes, &signature).map_err(bad)?;
    if !signed.self_contained {
        return Err(bad("the manifest beside the file is not covered by it; embed the manifest".into()));
    }
    check_comment(signature.trusted_comment(), signed).map_err(bad)?;
    check_age(signed).map_err(bad)?;
    Ok(Some(publisher))
}

/// Who signed these bytes.
fn publisher(trust: &Trust, bytes: &[u8], signature: &Signature) -> Result<String, String> {
    let verify = |key: &PublicKey| key.verify(bytes, signature, false);
    let mut why = "it is by a key of none of the publishers in hubcap.toml".to_owned();
    for (name, key) in &trust.publishers {
        match verify(key) {
            Ok(()) => return Ok(name.clone()),
            Err(Error::UnexpectedKeyId) => {}
            Err(Error::UnexpectedAlgorithm) => {
                why = "it is of the old form; sign again with a minisign that is not older than 0.8".into();
            }
            Err(_) => why = format!("the file is not the one that {name} signed"),
        }
    }
    Err(why)
}

/// The trusted comment is words of the form `key=value`; `id` and `version` have to be there once.
fn check_comment(comment: &str, signed: &Signed<'_>) -> Result<(), String> {
    for (key, is) in [("id", signed.id.as_str()), ("version", signed.version)] {
        let said: Vec<&str> = comment
            .split_whitespace()
            .filter_map(|word| word.split_once('=').filter(|(name, _)| *name == key).map(|(_, value)| value))
            .collect();
        match said[..] {
            [said] if said == is => {}
            [said] => {
                let said = text::one_line(text::truncate(said, 100)).into_owned();
                return Err(format!("it is for {key} {said:?}, and the file says {is:?}"));
            }
            _ => return Err(format!("its trusted comment needs one `{key}={is}`")),
        }
    }
    Ok(())
}

/// A signature stays good for ever, so that an old file with its faults could come back with it.
fn check_age(signed: &Signed<'_>) -> Result<(), String> {
    let Some(accepted) = signed.accepted.filter(|accepted| *accepted != signed.version) else {
        return Ok(());
    };
    let is_older = match (Version::parse(signed.version), Version::parse(accepted)) {
        (Ok(now), Ok(before)) => now.cmp_precedence(&before).is_lt(),
        // What cannot be compared could be older.
        _ => true,
    };
    match is_older {
        true => Err(format!(
            "a downgrade: version {} is older than {accepted}, which was accepted; to go back, remove \
             [plugins.{}] from hubcap.lock",
            signed.version, signed.id
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use minisign::KeyPair;
    use minisign_verify::PublicKey;

    use super::{Signed, check};
    use crate::model::PluginId;
    use crate::trust::Trust;

    const BYTES: &[u8] = b"component";

    fn publisher() -> (KeyPair, Trust) {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let key = PublicKey::from_base64(&pair.pk.to_base64()).unwrap();
        let publishers = BTreeMap::from([("acme".to_owned(), key)]);
        (pair, Trust { require_signature: true, publishers, ..Trust::default() })
    }

    fn sign(pair: &KeyPair, comment: &str) -> String {
        minisign::sign(None, &pair.sk, BYTES, Some(comment), None).unwrap().into_string()
    }

    /// Checks a file of `echo` 1.2.0.
    fn checked(
        trust: &Trust,
        signature: Option<&str>,
        accepted: Option<&str>,
    ) -> Result<Option<String>, String> {
        let id = PluginId::new("echo").unwrap();
        let (version, self_contained) = ("1.2.0", true);
        check(trust, &Signed { bytes: BYTES, signature, id: &id, version, self_contained, accepted })
    }

    #[test]
    fn a_signature_for_this_id_and_version_names_its_publisher() {
        let (pair, trust) = publisher();
        let signature = sign(&pair, "timestamp:1\tid=echo version=1.2.0");
        for accepted in [None, Some("1.2.0"), Some("1.1.9"), Some("1.2.0-rc.1")] {
            assert_eq!(checked(&trust, Some(&signature), accepted), Ok(Some("acme".into())));
        }
    }

    #[test]
    fn every_fault_of_a_signature_has_its_own_words() {
        let (pair, trust) = publisher();
        let good = sign(&pair, "id=echo version=1.2.0");
        let (stranger, _) = publisher();
        let cases = [
            ("id=ech version=1.2.0", "for id \"ech\""),
            ("id=echo version=1.2.1", "for version \"1.2.1\""),
            ("id=echo", "needs one `version=1.2.0`"),
            ("id=echo id=echo version=1.2.0", "needs one `id=echo`"),
        ];
        for (comment, why) in cases {
            let error = checked(&trust, Some(&sign(&pair, comment)), None).unwrap_err();
            assert!(error.contains(why), "{comment}: {error}");
        }
        let by_another = sign(&stranger, "id=echo version=1.2.0");
        for (signature, accepted, why) in [
            (None, None, "not signed"),
            (Some("nonsense"), None, "not minisign's"),
            (Some(by_another.as_str()), None, "a key of none of the publishers"),
            (Some(good.as_str()), Some("1.10.0"), "a downgrade: version 1.2.0 is older than 1.10.0"),
            (Some(good.as_str()), Some("01.0.0"), "a downgrade"),
            (Some(&good.replace("version=1.2.0", "version=1.3.0")), None, "not the one that acme signed"),
        ] {
            let error = checked(&trust, signature, accepted).unwrap_err();
            assert!(error.contains(why), "{why}: {error}");
        }
    }

    #[test]
    fn a_file_that_was_changed_or_has_a_manifest_beside_it_is_not_what_was_signed() {
        let (pair, trust) = publisher();
        let signature = sign(&pair, "id=echo version=1.2.0");
        let id = PluginId::new("echo").unwrap();
        let signed = |bytes, self_contained| Signed {
            bytes,
            signature: Some(&signature),
            id: &id,
            version: "1.2.0",
            self_contained,
            accepted: None,
        };
        assert!(check(&trust, &signed(b"Component", true)).unwrap_err().contains("not the one that acme"));
        assert!(check(&trust, &signed(BYTES, false)).unwrap_err().contains("embed the manifest"));
    }

    #[test]
    fn a_signature_that_is_not_required_is_checked_where_there_is_a_key_for_it() {
        let (pair, mut trust) = publisher();
        trust.require_signature = false;
        assert_eq!(checked(&trust, None, None), Ok(None));
        assert!(checked(&trust, Some(&sign(&pair, "id=other version=1.2.0")), None).is_err());
        assert_eq!(checked(&Trust::default(), Some("nonsense"), None), Ok(None));
    }
}
