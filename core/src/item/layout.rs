//! The attribute names, key prefix, and session format of a table's items.

use serde::Deserialize;

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
#[derive(Clone, Debug, Deserialize)]
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
    /// Names and values of string attributes that every item has.
    #[serde(default)]
    pub constants: Vec<(String, String)>,
    /// How a session is written.
    #[serde(default)]
    pub format: Format,
}

impl Layout {
    /// The partition key of a session.
    pub fn key(&self, session_id: &str) -> String {
        [&self.prefix, session_id].concat()
    }

    /// The session ID in a partition key, or `None` if the key is not that of a session.
    pub fn session_id<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(&*self.prefix).filter(|id| !id.is_empty())
    }
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
}
