//! What must hold for any input. `cargo test` runs these on the inputs kept in `corpus`.

use dynamodb_session_core::config::{Config, NewTable};
use dynamodb_session_core::item::attribute::{ToAttribute, ToJson};
use dynamodb_session_core::item::codec::{NewItem, StoredItem};
use dynamodb_session_core::item::layout::{Format, Layout};
use dynamodb_session_core::store::Store;
use dynamodb_session_core::transport::Endpoint;
use dynamodb_session_core::wire::request::{Requests, Stamp, Touch};
use dynamodb_session_core::wire::response::{Outcome, Page, Response};
use dynamodb_session_core::wire::service_error::service_error;
use serde::de::DeserializeSeed;
use serde_json::{Deserializer, Value};

/// An answer is read or refused, and no error quotes it.
pub fn response(input: &[u8]) {
    let layout = layout();
    let item_in = |response: Response| match response.outcome {
        Outcome::Success { item } | Outcome::ConditionFailed { item } => item,
    };
    for outcome in [
        Response::parse(Ok(()), input, false, &layout)
            .map(|response| item_in(response).into_iter().collect()),
        Page::parse(input, &layout).map(|page| page.items),
    ] {
        match outcome {
            Ok(items) => {
                items.into_iter().for_each(|item| drop(StoredItem::into_session(item, 1_700_000_000)))
            }
            Err(error) => {
                assert!(error.message.starts_with("the response is not what DynamoDB answers"))
            }
        }
    }
    let error = service_error(400, None, input);
    assert!(!error.kind.code().contains('#') && !error.message.contains('\n'));
}

/// An attribute value becomes JSON or is refused; that JSON comes back from an attribute value of its own.
pub fn item(input: &[u8]) {
    let Some(json) = converted(input, |json, out| ToJson(out).deserialize(json)) else {
        return;
    };
    let value: Value = serde_json::from_str(&json).expect("an attribute value gives JSON");
    let Some(attribute) = converted(json.as_bytes(), |json, out| ToAttribute::new(out).deserialize(json))
    else {
        return;
    };
    let back = converted(attribute.as_bytes(), |json, out| ToJson(out).deserialize(json));
    let back: Value = serde_json::from_str(&back.expect("what was written is read")).expect("it is JSON");
    assert_eq!(as_in_javascript(back), as_in_javascript(value));
}

/// JavaScript has one type of number, so `2.0` and `2` are the same value.
fn as_in_javascript(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(as_in_javascript).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, as_in_javascript(member))).collect()
        }
        other => other,
    }
}

/// Settings are taken or refused; with those that are taken, each request is JSON.
pub fn options(input: &[u8]) {
    drop(serde_json::from_slice::<NewTable>(input));
    let Ok(config) = serde_json::from_slice::<Config>(input) else {
        return;
    };
    let url = config.endpoint.as_deref().unwrap_or("http://127.0.0.1");
    drop(Endpoint::new(url, config.region.as_deref().unwrap_or("us-east-1")));
    let requests = Requests::new(&config.table, config.layout.clone());
    let key = format!("{}id", config.layout.prefix);
    let item = NewItem { key: &key, session: r#"{"a":[1,"\"",null]}"#, expires: Some(9), attributes: None };
    let stamp = Stamp { name: "updated", value: r#"{"N":"1"}"# };
    for body in [
        requests.get(&key, true),
        requests.put(item).expect("a small session fits any layout"),
        requests.touch(Touch { key: &key, expires: 9, now: 1, keeps_later: true, stamp: Some(stamp) }),
        requests.delete(&key),
        requests.delete_expired(&key, 1),
    ] {
        let body: Value = serde_json::from_slice(&body.finish(true)).expect("a request is JSON");
        assert_eq!(body["TableName"], config.table);
    }
    drop(Store::new(config, None));
}

fn layout() -> Layout {
    Layout {
        hash_key: "id".into(),
        sort_key: None,
        prefix: "sess:".into(),
        session: "sess".into(),
        expires: "expires".into(),
        constants: Vec::new(),
        format: Format::Json,
    }
}

/// What a conversion writes of the whole input.
fn converted(
    input: &[u8],
    convert: impl FnOnce(&mut Deserializer<serde_json::de::SliceRead<'_>>, &mut Vec<u8>) -> serde_json::Result<()>,
) -> Option<String> {
    let mut out = Vec::new();
    let mut json = Deserializer::from_slice(input);
    convert(&mut json, &mut out).and_then(|()| json.end()).ok()?;
    Some(String::from_utf8(out).expect("JSON is text"))
}
