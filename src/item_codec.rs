//! The codec of items for JavaScript. It is synchronous and needs no store. Items are passed as DynamoDB JSON: the text of
//! a JSON object of attribute values.

use dynamodb_session_core::error;
use dynamodb_session_core::item::attribute::tree::{self, Attributes};
use dynamodb_session_core::item::codec::{NewItem, StoredItem, write_key};
use dynamodb_session_core::item::expiry::{is_expired, seconds_from_milliseconds};
use dynamodb_session_core::item::layout::Layout;
use napi_derive::napi;
use serde::Serialize;

/// An error with a code, which becomes the property `code` of the error in JavaScript.
type Result<T> = napi::Result<T, String>;

/// Writes and reads the items of one layout.
#[napi]
#[derive(Debug)]
pub struct ItemCodec {
    layout: Layout,
}

#[napi]
impl ItemCodec {
    /// `layout` is the member `layout` of a store's settings, as JSON.
    #[napi(constructor, catch_unwind)]
    pub fn new(layout: String) -> napi::Result<Self> {
        let layout =
            serde_json::from_str(&layout).map_err(|error| napi::Error::from_reason(error.to_string()))?;
        Ok(Self { layout })
    }

    /// Reads an item. Returns the JSON of `{ id, session, expires, isExpired }`: the session ID, the session's text, and the
    /// expiry in seconds, each of which may be null, and whether the item has expired. `now` is in milliseconds.
    #[napi(catch_unwind)]
    pub fn decode(&self, item: String, now: f64) -> Result<String> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Decoded {
            id: Option<String>,
            session: Option<String>,
            expires: Option<f64>,
            is_expired: bool,
        }
        let StoredItem { id, session, expires, .. } =
            StoredItem::parse(&self.layout, &item).map_err(with_code)?;
        let session = session.into_text();
        let is_expired = is_expired(expires, seconds_from_milliseconds(now));
        serde_json::to_string(&Decoded { id, session, expires, is_expired }).map_err(|_| not_an_item())
    }

    /// The key of a session's item.
    #[napi(catch_unwind)]
    pub fn key(&self, id: String) -> Result<String> {
        let mut json = vec![b'{'];
        write_key(&self.layout, &id, &mut json);
        json.push(b'}');
        String::from_utf8(json).map_err(|_| not_an_item())
    }

    /// Writes an item exactly as `set` does. `session` is JSON text, `expires` in seconds, and `attributes` a JSON object
    /// of additional attribute values.
    #[napi(catch_unwind)]
    pub fn encode(
        &self,
        id: String,
        session: String,
        expires: Option<i64>,
        attributes: Option<String>,
    ) -> Result<String> {
        let item = NewItem { id: &id, session: &session, expires, attributes: attributes.as_deref() };
        let mut json = Vec::with_capacity(session.len() + 256);
        item.write(&self.layout, &mut json).map_err(with_code)?;
        String::from_utf8(json).map_err(|_| not_an_item())
    }
}

/// The size of an item in bytes, as DynamoDB counts it.
// napi-rs registers no functions in a build for Rust tests.
#[cfg_attr(test, allow(dead_code))]
#[napi(catch_unwind)]
pub(crate) fn item_size(item: String) -> Result<f64> {
    Ok(tree::size(&attributes(&item)?) as f64)
}

/// Whether two items hold the same attributes: sets have no order, and numbers are compared by value.
#[cfg_attr(test, allow(dead_code))]
#[napi(catch_unwind)]
pub(crate) fn same_attributes(one: String, other: String) -> Result<bool> {
    Ok(tree::is_same(&attributes(&one)?, &attributes(&other)?))
}

fn attributes(item: &str) -> Result<Attributes> {
    serde_json::from_str(item).map_err(|_| not_an_item())
}

fn with_code(error: error::Error) -> napi::Error<String> {
    napi::Error::new(error.kind.code().to_owned(), error.message)
}

fn not_an_item() -> napi::Error<String> {
    let message = "the item is not a JSON object of DynamoDB attribute values";
    napi::Error::new(error::Kind::CorruptItem.code().to_owned(), message)
}
