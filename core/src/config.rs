//! The settings of a store. JavaScript validates the options and passes all settings as JSON.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_types::endpoint_config::AccountIdEndpointMode;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::item::encryption::Keys;
use crate::item::expiry::Seconds;
use crate::item::layout::Layout;

/// The settings of a store.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The name or ARN of the table.
    pub table: String,
    /// The layout of the items.
    pub layout: Layout,
    /// The AWS Region. If absent, it comes from the environment.
    pub region: Option<String>,
    /// The URL of the service, if it is not the one of the Region.
    pub endpoint: Option<String>,
    /// The profile of the shared AWS config files. If absent, it comes from the environment.
    pub profile: Option<String>,
    /// Whether to use FIPS endpoints. If absent, it comes from the environment.
    pub use_fips: Option<bool>,
    /// Whether to use dual-stack endpoints. If absent, it comes from the environment.
    pub use_dual_stack: Option<bool>,
    /// Whether to use endpoints with the account ID. If absent, it comes from the environment.
    #[serde(default, deserialize_with = "account_id_endpoint_mode")]
    pub account_id_endpoint_mode: Option<AccountIdEndpointMode>,
    /// Credentials that never change. Otherwise they come from a provider of the caller, or from the default chain.
    pub credentials: Option<StaticCredentials>,
    /// Whether the provider of the caller may return other keys next time, although the current ones do not expire.
    #[serde(default)]
    pub credentials_may_change: bool,
    /// How sessions are encrypted, if they are.
    pub encryption: Option<Encryption>,
    /// Whether sessions are compressed where that saves a write unit.
    #[serde(default)]
    pub compression: bool,
    /// How long after its creation a session ends, in seconds, if ever.
    pub max_lifetime: Option<Seconds>,
    /// When reads are strongly consistent.
    pub consistent_read: ConsistentRead,
    /// How to create a missing table. If absent, a missing table is an error.
    pub create_table: Option<NewTable>,
    /// Maximum time to open a connection.
    #[serde(deserialize_with = "milliseconds")]
    pub connect_timeout: Duration,
    /// Maximum time of one attempt.
    #[serde(deserialize_with = "milliseconds")]
    pub attempt_timeout: Duration,
    /// Maximum time of an operation, with all its attempts.
    #[serde(deserialize_with = "milliseconds")]
    pub timeout: Duration,
    /// If absent, it comes from the environment.
    pub max_attempts: Option<u32>,
    /// Maximum number of open connections.
    pub max_connections: usize,
}

/// How sessions are encrypted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Encryption {
    /// Keys that never change. Otherwise they come from a function of the caller.
    pub keys: Option<Keys>,
    /// Whether sessions are encrypted when they are written. Otherwise they are only decrypted.
    pub write: bool,
    /// Whether sessions that are not encrypted are read too.
    pub accept_plain: bool,
    /// How old keys of a function get before it is called again.
    #[serde(deserialize_with = "seconds")]
    pub refresh_after: Duration,
}

/// Access keys that do not change.
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

/// When GetItem uses strongly consistent reads, which cost twice the capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsistentRead {
    /// Every read is strongly consistent.
    Always,
    /// Every read is eventually consistent.
    Never,
    /// Reads again, strongly consistent, if the first read finds no session.
    OnMiss,
}

/// The settings of a new table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTable {
    /// Read and write capacity units. If absent, the table is on-demand.
    pub throughput: Option<(i64, i64)>,
    /// Whether to enable time to live (TTL) on the expiry attribute.
    pub time_to_live: bool,
    /// Names and values of the tags of the table.
    #[serde(default)]
    pub tags: Vec<(String, String)>,
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn account_id_endpoint_mode<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<AccountIdEndpointMode>, D::Error> {
    let mode = Option::<String>::deserialize(deserializer)?;
    mode.map(|mode| mode.parse().map_err(D::Error::custom)).transpose()
}
