//! The codec of items: the only code that writes and reads whole items. Conditions and filters in `wire::request` and
//! `table::scan` also use the names of attributes.
//!
//! Both directions work on text. A session is copied into the item as one string, and only what the store needs is
//! read back.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Kind, Result};
use crate::item::attribute::{self, tree::AttributeValue};
use crate::item::expiry::{self, Seconds};
use crate::item::layout::{Format, Layout};
use crate::json::cursor::{Cursor, Expected, Unexpected};
use crate::json::string as json_string;

/// An item to write.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewItem<'a> {
    /// The session ID.
    pub id: &'a str,
    /// The session as JSON text.
    pub session: &'a str,
    /// The session in its binary form, if it is to be stored in this form.
    pub binary: Option<&'a [u8]>,
    /// Without it, the item has no expiry attribute.
    pub expires: Option<Seconds>,
    /// When the session was created, if the layout has an attribute for it.
    pub created: Option<Seconds>,
    /// The user of the session, if the layout has an attribute for it.
    pub user: Option<&'a str>,
    /// Additional attributes, as a JSON object of attribute values. Attributes of the layout take precedence.
    pub attributes: Option<&'a str>,
}

impl<'a> NewItem<'a> {
    /// An item with only a session.
    pub const fn new(id: &'a str, session: &'a str, expires: Seconds) -> Self {
        Self {
            id,
            session,
            binary: None,
            expires: Some(expires),
            created: None,
            user: None,
            attributes: None,
        }
    }

