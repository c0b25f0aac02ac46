//! The attribute names, key prefix, and session format of a table's items.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// How a session is written. Reading accepts both formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A string attribute with the session as JSON text.
    #[default]
    Json,
    /// A map attribute.
    Map,
}

/// The attribute names, key prefix, and session format of a table's items.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Layout {
    /// Name of the partition key.
    pub hash_key: String,
    /// Name of the sort key, which has the same value as the partition key.
    pub sort_key: Option<String>,
    /// What the partition key starts with, before the session ID.
    pub prefix: String,
    /// Name of the session attribute.
    pub session: String,
    /// Name of the attribute with the expiry in seconds since 1970, which is the table's time-to-live attribute.
    pub expires: String,
    /// Name of the attribute with the user, or a hash of it. Without a name, items have no user.
    #[serde(default)]
    pub user: Option<String>,
    /// Name of the attribute with the creation time in seconds since 1970. Without a name, it is neither written nor read.
    #[serde(default)]
    pub created: Option<String>,
    /// Whether keys contain a hash of the session ID.
    #[serde(default)]
    pub hash_ids: bool,
    /// Names and values of string attributes that every item has.
    #[serde(default)]
    pub constants: Vec<(String, String)>,
    /// How a session is written.
    #[serde(default)]
    pub format: Format,
}

impl Layout {
    /// The partition key of a session. With hashed IDs, also takes a hashed one.
    pub fn key(&self, session_id: &str) -> String {
        if self.hash_ids && !is_hashed(session_id) {
            return [&*self.prefix, &hashed(session_id)].concat();
        }
        [&self.prefix, session_id].concat()
    }

    /// The name of the secondary index that finds the sessions of a user.
    pub fn user_index(&self) -> Option<String> {
        self.user.as_ref().map(|attribute| format!("{attribute}-index"))
    }

    /// The session ID in a partition key, or `None` if the key is not that of a session. With hashed IDs, it is the hashed
    /// one.
    pub fn session_id<'k>(&self, key: &'k str) -> Option<&'k str> {
        let id = key.strip_prefix(&*self.prefix)?;
        (if self.hash_ids { is_hashed(id) } else { !id.is_empty() }).then_some(id)
    }
}

/// What a hashed session ID starts with. The number is the version of the form.
const HASHED: &str = "h1-";
/// The length of SHA-256 in base64.
const HASH_LENGTH: usize = 43;

/// A session ID in the form that a key contains. The IDs are random, so the hash needs no key.
fn hashed(session_id: &str) -> String {
    [HASHED, &URL_SAFE_NO_PAD.encode(Sha256::digest(session_id))].concat()
}

/// Whether this is a session ID in the form that a key contains.
fn is_hashed(id: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    id.strip_prefix(HASHED).is_some_and(|hash| hash.len() == HASH_LENGTH && hash.bytes().all(is_base64))
}

#[cfg(test)]
impl Layout {
    /// The layout of connect-dynamodb, for tests.
    pub(crate) fn sample(format: Format) -> Self {
        Self {
            hash_key: "id".into(),
            sort_key: None,
            prefix: "sess:".into(),
            session: "sess".into(),
            expires: "expires".into(),
            constants: vec![("type".into(), "connect-session".into())],
            format,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_is_read_back_from_its_key() {
        let layout: Layout = serde_json::from_str(
            r#"{"hashKey":"id","sortKey":null,"prefix":"sess:","session":"sess","expires":"expires"}"#,
        )
        .unwrap();
        assert_eq!(layout.session_id(&layout.key("é1")), Some("é1"));
        for key in ["", "sess", "sess:", "other:1"] {
            assert_eq!(layout.session_id(key), None, "{key}");
        }
    }

    #[test]
    fn a_hashed_session_id_is_not_hashed_again() {
        let layout = Layout { hash_ids: true, ..Layout::sample(Format::Json) };
        let key = layout.key("abc");
        assert_eq!(key, "sess:h1-ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        let id = layout.session_id(&key).unwrap();
        assert_eq!(layout.key(id), key);
        for other in ["sess:abc", "sess:h1-abc", "sess:", &format!("{key}A"), &key.replace("h1", "h2")] {
            assert_eq!(layout.session_id(other), None, "{other}");
        }
    }
}
