//! Any session can be written to an item and read back, in both formats, and the properties of the fuzz targets hold for
//! the inputs kept in their corpora.

#[allow(unreachable_pub, reason = "the fuzz crate exports these functions")]
#[path = "../../tools/fuzz/src/lib.rs"]
mod targets;

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use dynamodb_session_core::error::Kind;
use dynamodb_session_core::item::codec::NewItem;
use dynamodb_session_core::item::layout::{Format, Layout};
use dynamodb_session_core::wire::request::Requests;
use dynamodb_session_core::wire::response::{ItemOutcome, Response};
use proptest::collection::{hash_map, vec};
use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
use proptest::prelude::*;
use serde_json::{Value, json};

fn layout(format: Format) -> Layout {
    Layout {
        hash_key: "id".into(),
        sort_key: Some("sk".into()),
        prefix: String::new(),
        session: "sess".into(),
        expires: "expires".into(),
        constants: vec![("type".into(), "connect-session".into())],
        format,
        ..Layout::default()
    }
}

/// Writes the item of a session and reads it back.
fn round_trip(format: Format, session: &str) -> Result<String, TestCaseError> {
    let requests = Requests::new("t", layout(format));
    let item = NewItem { attributes: Some(r#"{"user":{"S":"u"}}"#), ..NewItem::new("k", session, 9) };
    let body = requests.put(item).map_err(|error| TestCaseError::fail(error.to_string()))?.finish(true);
    let put: Value = serde_json::from_slice(&body).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let body = json!({ "Item": put["Item"] }).to_string();
    let response = Response::parse(Ok(()), body.as_bytes(), false, requests.layout()).unwrap();
    let ItemOutcome::Success { item: Some(item) } = response.outcome else { panic!("{response:?}") };
    prop_assert_eq!((item.id.as_deref(), item.expires), (Some("k"), Some(9.0)));
    item.session.into_text().ok_or_else(|| TestCaseError::fail("the item has no session"))
}

fn value(number: BoxedStrategy<f64>) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        number.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 64, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            hash_map(any::<String>(), inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn session(number: BoxedStrategy<f64>) -> impl Strategy<Value = Value> {
    hash_map(any::<String>(), value(number), 0..6).prop_map(|members| members.into_iter().collect())
}

fn any_number() -> BoxedStrategy<f64> {
    (NORMAL | SUBNORMAL | ZERO | POSITIVE | NEGATIVE).boxed()
}

fn fits_map(number: &f64) -> bool {
    *number == 0.0 || (1e-130..1e126).contains(&number.abs())
}

fn number_of_map() -> BoxedStrategy<f64> {
    let sized = (-129i32..125, 1.0..9.0f64).prop_map(|(exponent, digits)| digits * 10f64.powi(exponent));
    (sized, any::<bool>()).prop_map(|(size, is_negative)| if is_negative { -size } else { size }).boxed()
}

proptest! {
    #[test]
    fn a_session_in_json_format_is_read_back_unchanged(session in session(any_number())) {
        let text = session.to_string();
        prop_assert_eq!(round_trip(Format::Json, &text)?, text);
    }

    #[test]
    fn a_session_in_map_format_is_read_back_with_the_same_values(session in session(number_of_map())) {
        let text = round_trip(Format::Map, &session.to_string())?;
        let back = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(targets::numbers_as_doubles(back), targets::numbers_as_doubles(session));
    }

    #[test]
    fn a_number_outside_the_range_of_dynamodb_is_rejected(number in any_number()) {
        let session = json!({ "a": [number] }).to_string();
        let outcome = Requests::new("t", layout(Format::Map))
            .put(NewItem::new("k", &session, 9));
        prop_assert_eq!(outcome.is_ok(), fits_map(&number));
        if let Err(error) = outcome {
            prop_assert_eq!(error.kind, Kind::Serialization);
        }
    }
}

/// Runs a target on its packed corpus, which has an input in Base64 on each line.
fn replay(target: fn(&[u8]), name: &str) {
    let file = format!("{}/../tools/fuzz/corpus/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let corpus = fs::read_to_string(file).unwrap();
    assert!(!corpus.is_empty());
    for input in corpus.lines() {
        target(&BASE64.decode(input).unwrap());
    }
}

#[test]
fn responses() {
    replay(targets::response, "response");
}

#[test]
fn items() {
    replay(targets::item, "item");
}

#[test]
fn options() {
    replay(targets::options, "options");
}

#[test]
fn stored_sessions() {
    replay(targets::stored, "stored");
}
