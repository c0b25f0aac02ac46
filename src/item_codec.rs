//! The codec of items for JavaScript. It is synchronous and needs no store. Items are passed as DynamoDB JSON: the text of
//! a JSON object of attribute values.

use dynamodb_session_core::error;
use dynamodb_session_core::item::attribute::tree::{self, Attributes};
use dynamodb_session_core::item::binary::Header;
use dynamodb_session_core::item::codec::{NewItem, SessionAttribute, StoredItem, write_key};
use dynamodb_session_core::item::encryption::{Key, Keys};
use dynamodb_session_core::item::expiry::{is_expired, seconds_from_milliseconds};
use dynamodb_session_core::item::form::Form;
use dynamodb_session_core::item::layout::Layout;
use dynamodb_session_core::store::open_with;
use napi_derive::napi;
use serde::{Deserialize, Serialize};

/// An error with a code, which becomes the property `code` of the error in JavaScript.
type Result<T> = napi::Result<T, String>;

/// Writes and reads the items of one layout.
#[napi]
#[derive(Debug)]
pub struct ItemCodec {
    settings: Settings,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    layout: Layout,
    keys: Option<Keys>,
    /// Whether sessions are encrypted when they are written.
    encrypts: bool,
    compression: bool,
}

#[napi]
impl ItemCodec {
    /// `settings` is the JSON of `{ layout, keys, encrypts, compression }`, the first of which is a member of a store's
    /// settings.
    #[napi(constructor, catch_unwind)]
    pub fn new(settings: String) -> napi::Result<Self> {
        let settings =
            serde_json::from_str(&settings).map_err(|error| napi::Error::from_reason(error.to_string()))?;
        Ok(Self { settings })
    }

    /// Reads an item. Returns the JSON of `{ id, session, expires, created, isExpired, form, keyId, lacksKey, user }`: the
    /// session ID, the session's text, the expiry and the creation time in seconds, whether the item has expired, the form of
    /// the session (`json`, `map`, `encrypted`, or `compressed`), the ID of the key that encrypts it, whether this key is
    /// unknown, and the user attribute. All but the Booleans may be null. `now` is in milliseconds.
    #[napi(catch_unwind)]
    pub fn decode(&self, item: String, now: f64) -> Result<String> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Decoded {
            id: Option<String>,
            session: Option<String>,
            expires: Option<f64>,
            created: Option<f64>,
            is_expired: bool,
            form: Option<&'static str>,
            key_id: Option<String>,
            lacks_key: bool,
            user: Option<String>,
        }
        let Settings { layout, keys, .. } = &self.settings;
        let StoredItem { id, session, expires, created, user } =
            StoredItem::parse(layout, &item).map_err(with_code)?;
        let is_expired = is_expired(expires, seconds_from_milliseconds(now));
        let (form, key_id) = (None, None);
        let mut decoded =
            Decoded { id, session: None, expires, created, is_expired, form, key_id, lacks_key: false, user };
        match session {
            SessionAttribute::Binary(mut bytes) => {
                let header = Header::parse(&bytes);
                decoded.key_id = header.as_ref().and_then(|header| header.key_id).map(str::to_owned);
                decoded.form =
                    header.map(|_| if decoded.key_id.is_some() { "encrypted" } else { "compressed" });
                let id = decoded.id.as_deref().unwrap_or_default();
                match open_with(layout, id, &mut bytes, keys.as_ref()) {
                    Ok(text) => decoded.session = text.ok(),
                    Err(_) => decoded.lacks_key = true,
                }
            }
            SessionAttribute::Text(text) => (decoded.form, decoded.session) = (Some("json"), Some(text)),
            SessionAttribute::Map { text, .. } => {
                (decoded.form, decoded.session) = (Some("map"), Some(text));
            }
            SessionAttribute::Missing | SessionAttribute::Other { .. } => {}
        }
        serde_json::to_string(&decoded).map_err(|_| not_an_item())
    }

    /// The key of a session's item.
    #[napi(catch_unwind)]
    pub fn key(&self, id: String) -> Result<String> {
        let mut json = vec![b'{'];
        write_key(&self.settings.layout, &id, &mut json);
        json.push(b'}');
        String::from_utf8(json).map_err(|_| not_an_item())
    }

    /// Writes an item exactly as `set` does. `session` is JSON text, `expires` in seconds, `attributes` a JSON object of
    /// additional attribute values, and `user` the user of the session.
    #[napi(catch_unwind)]
    pub fn encode(
        &self,
        id: String,
        session: String,
        expires: Option<i64>,
        attributes: Option<String>,
        user: Option<String>,
    ) -> Result<String> {
        let Settings { layout, compression: compress, .. } = &self.settings;
        let key = self.key_to_write();
        let user = user.map(|user| key.map_or(Some(user.clone()), |key| key.hash_of_user(&user)));
        let user = user.map(|user| user.ok_or_else(not_an_item)).transpose()?;
        let attributes = attributes.as_deref();
        let (user, session_text) = (user.as_deref(), session.as_str());
        let item =
            NewItem { id: &id, session: session_text, expires, user, attributes, ..NewItem::default() };
        let binary = Form { compress: *compress, key }.binary(layout, &item).map_err(with_code)?;
        let mut json = Vec::with_capacity(session.len() + 256);
        NewItem { binary: binary.as_deref(), ..item }.write(layout, &mut json).map_err(with_code)?;
        String::from_utf8(json).map_err(|_| not_an_item())
    }
}

impl ItemCodec {
    fn key_to_write(&self) -> Option<&Key> {
        self.settings.keys.as_ref().filter(|_| self.settings.encrypts).map(Keys::newest)
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