    /// Appends the item as a JSON object of attribute values.
    pub fn write(&self, layout: &Layout, out: &mut Vec<u8>) -> Result<()> {
        out.push(b'{');
        if let Some(more) = self.attributes.and_then(|object| object.strip_prefix('{')?.strip_suffix('}'))
            && !more.is_empty()
        {
            push(out, more);
            push(out, ",");
        }
        write_key(layout, self.id, out);
        push(out, ",");
        for (name, time) in [(Some(&layout.expires), self.expires), (layout.created.as_ref(), self.created)] {
            if let (Some(name), Some(time)) = (name, time) {
                json_string::write(out, name);
                push(out, &format!(r#":{{"N":"{time}"}},"#));
            }
        }
        if let (Some(name), Some(user)) = (&layout.user, self.user) {
            write_string(out, name, user);
            push(out, ",");
        }
        for (name, value) in &layout.constants {
            write_string(out, name, value);
            push(out, ",");
        }
        json_string::write(out, &layout.session);
        push(out, ":");
        match self.binary {
            Some(bytes) => push(out, &binary_value(bytes)),
            None => write_session(layout, self.session, out)?,
        }
        out.push(b'}');
        Ok(())
    }
}

/// The attribute value of binary data.
pub(crate) fn binary_value(bytes: &[u8]) -> String {
    format!(r#"{{"B":"{}"}}"#, STANDARD.encode(bytes))
}

/// Appends the attribute value of a session, which is JSON text.
pub fn write_session(layout: &Layout, session: &str, out: &mut Vec<u8>) -> Result<()> {
    match layout.format {
        Format::Json => {
            write_string_value(out, session);
            Ok(())
        }
        Format::Map => write_map(session, out),
    }
}

/// The size of a session in the format of the layout, in bytes, as DynamoDB counts it.
pub(crate) fn session_size(layout: &Layout, session: &str) -> Result<usize> {
    if layout.format == Format::Json {
        return Ok(session.len());
    }
    let mut value = Vec::new();
    write_map(session, &mut value)?;
    // What was written is an attribute value.
    Ok(serde_json::from_slice::<AttributeValue>(&value).map_or(session.len(), |value| value.size()))
}

/// Appends the key attributes of a session, without braces.
pub fn write_key(layout: &Layout, id: &str, out: &mut Vec<u8>) {
    let key = layout.key(id);
    write_string(out, &layout.hash_key, &key);
    if let Some(sort_key) = &layout.sort_key {
        push(out, ",");
        write_string(out, sort_key, &key);
    }
}

fn write_map(session: &str, out: &mut Vec<u8>) -> Result<()> {
    attribute::encode(session, out).map_err(|error| {
        Error::new(Kind::Serialization, format!("the session cannot be stored as a DynamoDB map: {error}"))
    })
}

fn write_string(out: &mut Vec<u8>, name: &str, value: &str) {
    json_string::write(out, name);
    push(out, ":");
    write_string_value(out, value);
}

fn write_string_value(out: &mut Vec<u8>, text: &str) {
    push(out, r#"{"S":"#);
    json_string::write(out, text);
    push(out, "}");
}

/// The attribute value of a string, as JSON.
pub fn string_value(text: &str) -> String {
    let mut value = Vec::with_capacity(text.len() + text.len() / 4 + 16);
    write_string_value(&mut value, text);
    // The writer keeps UTF-8 intact.
    String::from_utf8(value).unwrap_or_default()
}

/// Appends an attribute value of any type. `json` is what follows the type.
fn write_value(out: &mut Vec<u8>, tag: &str, json: &str) {
    push(out, "{");
    json_string::write(out, tag);
    push(out, ":");
    push(out, json);
    push(out, "}");
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// An item that was read.
#[derive(Debug, Default, PartialEq)]
pub struct StoredItem {
    /// The session ID, or `None` if the key is not that of a session.
    pub id: Option<String>,
    /// The session attribute.
    pub session: SessionAttribute,
    /// The expiry in seconds since 1970.
    pub expires: Option<f64>,
    /// When the session was created, in seconds since 1970, if the layout has an attribute for it.
    pub created: Option<f64>,
    /// The user attribute, if the layout has one.
    pub user: Option<String>,
}

/// The session attribute of an item. If something else wrote the item, a text may be any text.
#[derive(Debug, Default, PartialEq)]
pub enum SessionAttribute {
    /// There is no session attribute.
    #[default]
    Missing,
    /// A string: the session as JSON text.
    Text(String),
    /// A map.
    Map {
        /// The session as JSON text.
        text: String,
        /// The attribute value as it is stored. The text cannot always be converted back to it, because JSON has no sets
        /// and no binary values.
        value: String,
    },
    /// Binary data, such as a session in its binary form.
    Binary(Vec<u8>),
    /// The attribute is of none of these types.
    Other {
        /// The attribute value as it is stored.
        value: String,
    },
}

impl SessionAttribute {
    /// The session as JSON text, if it is stored as text or as a map.
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Map { text, .. } => Some(text),
            Self::Missing | Self::Binary(_) | Self::Other { .. } => None,
        }
    }

    /// The attribute value as it is stored.
    pub(crate) fn to_value(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(string_value(text)),
            Self::Map { value, .. } | Self::Other { value } => Some(value.clone()),
            Self::Binary(bytes) => Some(binary_value(bytes)),
        }
    }
}

impl StoredItem {
    /// Parses an item, which is a JSON object of attribute values.
    pub fn parse(layout: &Layout, json: &str) -> Result<Self> {
        Self::read(layout, &mut Cursor::new(json)).map_err(|Unexpected| {
            Error::new(Kind::CorruptItem, "the item is not a JSON object of DynamoDB attribute values")
        })
    }

    /// Reads an item within a response.
    pub(crate) fn read(layout: &Layout, cursor: &mut Cursor<'_>) -> Expected<Self> {
        let mut item = Self::default();
        let (mut key, mut sort_key) = (None, None);
        cursor.object(|cursor, name| {
            if name == layout.session {
                item.session = read_session(cursor)?;
            } else if name == layout.expires {
                item.expires = read_scalar(cursor, &["N", "S"])?.and_then(|text| expiry::parse(&text));
            } else if Some(name) == layout.created.as_deref() {
                item.created = read_scalar(cursor, &["N"])?.and_then(|text| expiry::parse(&text));
            } else if Some(name) == layout.user.as_deref() {
                item.user = read_scalar(cursor, &["S"])?.map(Cow::into_owned);
            } else if name == layout.hash_key {
                key = read_scalar(cursor, &["S"])?;
            } else if Some(name) == layout.sort_key.as_deref() {
                sort_key = Some(read_scalar(cursor, &["S"])?);
            } else {
                cursor.raw()?;
            }
            Ok(())
        })?;
        // A Scan for IDs (`table::scan`) reads only the partition key, so a missing sort key is accepted.
        if sort_key.is_none_or(|sort_key| sort_key == key) {
            item.id = key.and_then(|key| layout.session_id(&key).map(str::to_owned));
        }
        Ok(item)
    }
}

/// The text of an attribute value of one of the `types`, or `None` for other types.
fn read_scalar<'a>(cursor: &mut Cursor<'a>, types: &[&str]) -> Expected<Option<Cow<'a, str>>> {
    let mut text = None;
    cursor.object(|cursor, tag| {
        if types.contains(&tag) {
            text = Some(cursor.text()?);
        } else {
            cursor.raw()?;
        }
        Ok(())
    })?;
    Ok(text)
}

