//! The cached token of an SSO session.

use std::path::Path;
use std::time::SystemTime;

use aws_smithy_types::date_time::{DateTime, Format};
use aws_types::os_shim_internal::Fs;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::dates::milliseconds_of;
use crate::environment::Environment;

/// The end of the year 9999, in seconds since 1970.
const LATEST_DATE: i64 = 253_402_300_799;

pub(super) fn has_expired(token: &[u8], environment: &Environment) -> bool {
    let token: Value = serde_json::from_slice(token).unwrap_or_default();
    let expiry = milliseconds_of(&token["expiresAt"], environment);
    expiry.is_some_and(|at| DateTime::from_millis(at) <= DateTime::from(SystemTime::now()))
}

/// Rewrites the dates of a token to the only form that `aws-config` reads. As in the AWS SDK for JavaScript, a token whose
/// date cannot be read is used; older AWS CLIs write `2026-11-26T10:00:00UTC`, for example.
pub(super) fn with_utc_dates(token: &[u8], environment: &Environment) -> Option<Vec<u8>> {
    let mut token: serde_json::Map<String, Value> = serde_json::from_slice(token).ok()?;
    for (name, value) in &mut token {
        if ["expiresat", "registrationexpiresat"].contains(&name.to_ascii_lowercase().as_str()) {
            let date = milliseconds_of(value, environment).map(DateTime::from_millis);
            let date = date.unwrap_or_else(|| DateTime::from_secs(LATEST_DATE));
            *value = date.fmt(Format::DateTime).ok()?.into();
        }
    }
    serde_json::to_vec(&token).ok()
}

/// Writes a token that `aws-config` has renewed back to its file, for the AWS CLI and later processes. `original` is the
/// token that `aws-config` got.
pub(super) async fn save_if_renewed(file: &Path, fs: &Fs, original: Option<&Vec<u8>>) {
    let Ok(token) = fs.read_to_end(file).await else {
        return;
    };
    if original != Some(&token) {
        let file = file.to_owned();
        // If the home folder is read-only, the token in memory still works.
        let _ = spawn_blocking(move || std::fs::write(file, token)).await;
    }
}
