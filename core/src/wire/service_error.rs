//! Parses error responses of the service in the same way as the AWS SDKs.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Error, ThrottlingReason};

/// Limits of a plausible response: the length of an error name, and the number of throttling reasons.
const MAX_NAME_LENGTH: usize = 128;
const MAX_REASONS: usize = 32;

/// The error of a response whose status is not 200. `error_type` is its `x-amzn-errortype` header.
pub fn service_error(status: u16, error_type: Option<&str>, body: &[u8]) -> Error {
    let body = serde_json::from_str::<Map<String, Value>>(&String::from_utf8_lossy(body)).unwrap_or_default();
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    // The order of the AWS SDK for JavaScript.
    let code = || body.iter().find(|(field, _)| field.eq_ignore_ascii_case("code"))?.1.as_str();
    let name = text("__type")
        .and_then(sanitized)
        .or_else(|| code().and_then(sanitized))
        .or_else(|| error_type.and_then(sanitized));
    let message = ["message", "Message", "errorMessage"]
        .into_iter()
        .filter_map(text)
        .find(|message| !message.is_empty());
    let mut error = match (name, message) {
        (Some(name), message) => Error::service(name.to_owned(), message.unwrap_or_default(), status),
        (None, message) => {
            let name = if status >= 500 { "ServiceUnavailable" } else { "UnknownServiceError" };
            let status_line = format!("HTTP status {status}");
            Error::service(name, message.unwrap_or(&status_line), status)
        }
    };
    error.throttling_reasons = throttling_reasons(&body);
    error
}

/// `Name` of `Name`, `namespace#Name`, and `Name:http://…`, or `None` if it is not a name.
fn sanitized(raw: &str) -> Option<&str> {
    let raw = raw.split([',', ':']).next()?;
    let name = raw.rsplit('#').next()?.trim();
    let is_name = !name.is_empty()
        && name.len() <= MAX_NAME_LENGTH
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    is_name.then_some(name)
}

/// ThrottlingException spells the member in lower camel case, the other throttling errors in upper camel case.
fn throttling_reasons(body: &Map<String, Value>) -> Option<Arc<Vec<ThrottlingReason>>> {
    let listed =
        ["throttlingReasons", "ThrottlingReasons"].iter().find_map(|&field| body.get(field)?.as_array())?;
    let reasons: Vec<_> = listed
        .iter()
        .take(MAX_REASONS)
        .map(|entry| {
            let text = |field: &str| entry.get(field).and_then(Value::as_str).map(str::to_owned);
            ThrottlingReason { reason: text("reason"), resource: text("resource") }
        })
        .filter(|entry| entry.reason.is_some() || entry.resource.is_some())
        .collect();
    (!reasons.is_empty()).then(|| Arc::new(reasons))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (String, String) {
        let error = service_error(400, None, body.as_bytes());
        (error.kind.code().to_owned(), error.message)
    }

    fn named(name: &str, message: &str) -> (String, String) {
        (name.to_owned(), message.to_owned())
    }

    #[test]
    fn the_error_name_is_read_in_every_form() {
        for body in [
            r#"{"__type":"Throttling","message":"m"}"#,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#Throttling","message":"m"}"#,
            r#"{"__type":"Throttling:http://internal.amazon.com/coral/","message":"m"}"#,
            r#"{"__type":"aws.protocoltests#Throttling:http://internal.amazon.com/#x","message":"m"}"#,
            r#"{"__type":"Throttling,http://internal.amazon.com/","message":"m"}"#,
            r#"{"code":"ns#Throttling","message":"m"}"#,
            r#"{"Code":"Throttling:http://x","message":"m"}"#,
            r#"{"__type":null,"code":"Throttling","message":"m"}"#,
            r#"{"__type":"","code":"Throttling","message":"m"}"#,
            r#"{"__type":"Throttling","code":400,"message":"m"}"#,
        ] {
            assert_eq!(read(body), named("Throttling", "m"), "{body}");
        }
    }

    #[test]
    fn the_header_names_an_error_without_a_name_in_the_body() {
        for header in ["Throttling", "ns#Throttling", "Throttling:http://internal.amazon.com/coral/"] {
            for body in ["", "{}", r#"{"message":"m"}"#, "<html>"] {
                let error = service_error(400, Some(header), body.as_bytes());
                assert_eq!(error.kind.code(), "Throttling", "{header} {body}");
            }
        }
        let error = service_error(400, Some("Other"), br#"{"__type":"Throttling"}"#);
        assert_eq!(error.kind.code(), "Throttling");
    }

    #[test]
    fn the_message_is_read_in_every_form() {
        for body in [
            r#"{"__type":"X","message":"m","Message":"other"}"#,
            r#"{"__type":"X","Message":"other","message":"m"}"#,
            r#"{"__type":"X","message":null,"Message":"m"}"#,
            r#"{"__type":"X","Message":"m"}"#,
            r#"{"__type":"X","errorMessage":"m"}"#,
        ] {
            assert_eq!(read(body), named("X", "m"), "{body}");
        }
        for body in [r#"{"__type":"X","message":null}"#, r#"{"__type":"X"}"#, r#"{"__type":"X","message":5}"#]
        {
            assert_eq!(read(body), named("X", ""), "{body}");
        }
    }

    #[test]
    fn an_error_without_a_name_is_named_by_its_status() {
        assert_eq!(service_error(502, None, b"<html>").kind.code(), "ServiceUnavailable");
        assert_eq!(service_error(413, None, b"").message, "HTTP status 413");
        assert_eq!(read(r#"{"message":"Forbidden"}"#), named("UnknownServiceError", "Forbidden"));
        assert_eq!(read(r#"{"__type":"not a name"}"#), named("UnknownServiceError", "HTTP status 400"));
        assert_eq!(read("[5]"), named("UnknownServiceError", "HTTP status 400"));
    }

    #[test]
    fn throttling_reasons_are_read() {
        for member in ["throttlingReasons", "ThrottlingReasons"] {
            let body = format!(
                r#"{{"__type":"X","{member}":[{{"reason":"R","resource":"arn"}},{{"reason":"S"}},{{}},5,null]}}"#
            );
            let reasons = service_error(400, None, body.as_bytes()).throttling_reasons.unwrap();
            let [first, second] = &reasons[..] else { panic!("{reasons:?}") };
            assert_eq!((first.reason.as_deref(), first.resource.as_deref()), (Some("R"), Some("arn")));
            assert_eq!((second.reason.as_deref(), second.resource.as_deref()), (Some("S"), None));
        }
        for reasons in ["null", "5", "[]", "[{}]"] {
            let body = format!(r#"{{"__type":"X","throttlingReasons":{reasons}}}"#);
            let error = service_error(400, None, body.as_bytes());
            assert_eq!((error.kind.code(), error.throttling_reasons), ("X", None));
        }
    }
}