fn read_session(cursor: &mut Cursor<'_>) -> Expected<SessionAttribute> {
    let mut session = SessionAttribute::Missing;
    cursor.object(|cursor, tag| {
        session = match tag {
            "S" => SessionAttribute::Text(cursor.text()?.into_owned()),
            "M" => read_map(cursor.raw()?)?,
            tag => {
                let json = cursor.raw()?;
                let base64 = (tag == "B").then(|| json.strip_prefix('"')?.strip_suffix('"')).flatten();
                match base64.and_then(|base64| STANDARD.decode(base64).ok()) {
                    Some(bytes) => SessionAttribute::Binary(bytes),
                    None => {
                        let mut value = Vec::new();
                        write_value(&mut value, tag, json);
                        SessionAttribute::Other { value: utf8(value)? }
                    }
                }
            }
        };
        Ok(())
    })?;
    Ok(session)
}

fn read_map(members: &str) -> Expected<SessionAttribute> {
    let mut json = Vec::new();
    attribute::decode_map(members, &mut json).map_err(|_| Unexpected)?;
    let mut value = Vec::with_capacity(members.len() + 8);
    write_value(&mut value, "M", members);
    Ok(SessionAttribute::Map { text: utf8(json)?, value: utf8(value)? })
}

fn utf8(bytes: Vec<u8>) -> Expected<String> {
    String::from_utf8(bytes).map_err(|_| Unexpected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ITEM: NewItem<'_> = NewItem::new("\"1\"", r#"{"a":1}"#, 7);

    fn write(item: NewItem<'_>, layout: &Layout) -> Result<Value> {
        let mut out = Vec::new();
        item.write(layout, &mut out)?;
        Ok(serde_json::from_slice(&out).unwrap())
    }

    fn read_with(layout: &Layout, item: Value) -> StoredItem {
        StoredItem::parse(layout, &item.to_string()).unwrap()
    }

    fn read(item: Value) -> StoredItem {
        read_with(&Layout::sample(Format::Json), item)
    }

    #[test]
    fn an_item_is_written_by_its_layout() {
        let json = Layout::sample(Format::Json);
        assert_eq!(
            write(ITEM, &json).unwrap(),
            json!({
                "id": { "S": "sess:\"1\"" },
                "expires": { "N": "7" },
                "type": { "S": "connect-session" },
                "sess": { "S": "{\"a\":1}" },
            })
        );
        let attributes = Some(r#"{"user":{"S":"u"},"type":{"S":"other"}}"#);
        let item = write(NewItem { attributes, ..ITEM }, &Layout::sample(Format::Map)).unwrap();
        assert_eq!(item["sess"], json!({ "M": { "a": { "N": "1" } } }));
        assert_eq!(item["user"], json!({ "S": "u" }));
        assert_eq!(item["type"], json!({ "S": "connect-session" }));
        let item = write(NewItem { attributes: Some("{}"), expires: None, ..ITEM }, &json).unwrap();
        assert_eq!(item.get("expires"), None);
    }

    #[test]
    fn a_session_that_cannot_be_stored_as_a_map_is_rejected() {
        for session in [r#"{"a":1e300}"#, r#"{"a":"\ud800"}"#, "{", "{}{}"] {
            let error = write(NewItem { session, ..ITEM }, &Layout::sample(Format::Map)).unwrap_err();
            assert_eq!(error.kind, Kind::Serialization, "{session}");
        }
    }

    #[test]
    fn both_formats_are_read() {
        let text =
            json!({ "sess": { "S": "{\"a\":\"é\"}" }, "expires": { "N": "9.5" }, "id": { "S": "sess:k" } });
        let session = SessionAttribute::Text("{\"a\":\"é\"}".into());
        assert_eq!(
            read(text),
            StoredItem { id: Some("k".into()), session, expires: Some(9.5), ..StoredItem::default() }
        );
        let map =
            read(json!({ "sess": { "M": { "a": { "L": [{ "NULL": true }] } } }, "expires": { "S": "9" } }));
        let (text, value) = (r#"{"a":[null]}"#.into(), r#"{"M":{"a":{"L":[{"NULL":true}]}}}"#.into());
        assert_eq!(map.session, SessionAttribute::Map { text, value });
        let other = read(json!({ "sess": { "N": "5" } })).session;
        assert_eq!(other, SessionAttribute::Other { value: r#"{"N":"5"}"#.into() });
        assert_eq!(map.expires, Some(9.0));
    }

    #[test]
    fn the_binary_form_the_creation_time_and_the_user_have_attributes() {
        let item = NewItem { binary: Some(&[1, 0xff]), created: Some(5), user: Some("\"u\""), ..ITEM };
        let plain = Layout::sample(Format::Map);
        let written = write(item, &plain).unwrap();
        assert_eq!(written["sess"], json!({ "B": "Af8=" }));
        assert_eq!(written.as_object().unwrap().len(), 4);
        let layout = Layout { created: Some("c".into()), user: Some("u".into()), ..plain };
        let written = write(item, &layout).unwrap();
        assert_eq!((&written["c"], &written["u"]), (&json!({ "N": "5" }), &json!({ "S": "\"u\"" })));
        let read = read_with(&layout, written);
        assert_eq!(read.session, SessionAttribute::Binary(vec![1, 0xff]));
        assert_eq!((read.created, read.user.as_deref()), (Some(5.0), Some("\"u\"")));
        let junk = read_with(&layout, json!({ "sess": { "B": "?" }, "c": { "S": "5" } }));
        assert_eq!(junk.session, SessionAttribute::Other { value: r#"{"B":"?"}"#.into() });
        assert_eq!(junk.created, None);
    }

    #[test]
    fn only_the_key_of_a_session_has_an_id() {
        for key in [json!({ "S": "other:1" }), json!({ "S": "sess:" }), json!({ "N": "1" })] {
            assert_eq!(read(json!({ "id": key })).id, None, "{key}");
        }
        let sorted = Layout { sort_key: Some("sk".into()), ..Layout::sample(Format::Json) };
        let id = |sort_key: Value| read_with(&sorted, json!({ "id": { "S": "sess:1" }, "sk": sort_key })).id;
        assert_eq!(id(json!({ "S": "sess:1" })).as_deref(), Some("1"));
        assert_eq!(id(json!({ "S": "sess:2" })), None);
        assert_eq!(id(json!({ "N": "1" })), None);
        assert_eq!(read_with(&sorted, json!({ "id": { "S": "sess:1" } })).id.as_deref(), Some("1"));
    }
}
