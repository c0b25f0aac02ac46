//! Errors as JSON, from which JavaScript creates a `DynamoDBStoreError`.

use dynamodb_session_core::error::{Error, Kind, ThrottlingReason};
use dynamodb_session_core::store::Store;
use dynamodb_session_core::transport::{Trace, retry};
use serde::Serialize;

/// The failure of a call whose result is longer than V8's maximum string length (512 MB).
pub(crate) const TOO_LARGE: &str =
    r#"{"code":"InternalError","message":"the response is too large for a JavaScript string","cause":null}"#;

/// The JSON of an error.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure<'e> {
    code: &'e str,
    message: &'e str,
    operation: Option<&'static str>,
    cause: Option<String>,
    http_status_code: Option<u16>,
    request_id: Option<&'e str>,
    throttling_reasons: Option<&'e [ThrottlingReason]>,
    attempts: u32,
    fault: &'static str,
    retryable: bool,
    /// Whether an earlier attempt may have succeeded without a response.
    may_be_done: bool,
    region: Option<&'e str>,
    endpoint: Option<String>,
}

impl<'e> Failure<'e> {
    /// The failure of an operation of `store` with this error and trace.
    pub(crate) fn of(error: &'e Error, trace: &Trace, store: &'e Store) -> Self {
        let (region, endpoint) = store.region_and_endpoint().unzip();
        Self {
            may_be_done: trace.may_be_done,
            region,
            endpoint,
            code: error.kind.code(),
            message: &error.message,
            operation: error.operation,
            cause: error.causes(),
            http_status_code: error.status,
            request_id: error.request_id.as_deref(),
            throttling_reasons: error.throttling_reasons.as_deref().map(Vec::as_slice),
            // For operations on the whole table, the trace is empty. An error with a status had at least one attempt.
            attempts: trace.attempts.max(error.status.is_some().into()),
            fault: if error.is_server_fault() { "server" } else { "client" },
            // Another process may have the key, and this one may get it.
            retryable: retry::reason(error).is_some() || error.kind == Kind::EncryptionKey,
        }
    }

    /// The JSON of the failure.
    pub(crate) fn to_json(&self) -> String {
        // Strings and numbers can always be serialized.
        serde_json::to_string(self).unwrap_or_default()
    }
}
