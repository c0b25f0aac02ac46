//! The service's answers, read straight from text: items and what they cost.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::attribute::{Tagged, Text};
use crate::error::{Error, Kind, Result};
use crate::expiry::{self, Seconds};
use crate::json_string;
use crate::layout::Layout;

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

/// The answer of a data-plane request.
#[derive(Debug, Default)]
pub struct Reply {
    pub item: Option<Stored>,
    pub capacity_units: Option<f64>,
}

impl Reply {
    pub fn parse(body: &[u8], layout: &Layout) -> Result<Self> {
        parse(body, ReplySeed(layout))
    }
}

/// The items of a page that a Scan gave.
pub fn parse_page(body: &[u8], layout: &Layout) -> Result<Vec<Stored>> {
    parse(body, PageSeed(layout))
}

fn parse<'de, S: DeserializeSeed<'de>>(body: &'de [u8], seed: S) -> Result<S::Value> {
    let mut json = serde_json::Deserializer::from_slice(body);
    seed.deserialize(&mut json).map_err(|error| {
        // The error's own text may quote the response.
        let place = format!("line {}, column {}", error.line(), error.column());
        Error::new(Kind::Network, format!("the response is not what DynamoDB answers, at {place}"))
    })
}

/// Implements `DeserializeSeed` for a visitor that reads a map.
macro_rules! seed_of_map {
    ($seed:ident, $value:ty) => {
        impl<'de> DeserializeSeed<'de> for $seed<'_> {
            type Value = $value;
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.deserialize_map(self)
            }
        }
    };
}

struct ReplySeed<'l>(&'l Layout);
seed_of_map!(ReplySeed, Reply);

impl<'de> Visitor<'de> for ReplySeed<'_> {
    type Value = Reply;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a response")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Reply, A::Error> {
        #[derive(Deserialize)]
        struct ConsumedCapacity {
            #[serde(rename = "CapacityUnits")]
            units: Option<f64>,
        }
        let mut reply = Reply::default();
        while let Some(Text(name)) = members.next_key()? {
            match &*name {
                "Item" => reply.item = Some(members.next_value_seed(ItemSeed(self.0))?),
                "ConsumedCapacity" => {
                    reply.capacity_units = members.next_value::<ConsumedCapacity>()?.units;
                }
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(reply)
    }
}

struct PageSeed<'l>(&'l Layout);
seed_of_map!(PageSeed, Vec<Stored>);

impl<'de> Visitor<'de> for PageSeed<'_> {
    type Value = Vec<Stored>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of items")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Vec<Stored>, A::Error> {
        let mut items = Vec::new();
        while let Some(Text(name)) = members.next_key()? {
            match &*name {
                "Items" => items = members.next_value_seed(ItemsSeed(self.0))?,
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(items)
    }
}

struct ItemsSeed<'l>(&'l Layout);

impl<'de> DeserializeSeed<'de> for ItemsSeed<'_> {
    type Value = Vec<Stored>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Stored>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ItemsSeed<'_> {
    type Value = Vec<Stored>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<Stored>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = elements.next_element_seed(ItemSeed(self.0))? {
            items.push(item);
        }
        Ok(items)
    }
}

struct ItemSeed<'l>(&'l Layout);
seed_of_map!(ItemSeed, Stored);

impl<'de> Visitor<'de> for ItemSeed<'_> {
    type Value = Stored;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Stored, A::Error> {
        let layout = self.0;
        let mut stored = Stored::default();
        while let Some(Text(name)) = members.next_key()? {
            if name == layout.session {
                stored.session = members.next_value_seed(SessionSeed)?;
            } else if name == layout.expires {
                stored.expires =
                    members.next_value::<Scalar<'_>>()?.0.and_then(|text| expiry::parse(&text.0));
            } else if name == layout.hash_key {
                stored.key = members
                    .next_value::<Scalar<'_>>()?
                    .0
                    .map_or_else(String::new, |text| text.0.into_owned());
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(stored)
    }
}

/// The text of an attribute of type S or N; nothing for the other types.
struct Scalar<'de>(Option<Text<'de>>);

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an attribute value")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut tagged: A) -> Result<Scalar<'de>, A::Error> {
                let mut text = None;
                while let Some(Text(tag)) = tagged.next_key()? {
                    match &*tag {
                        "S" | "N" => text = Some(tagged.next_value()?),
                        _ => drop(tagged.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Scalar(text))
            }
        }
        deserializer.deserialize_map(ScalarVisitor)
    }
}

struct SessionSeed;

impl<'de> DeserializeSeed<'de> for SessionSeed {
    type Value = Session;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Session, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SessionSeed {
    type Value = Session;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut tagged: A) -> Result<Session, A::Error> {
        let mut session = Session::Missing;
        while let Some(Text(tag)) = tagged.next_key()? {
            session = match &*tag {
                "S" => {
                    let json = tagged.next_value::<&RawValue>()?.get();
                    Session::Text(json_string::read(json).map_err(A::Error::custom)?.into_owned())
                }
                "M" => {
                    let mut json = Vec::new();
                    tagged.next_value_seed(Tagged { tag: "M", out: &mut json })?;
                    String::from_utf8(json).map_or(Session::OtherType, Session::Text)
                }
                _ => {
                    tagged.next_value::<IgnoredAny>()?;
                    Session::OtherType
                }
            };
        }
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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

    fn read(item: Value) -> Stored {
        let body = json!({ "ConsumedCapacity": { "TableName": "t", "CapacityUnits": 0.5 }, "Item": item });
        let reply = Reply::parse(body.to_string().as_bytes(), &layout()).unwrap();
        assert_eq!(reply.capacity_units, Some(0.5));
        reply.item.unwrap()
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
        let page =
            json!({ "Count": 1, "Items": [{ "id": { "S": "a" } }, { "id": { "S": "b" } }] }).to_string();
        let keys: Vec<_> =
            parse_page(page.as_bytes(), &layout()).unwrap().into_iter().map(|item| item.key).collect();
        assert_eq!(keys, ["a", "b"]);
        assert!(Reply::parse(b"{}", &layout()).unwrap().item.is_none());
    }

    #[test]
    fn a_broken_response_is_told_without_quoting_it() {
        let error = Reply::parse(br#"{"Item":"secret"}"#, &layout()).unwrap_err();
        assert_eq!(error.kind, Kind::Network);
        assert!(!error.message.contains("secret"), "{error}");
    }
}
