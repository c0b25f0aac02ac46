//! Dates of credentials, in any form that JavaScript's `Date` accepts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::date;
use crate::environment::Environment;

pub(super) fn time_of(date: &str, environment: &Environment) -> Option<SystemTime> {
    let milliseconds = date::parse(date, environment.timezone_offset())?;
    UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default()))
}

/// A date in JSON: a string, or milliseconds since 1970.
pub(super) fn milliseconds_of(date: &Value, environment: &Environment) -> Option<i64> {
    match date {
        Value::String(text) => date::parse(text, environment.timezone_offset()),
        date => date.as_f64().map(|milliseconds| milliseconds as i64),
    }
}
