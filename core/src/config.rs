//! The settings of a store: complete, validated on the JavaScript side, told as one JSON text.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use serde::{Deserialize, Deserializer};

use crate::layout::Layout;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Name or ARN.
    pub table: String,
    pub layout: Layout,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    pub profile: Option<String>,
    pub use_fips: Option<bool>,
    pub use_dual_stack: Option<bool>,
    /// Credentials that never change. Without them a provider of the caller's or the default chain gives them.
    pub credentials: Option<StaticCredentials>,
    pub consistent_read: ConsistentRead,
    /// How a missing table is made; without it, it is an error.
    pub create_table: Option<NewTable>,
    #[serde(deserialize_with = "milliseconds")]
    pub connect_timeout: Duration,
    #[serde(deserialize_with = "milliseconds")]
    pub attempt_timeout: Duration,
    #[serde(deserialize_with = "milliseconds")]
    pub timeout: Duration,
    /// The environment's without it.
    pub max_attempts: Option<u32>,
    pub max_connections: usize,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaticCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl From<StaticCredentials> for Credentials {
    fn from(keys: StaticCredentials) -> Self {
        Credentials::new(
            keys.access_key_id,
            keys.secret_access_key,
            keys.session_token,
            None,
            "dynamodb-session",
        )
    }
}

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticCredentials").finish_non_exhaustive()
    }
}

/// When GetItem reads consistently, which costs twice the capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsistentRead {
    Always,
    Never,
    /// Once more, consistently, when the first read found nothing.
    OnMiss,
}

/// What a missing table is created with.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTable {
    /// Read and write capacity units; on-demand without them.
    pub throughput: Option<(i64, i64)>,
    /// Whether to enable time to live on the expiry attribute.
    pub time_to_live: bool,
    #[serde(default)]
    pub tags: Vec<(String, String)>,
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}
