//! The service's answers, read straight from text: items and what they cost.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::item::attribute::Tagged;
use crate::item::expiry::{self, Seconds};
use crate::item::layout::Layout;
use crate::wire::json_cursor::{Cursor, Unexpected};

/// An item as it was read.
#[derive(Debug, Default, PartialEq)]
pub struct Stored {
    /// The value of the hash key.
    pub key: String,
    pub session: Session,
    pub expires: Option<f64>,
}

/// The session attribute of an item.
#[derive(Debug, Default, PartialEq)]
pub enum Session {
    #[default]
    Missing,
    /// JSON text, or what a string attribute holds in its place.
    Text(String),
    /// Neither a string nor a map.
    OtherType,
}

impl Stored {
    /// The session's text, or nothing when the item has expired.
    pub fn into_text(self, now: Seconds) -> Result<Option<String>> {
        if expiry::is_dead(self.expires, now) {
            return Ok(None);
        }
        match self.session {
            Session::Text(text) => Ok(Some(text)),
            Session::Missing => Err(Error::new(Kind::CorruptItem, "the item has no session attribute")),
            Session::OtherType => {
                Err(Error::new(Kind::CorruptItem, "the session attribute is neither a string nor a map"))
            }
        }
    }
}

/// The response to a request for one item.
#[derive(Debug)]
pub struct Response {
    pub outcome: Outcome,
    pub capacity_units: Option<f64>,
}

/// What a request for one item did.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// The request succeeded. A GetItem returns the item, if it exists.
    Success { item: Option<Stored> },
    /// The condition of the request was not met, so it changed nothing. Some servers never return the item.
    ConditionFailed { item: Option<Stored> },
}

impl Response {
    /// Parses the body of a response. `status` is the error that the service reported, if any. For a conditional
    /// request, a failed condition is an outcome and not an error.
    pub fn parse(status: Result<()>, body: &[u8], is_conditional: bool, layout: &Layout) -> Result<Self> {
        let condition_failed = match status {
            Ok(()) => false,
            Err(error) if is_conditional && error.is_service("ConditionalCheckFailedException") => true,
            Err(error) => return Err(error),
        };
        let (item, capacity_units) = match parse_item(body, layout) {
            // The condition failed, whatever the rest of the body says.
            Err(_) if condition_failed => (None, None),
            parsed => parsed?,
        };
        let outcome =
            if condition_failed { Outcome::ConditionFailed { item } } else { Outcome::Success { item } };
        Ok(Self { outcome, capacity_units })
    }
}

/// The item and the consumed capacity units of a response.
fn parse_item(body: &[u8], layout: &Layout) -> Result<(Option<Stored>, Option<f64>)> {
    #[derive(Deserialize)]
    struct ConsumedCapacity {
        #[serde(rename = "CapacityUnits")]
        units: Option<f64>,
    }
    let (mut stored, mut capacity_units) = (None, None);
    parse(body, |cursor, name| {
        match name {
            "Item" => stored = Some(item(cursor, layout)?),
            "ConsumedCapacity" => {
                let consumed = serde_json::from_str::<ConsumedCapacity>(cursor.raw()?);
                capacity_units = consumed.map_err(|_| Unexpected)?.units;
            }
            _ => drop(cursor.raw()?),
        }
        Ok(())
    })?;
    Ok((stored, capacity_units))
}

/// A page of a Scan.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    pub items: Vec<Stored>,
    /// The key after which the next page starts; absent on the last page.
    pub last_key: Option<Value>,
}

impl Page {
    pub fn parse(body: &[u8], layout: &Layout) -> Result<Self> {
        let mut page = Self::default();
        parse(body, |cursor, name| match name {
            "Items" => cursor.array(|cursor| {
                page.items.push(item(cursor, layout)?);
                Ok(())
            }),
            "LastEvaluatedKey" => {
                page.last_key = serde_json::from_str(cursor.raw()?).map_err(|_| Unexpected)?;
                Ok(())
            }
            _ => cursor.raw().map(drop),
        })?;
        Ok(page)
    }
}

fn parse(body: &[u8], each: impl FnMut(&mut Cursor<'_>, &str) -> Expected<()>) -> Result<()> {
    let broken = |place: usize| {
        Error::new(Kind::Network, format!("the response is not what DynamoDB answers, at byte {place}"))
    };
    let json = str::from_utf8(body).map_err(|error| broken(error.valid_up_to()))?;
    let mut cursor = Cursor::new(json);
    cursor.object(each).map_err(|Unexpected| broken(json.len() - cursor.left()))
}

type Expected<T> = std::result::Result<T, Unexpected>;

fn item(cursor: &mut Cursor<'_>, layout: &Layout) -> Expected<Stored> {
    let mut stored = Stored::default();
    cursor.object(|cursor, name| {
        if name == layout.session {
            stored.session = session(cursor)?;
        } else if name == layout.expires {
            stored.expires = scalar(cursor)?.and_then(|text| expiry::parse(&text));
        } else if name == layout.hash_key {
            stored.key = scalar(cursor)?.unwrap_or_default().into_owned();
        } else {
            cursor.raw()?;
        }
        Ok(())
    })?;
    Ok(stored)
}

/// The text of an attribute of type S or N; nothing for the other types.
fn scalar<'a>(cursor: &mut Cursor<'a>) -> Expected<Option<Cow<'a, str>>> {
    let mut text = None;
    cursor.object(|cursor, tag| {
        match tag {
            "S" | "N" => text = Some(cursor.text()?),
            _ => drop(cursor.raw()?),
        }
        Ok(())
    })?;
    Ok(text)
}

