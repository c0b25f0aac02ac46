//! Where things stand in an item.

use serde::Deserialize;

/// How a session is written; reading accepts both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A string attribute holding the session as JSON text.
    #[default]
    Json,
    /// A map attribute.
    Map,
}

/// The attribute names, key prefix and format of a table's items.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Layout {
    pub hash_key: String,
    /// Holds the same value as the hash key.
    pub sort_key: Option<String>,
    pub prefix: String,
    /// Attribute of the session.
    pub session: String,
    /// Attribute of the expiry, in seconds since 1970; the table's time to live names it.
    pub expires: String,
    /// Attributes with the same string in every item.
    #[serde(default)]
    pub constants: Vec<(String, String)>,
    #[serde(default)]
    pub format: Format,
}
