//! Properties that hold for any input. `cargo test` checks them on the inputs in `corpus`.

use dynamodb_session_core::config::{Config, NewTable};
use dynamodb_session_core::item::attribute;
use dynamodb_session_core::item::binary::Header;
use dynamodb_session_core::item::codec::NewItem;
use dynamodb_session_core::item::encryption::Keys;
use dynamodb_session_core::item::form::Form;
use dynamodb_session_core::item::layout::Layout;
use dynamodb_session_core::store::{Store, open_with};
use dynamodb_session_core::transport::Endpoint;
use dynamodb_session_core::wire::request::{Requests, Stamp, Touch};
use dynamodb_session_core::wire::response::{ItemOutcome, Page, Response};
use dynamodb_session_core::wire::service_error::service_error;
use serde_json::{Value, json};

/// A response is parsed or refused, and no error quotes it.
pub fn response(input: &[u8]) {
    let layout = layout();
    let item_in = |response: Response| match response.outcome {
        ItemOutcome::Success { item } | ItemOutcome::ConditionFailed { item } => item,
    };
    for outcome in [
        Response::parse(Ok(()), input, false, &layout)
            .map(|response| item_in(response).into_iter().collect()),
        Page::parse(input, &layout).map(|page| page.items),
    ] {
        match outcome {
            Ok(items) => items.into_iter().for_each(|item| drop(item.session.into_text())),
            Err(error) => {
                assert!(error.message.starts_with("the response is not valid DynamoDB JSON"))
            }
        }
    }
    let error = service_error(400, None, input);
    assert!(!error.kind.code().contains('#') && !error.message.contains('\n'));
}

/// An attribute value becomes JSON or is refused. JSON becomes an attribute value that gives the same JSON, or is refused.
pub fn item(input: &[u8]) {
    let Some(json) = converted(input, attribute::decode) else {
        return;
    };
    let value: Value = serde_json::from_str(&json).expect("an attribute value gives JSON");
    let Some(encoded) = converted(json.as_bytes(), attribute::encode) else {
        return;
    };
    let decoded = converted(encoded.as_bytes(), attribute::decode).expect("what was encoded can be decoded");
    let decoded: Value = serde_json::from_str(&decoded).expect("an attribute value gives JSON");
    assert_eq!(numbers_as_doubles(decoded), numbers_as_doubles(value));
}

/// Settings are accepted or refused. With settings that are accepted, each request is JSON.
pub fn options(input: &[u8]) {
    drop(serde_json::from_slice::<NewTable>(input));
    let Ok(config) = serde_json::from_slice::<Config>(input) else {
        return;
    };
    let url = config.endpoint.as_deref().unwrap_or("http://127.0.0.1");
    drop(Endpoint::new(url, config.region.as_deref().unwrap_or("us-east-1")));
    let requests = Requests::new(&config.table, config.layout.clone());
    let id = "id";
    let item = NewItem::new(id, r#"{"a":[1,"\"",null]}"#, 9);
    let stamp = Stamp { name: "updated", value: r#"{"N":"1"}"# };
    for body in [
        requests.get(id, true),
        requests.put(item).expect("a small session fits any layout"),
        requests.touch(Touch {
            id,
            expires: 9,
            now: 1,
            keeps_later: true,
            earliest: Some(5),
            created: Some(3),
            stamp: Some(stamp),
        }),
        requests.delete(id),
        requests.delete_expired(id, 1),
    ] {
        let body: Value = serde_json::from_slice(&body.finish(true)).expect("a request is JSON");
        assert_eq!(body["TableName"], config.table);
    }
    drop(Store::new(config, None));
}

/// The session in the encrypted inputs of the corpus, under the keys of `stored`.
const WRITTEN: &str = r#"{"cookie":{},"user":"Ann"}"#;
const LONGEST_TEXT: usize = 400 * 1024;

/// Bytes are rejected as a stored session, or give the text that was written. The input is such bytes. It also is a text to
/// write, after three bytes that say how the written bytes change: two are a position, and one is a mask.
pub fn stored(input: &[u8]) {
    let key = |id: &str, letter: &str| json!({ "id": id, "key": letter.repeat(43) });
    let keys: Keys = serde_json::from_value(json!([key("k", "A"), key("old", "E")])).expect("valid keys");
    let layout = layout();
    let read = |bytes: &[u8]| {
        let text = open_with(&layout, "id", &mut bytes.to_vec(), Some(&keys)).ok().and_then(Result::ok);
        assert!(text.as_ref().is_none_or(|text| text.len() <= LONGEST_TEXT));
        text
    };
    let is_encrypted = |bytes: &[u8]| Header::parse(bytes).is_some_and(|header| header.key_id.is_some());
    if let Some(text) = read(input) {
        assert!(!is_encrypted(input) || text == WRITTEN, "forged: {text}");
    }
    let Some((&[high, low, mask], text)) = input.split_first_chunk() else {
        return;
    };
    let Some(text) = str::from_utf8(text).ok().filter(|text| !text.is_empty()) else {
        return;
    };
    for key in [None, Some(keys.newest())] {
        let form = Form { compress: true, key };
        let Some(mut bytes) = form.binary(&layout, &NewItem::new("id", text, 9)).expect("random bytes")
        else {
            continue;
        };
        let position = usize::from(u16::from_be_bytes([high, low])) % bytes.len();
        bytes[position] ^= mask;
        // A store that encrypts rejects what is only compressed.
        let read = read(&bytes).filter(|_| key.is_none() || is_encrypted(&bytes));
        // Without a key, nothing protects the bytes.
        if key.is_some() || mask == 0 {
            assert_eq!(read.as_deref(), (mask == 0).then_some(text), "byte {position}");
        }
    }
}

fn layout() -> Layout {
    Layout {
        hash_key: "id".into(),
        prefix: "sess:".into(),
        session: "sess".into(),
        expires: "expires".into(),
        ..Layout::default()
    }
}

/// What a conversion writes for the whole input, or `None` if it refuses the input.
fn converted(
    input: &[u8],
    convert: impl FnOnce(&str, &mut Vec<u8>) -> serde_json::Result<()>,
) -> Option<String> {
    let mut out = Vec::new();
    convert(str::from_utf8(input).ok()?, &mut out).ok()?;
    Some(String::from_utf8(out).expect("JSON is text"))
}

/// Turns all numbers into doubles: JavaScript has one type of number, so `2.0` and `2` are the same value.
pub fn numbers_as_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(numbers_as_doubles).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, numbers_as_doubles(member))).collect()
        }
        other => other,
    }
}
