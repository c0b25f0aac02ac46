//! A session and its DynamoDB item: request bodies written, responses read, straight from and to text.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::attribute::{Tagged, Text, ToAttribute, write_str};
use crate::error::{Error, Kind, Result};
use crate::expiry::{self, Seconds};
use crate::layout::{Format, Layout};

/// Bytes of the largest item
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const LARGEST_ITEM: usize = 400 * 1024;

/// What `set` writes.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    pub key: &'a str,
    /// The session as JSON text.
    pub session: &'a str,
    pub expires: Seconds,
    /// More attributes, as a JSON object of attribute values.
    pub attributes: Option<&'a str>,
}

/// The request bodies of one table and layout.
#[derive(Debug)]
pub struct Requests {
    layout: Layout,
    /// `{"TableName":"…"`, with which every body begins.
    opening: Vec<u8>,
}

impl Requests {
    pub fn new(table: &str, layout: Layout) -> Self {
        let mut opening = br#"{"TableName":"#.to_vec();
        write_str(&mut opening, table);
        Self { layout, opening }
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// GetItem.
    pub fn get(&self, key: &str, consistent: bool) -> Body {
        let mut body = self.keyed(key, 64);
        if consistent {
            body.push(r#","ConsistentRead":true"#);
        }
        body
    }

    /// PutItem.
    pub fn put(&self, draft: Draft<'_>) -> Result<Body> {
        // A map takes other room than its JSON text.
        if self.layout.format == Format::Json && draft.session.len() > LARGEST_ITEM {
            return Err(Error::new(
                Kind::Service("ValidationException".into()),
                format!(
                    "Item size has exceeded the maximum allowed size: the session takes {} bytes, an item at most {LARGEST_ITEM}",
                    draft.session.len()
                ),
            ));
        }
        let layout = &self.layout;
        let mut body = self.open(draft.session.len() + draft.session.len() / 8 + 256);
        body.push(r#","Item":{"#);
        self.write_key(&mut body, draft.key);
        body.push(",");
        body.string(&layout.expires);
        body.push(&format!(r#":{{"N":"{}"}},"#, draft.expires));
        for (name, value) in &layout.constants {
            body.attribute(name, value);
            body.push(",");
        }
        if let Some(more) = draft
            .attributes
            .and_then(|object| object.strip_prefix('{')?.strip_suffix('}'))
            && !more.is_empty()
        {
            body.push(more);
            body.push(",");
        }
        match layout.format {
            Format::Json => body.attribute(&layout.session, draft.session),
            Format::Map => {
                body.string(&layout.session);
                body.push(":");
                to_attribute(draft.session, &mut body.0)?;
            }
        }
        body.push("}");
        Ok(body)
    }

    /// UpdateItem of the expiry, and of the stamp within the session if there is one, on condition that the
    /// item is there and alive.
    pub fn touch(&self, key: &str, expires: Seconds, now: Seconds, stamp: Option<Stamp<'_>>) -> Body {
        let mut body = self.keyed(key, 400);
        let mut update = "SET #e = :e";
        let mut names = vec![("#k", &*self.layout.hash_key), ("#e", &*self.layout.expires)];
        let mut values = now_values(now);
        values.push((":e", number(expires)));
        if let Some(stamp) = stamp {
            update = "SET #e = :e, #s.#stamp = :stamp";
            names.extend([("#s", &*self.layout.session), ("#stamp", stamp.name)]);
            values.push((":stamp", stamp.value.to_owned()));
        }
        body.push(&format!(r#","UpdateExpression":"{update}""#));
        body.condition(
            &format!("attribute_exists(#k) AND NOT ({IS_DEAD})"),
            &names,
            &values,
        );
        body
    }

    /// DeleteItem.
    pub fn delete(&self, key: &str) -> Body {
        self.keyed(key, 64)
    }

    /// DeleteItem on condition that the item has expired.
    pub fn delete_expired(&self, key: &str, now: Seconds) -> Body {
        let mut body = self.keyed(key, 256);
        body.condition(IS_DEAD, &[("#e", &self.layout.expires)], &now_values(now));
        body
    }

    fn open(&self, capacity: usize) -> Body {
        let mut body = Vec::with_capacity(self.opening.len() + capacity);
        body.extend_from_slice(&self.opening);
        Body(body)
    }

    fn keyed(&self, key: &str, capacity: usize) -> Body {
        let mut body = self.open(2 * key.len() + capacity);
        body.push(r#","Key":{"#);
        self.write_key(&mut body, key);
        body.push("}");
        body
    }

    fn write_key(&self, body: &mut Body, key: &str) {
        body.attribute(&self.layout.hash_key, key);
        if let Some(sort_key) = &self.layout.sort_key {
            body.push(",");
            body.attribute(sort_key, key);
        }
    }
}

/// A field of the session that a touch sets.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    pub name: &'a str,
    /// An attribute value as JSON.
    pub value: &'a str,
}

/// False for an expiry that is absent or of another type than its operand, so an item without one is alive.
/// One that holds digits as a string is compared as a string, where the shorter is the smaller number.
pub const IS_DEAD: &str =
    "#e <= :now OR (#e >= :zero AND #e < :colon AND (#e <= :text OR size(#e) < :length))";

/// The values of [`IS_DEAD`]: name, type and text.
pub fn values_of_now(now: Seconds) -> [(&'static str, &'static str, String); 5] {
    let text = now.to_string();
    [
        (":zero", "S", "0".to_owned()),
        // What comes after the digits.
        (":colon", "S", ":".to_owned()),
        (":length", "N", text.len().to_string()),
        (":text", "S", text.clone()),
        (":now", "N", text),
    ]
}

fn now_values(now: Seconds) -> Vec<(&'static str, String)> {
    values_of_now(now)
        .into_iter()
        .map(|(name, kind, text)| (name, format!(r#"{{"{kind}":"{text}"}}"#)))
        .collect()
}

fn number(seconds: Seconds) -> String {
    format!(r#"{{"N":"{seconds}"}}"#)
}

/// A request body that lacks its last brace.
#[derive(Debug)]
pub struct Body(Vec<u8>);

impl Body {
    /// The whole body, asking for the capacity that the request consumed if `capacity` is set.
    pub fn finish(mut self, capacity: bool) -> Vec<u8> {
        if capacity {
            self.push(r#","ReturnConsumedCapacity":"TOTAL""#);
        }
        self.push("}");
        self.0
    }

    fn push(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn string(&mut self, text: &str) {
        write_str(&mut self.0, text);
    }

    /// The condition, and the names and values of all expressions of the request.
    fn condition(&mut self, condition: &str, names: &[(&str, &str)], values: &[(&str, String)]) {
        self.push(r#","ConditionExpression":"#);
        self.string(condition);
        self.push(r#","ExpressionAttributeNames":{"#);
        for (place, (name, attribute)) in names.iter().enumerate() {
            self.push(if place == 0 { "" } else { "," });
            self.string(name);
            self.push(":");
            self.string(attribute);
        }
        self.push(r#"},"ExpressionAttributeValues":{"#);
        for (place, (name, value)) in values.iter().enumerate() {
            self.push(if place == 0 { "" } else { "," });
            self.string(name);
            self.push(":");
            self.push(value);
        }
        self.push("}");
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.string(name);
        self.push(r#":{"S":"#);
        self.string(value);
        self.push("}");
    }
}

fn to_attribute(session: &str, out: &mut Vec<u8>) -> Result<()> {
    let refuse = |error: serde_json::Error| {
        Error::new(
            Kind::Serialization,
            format!("the session does not fit a DynamoDB map: {error}"),
        )
    };
    let mut json = serde_json::Deserializer::from_str(session);
    ToAttribute::new(out).deserialize(&mut json).map_err(refuse)?;
    json.end().map_err(refuse)
}

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
            Session::OtherType => Err(Error::new(
                Kind::CorruptItem,
                "the session attribute is neither a string nor a map",
            )),
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
        Error::new(
            Kind::Network,
            format!("the response is not what DynamoDB answers, at {place}"),
        )
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
                stored.expires = members
                    .next_value::<Scalar<'_>>()?
                    .0
                    .and_then(|text| expiry::parse(&text.0));
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
                "S" => Session::Text(tagged.next_value::<Text<'_>>()?.0.into_owned()),
                "M" => {
                    let mut json = Vec::new();
                    tagged.next_value_seed(Tagged {
                        tag: "M",
                        out: &mut json,
                    })?;
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

    fn layout(format: Format) -> Layout {
        Layout {
            hash_key: "id".into(),
            sort_key: None,
            prefix: "sess:".into(),
            session: "sess".into(),
            expires: "expires".into(),
            constants: vec![("type".into(), "connect-session".into())],
            format,
        }
    }

    fn requests(format: Format) -> Requests {
        Requests::new("a \"table\"", layout(format))
    }

    fn json(body: Vec<u8>) -> Value {
        serde_json::from_slice(&body).unwrap()
    }

    const DRAFT: Draft<'_> = Draft {
        key: "sess:\"1\"",
        session: r#"{"a":1}"#,
        expires: 7,
        attributes: None,
    };

    #[test]
    fn put_writes_the_layout() {
        assert_eq!(
            json(requests(Format::Json).put(DRAFT).unwrap().finish(false)),
            json!({
                "TableName": "a \"table\"",
                "Item": {
                    "id": { "S": "sess:\"1\"" },
                    "expires": { "N": "7" },
                    "type": { "S": "connect-session" },
                    "sess": { "S": "{\"a\":1}" },
                }
            })
        );
        let draft = Draft {
            attributes: Some(r#"{"user":{"S":"u"}}"#),
            ..DRAFT
        };
        let body = json(requests(Format::Map).put(draft).unwrap().finish(true));
        assert_eq!(body["Item"]["sess"], json!({ "M": { "a": { "N": "1" } } }));
        assert_eq!(body["Item"]["user"], json!({ "S": "u" }));
        assert_eq!(body["ReturnConsumedCapacity"], "TOTAL");
        let draft = Draft {
            attributes: Some("{}"),
            ..DRAFT
        };
        json(requests(Format::Json).put(draft).unwrap().finish(false));
    }

    #[test]
    fn a_sort_key_repeats_the_hash_key() {
        let layout = Layout {
            sort_key: Some("sk".into()),
            ..layout(Format::Json)
        };
        let body = json(Requests::new("t", layout).delete("k").finish(false));
        assert_eq!(body["Key"], json!({ "id": { "S": "k" }, "sk": { "S": "k" } }));
    }

    #[test]
    fn get_and_touch_are_whole_bodies() {
        let requests = requests(Format::Json);
        assert_eq!(
            json(requests.get("k", true).finish(false))["ConsistentRead"],
            true
        );
        assert_eq!(
            json(requests.get("k", false).finish(false)).get("ConsistentRead"),
            None
        );
        let touch = json(requests.touch("k", 20, 10, None).finish(true));
        assert_eq!(
            touch["ExpressionAttributeNames"],
            json!({ "#k": "id", "#e": "expires" })
        );
        assert_eq!(touch["ExpressionAttributeValues"][":e"], json!({ "N": "20" }));
        assert_eq!(touch["ExpressionAttributeValues"][":text"], json!({ "S": "10" }));
        assert_eq!(touch["UpdateExpression"], "SET #e = :e");
        let stamp = Stamp {
            name: "updated",
            value: r#"{"N":"5"}"#,
        };
        let touch = json(requests.touch("k", 20, 10, Some(stamp)).finish(false));
        assert_eq!(touch["UpdateExpression"], "SET #e = :e, #s.#stamp = :stamp");
        assert_eq!(touch["ExpressionAttributeNames"]["#stamp"], "updated");
        assert_eq!(touch["ExpressionAttributeValues"][":stamp"], json!({ "N": "5" }));
        let delete = json(requests.delete_expired("k", 10).finish(false));
        assert_eq!(delete["ConditionExpression"], IS_DEAD);
        assert_eq!(delete["ExpressionAttributeNames"], json!({ "#e": "expires" }));
    }

    #[test]
    fn a_session_over_the_item_size_is_refused() {
        let session = format!("\"{}\"", "x".repeat(LARGEST_ITEM));
        let error = requests(Format::Json)
            .put(Draft {
                session: &session,
                ..DRAFT
            })
            .unwrap_err();
        assert!(error.is_service("ValidationException"));
        assert!(error.message.contains("409602 bytes"), "{error}");
    }

    #[test]
    fn a_session_that_no_map_holds_is_refused() {
        for session in [r#"{"a":1e300}"#, r#"{"a":"\ud800"}"#, "{", "{}{}"] {
            let error = requests(Format::Map).put(Draft { session, ..DRAFT }).unwrap_err();
            assert_eq!(error.kind, Kind::Serialization, "{session}");
        }
    }

    fn read(item: Value) -> Stored {
        let body = json!({ "ConsumedCapacity": { "TableName": "t", "CapacityUnits": 0.5 }, "Item": item });
        let reply = Reply::parse(body.to_string().as_bytes(), &layout(Format::Json)).unwrap();
        assert_eq!(reply.capacity_units, Some(0.5));
        reply.item.unwrap()
    }

    #[test]
    fn reads_both_formats() {
        let text =
            read(json!({ "sess": { "S": "{\"a\":\"é\"}" }, "expires": { "N": "9.5" }, "id": { "S": "k" } }));
        assert_eq!(
            text,
            Stored {
                key: "k".into(),
                session: Session::Text("{\"a\":\"é\"}".into()),
                expires: Some(9.5)
            }
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
        assert_eq!(
            read(json!({ "id": { "S": "k" } })).into_text(8).unwrap_err().kind,
            Kind::CorruptItem
        );
        assert_eq!(
            read(json!({ "sess": { "S": "{}" }, "expires": { "BOOL": true } })).expires,
            None
        );
    }

    #[test]
    fn pages_and_missing_items() {
        let page =
            json!({ "Count": 1, "Items": [{ "id": { "S": "a" } }, { "id": { "S": "b" } }] }).to_string();
        let keys: Vec<_> = parse_page(page.as_bytes(), &layout(Format::Json))
            .unwrap()
            .into_iter()
            .map(|item| item.key)
            .collect();
        assert_eq!(keys, ["a", "b"]);
        assert!(Reply::parse(b"{}", &layout(Format::Json)).unwrap().item.is_none());
    }

    #[test]
    fn a_broken_response_is_told_without_quoting_it() {
        let error = Reply::parse(br#"{"Item":"secret"}"#, &layout(Format::Json)).unwrap_err();
        assert_eq!(error.kind, Kind::Network);
        assert!(!error.message.contains("secret"), "{error}");
    }
}
