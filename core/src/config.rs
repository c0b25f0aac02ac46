//! The settings of a store: complete, validated on the JavaScript side, told as one JSON text.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_types::endpoint_config::AccountIdEndpointMode;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::item::layout::Layout;

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
    #[serde(default, deserialize_with = "account_id_endpoint_mode")]
    pub account_id_endpoint_mode: Option<AccountIdEndpointMode>,
    /// Credentials that never change. Without them a provider of the caller's or the default chain gives them.
    pub credentials: Option<StaticCredentials>,
    /// Whether the provider of the caller may give other keys the next time, although it gives these without an
    /// expiration.
    #[serde(default)]
    pub credentials_may_change: bool,
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
    account_id: Option<String>,
}

impl From<StaticCredentials> for Credentials {
    fn from(keys: StaticCredentials) -> Self {
        let mut credentials = Credentials::builder()
            .access_key_id(keys.access_key_id)
            .secret_access_key(keys.secret_access_key)
            .provider_name("dynamodb-session");
        credentials.set_session_token(keys.session_token);
        credentials.set_account_id(keys.account_id.map(Into::into));
        credentials.build()
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

fn account_id_endpoint_mode<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<AccountIdEndpointMode>, D::Error> {
    let mode = Option::<String>::deserialize(deserializer)?;
    mode.map(|mode| mode.parse().map_err(D::Error::custom)).transpose()
}