fn session(cursor: &mut Cursor<'_>) -> Expected<Session> {
    let mut session = Session::Missing;
    cursor.object(|cursor, tag| {
        session = match tag {
            "S" => Session::Text(cursor.text()?.into_owned()),
            "M" => map(cursor.raw()?)?,
            _ => {
                cursor.raw()?;
                Session::OtherType
            }
        };
        Ok(())
    })?;
    Ok(session)
}

fn map(raw: &str) -> Expected<Session> {
    let mut json = Vec::new();
    let tagged = Tagged { tag: "M", out: &mut json };
    tagged.deserialize(&mut serde_json::Deserializer::from_str(raw)).map_err(|_| Unexpected)?;
    Ok(String::from_utf8(json).map_or(Session::OtherType, Session::Text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn layout() -> Layout {
        Layout {
            hash_key: "id".into(),
            sort_key: None,
            prefix: "sess:".into(),
            session: "sess".into(),
            expires: "expires".into(),
            constants: vec![("type".into(), "connect-session".into())],
            format: Default::default(),
        }
    }

    fn succeeded(body: &[u8]) -> Result<Response> {
        Response::parse(Ok(()), body, false, &layout())
    }

    fn read(item: Value) -> Stored {
        let body = json!({ "ConsumedCapacity": { "TableName": "t", "CapacityUnits": 0.5 }, "Item": item });
        let response = succeeded(body.to_string().as_bytes()).unwrap();
        assert_eq!(response.capacity_units, Some(0.5));
        let Outcome::Success { item: Some(item) } = response.outcome else { panic!("{response:?}") };
        item
    }

    #[test]
    fn reads_both_formats() {
        let text =
            read(json!({ "sess": { "S": "{\"a\":\"é\"}" }, "expires": { "N": "9.5" }, "id": { "S": "k" } }));
        assert_eq!(
            text,
            Stored { key: "k".into(), session: Session::Text("{\"a\":\"é\"}".into()), expires: Some(9.5) }
        );
        let map =
            read(json!({ "sess": { "M": { "a": { "L": [{ "NULL": true }] } } }, "expires": { "S": "9" } }));
        assert_eq!(map.session, Session::Text(r#"{"a":[null]}"#.into()));
        assert_eq!(map.expires, Some(9.0));
    }

    #[test]
    fn an_item_is_dead_before_it_is_corrupt() {
        let stored = || read(json!({ "sess": { "N": "5" }, "expires": { "N": "9" } }));
        assert_eq!(stored().into_text(9).unwrap(), None);
        assert_eq!(stored().into_text(8).unwrap_err().kind, Kind::CorruptItem);
        assert_eq!(read(json!({ "id": { "S": "k" } })).into_text(8).unwrap_err().kind, Kind::CorruptItem);
        assert_eq!(read(json!({ "sess": { "S": "{}" }, "expires": { "BOOL": true } })).expires, None);
    }

    #[test]
    fn pages_and_missing_items() {
        let last_key = json!({ "id": { "S": "b" } });
        let body =
            json!({ "Count": 1, "Items": [{ "id": { "S": "a" } }, last_key], "LastEvaluatedKey": last_key });
        let page = Page::parse(body.to_string().as_bytes(), &layout()).unwrap();
        let keys: Vec<_> = page.items.into_iter().map(|item| item.key).collect();
        assert_eq!((keys, page.last_key), (vec!["a".to_owned(), "b".to_owned()], Some(last_key)));
        assert_eq!(Page::parse(b"{}", &layout()).unwrap(), Page::default());
        assert_eq!(succeeded(b"{}").unwrap().outcome, Outcome::Success { item: None });
    }

    #[test]
    fn a_failed_condition_is_an_outcome_with_the_item() {
        let failed = |name: &'static str, is_conditional, body: &str| {
            let status = Err(Error::service(name, "m", 400));
            Response::parse(status, body.as_bytes(), is_conditional, &layout())
        };
        let name = "ConditionalCheckFailedException";
        let body = json!({ "message": "m", "Item": { "id": { "S": "k" }, "expires": { "N": "9" } } });
        let item = Stored { key: "k".into(), session: Session::Missing, expires: Some(9.0) };
        let outcome = failed(name, true, &body.to_string()).unwrap().outcome;
        assert_eq!(outcome, Outcome::ConditionFailed { item: Some(item) });
        for body in [r#"{"message":"m"}"#, "", "[]"] {
            let outcome = failed(name, true, body).unwrap().outcome;
            assert_eq!(outcome, Outcome::ConditionFailed { item: None }, "{body}");
        }
        assert!(failed(name, false, "{}").unwrap_err().is_service(name));
        assert!(failed("X", true, "{}").unwrap_err().is_service("X"));
        let outcome = Response::parse(Ok(()), b"{}", true, &layout()).unwrap().outcome;
        assert_eq!(outcome, Outcome::Success { item: None });
    }

    #[test]
    fn a_broken_response_is_told_without_quoting_it() {
        let error = succeeded(br#"{"Item":"secret"}"#).unwrap_err();
        assert_eq!(error.kind, Kind::Network);
        assert!(!error.message.contains("secret"), "{error}");
    }
}
