//! Chooses the form in which a session is stored: plain, or binary if it is encrypted or compressed.

use crate::error::{Error, Kind, Result};
use crate::item::attribute::tree::{self, Attributes};
use crate::item::codec::{self, NewItem};
use crate::item::encryption::{ItemKey, Key};
use crate::item::layout::Layout;
use crate::item::{MAX_ITEM_SIZE, binary, compression};

/// DynamoDB charges a write unit for each KB of an item
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>).
const WRITE_UNIT: usize = 1024;

/// The form in which sessions are stored.
#[derive(Clone, Copy, Debug)]
pub struct Form<'k> {
    /// Whether sessions are compressed where that saves a write unit.
    pub compress: bool,
    /// The key that encrypts sessions, if they are encrypted.
    pub key: Option<&'k Key>,
}

impl Form<'_> {
    /// The binary form of an item's session, or `None` if it is stored as plain text or as a map.
    pub fn binary(self, layout: &Layout, item: &NewItem<'_>) -> Result<Option<Vec<u8>>> {
        let deflated = if self.compress { self.deflated(layout, item)? } else { None };
        if deflated.is_none() && self.key.is_none() {
            return Ok(None);
        }
        let session = deflated.as_deref().unwrap_or(item.session.as_bytes());
        let no_random = || Error::new(Kind::Internal, "the system has no random bytes");
        let bytes = with_item_key(layout, item.id, |key| {
            binary::write(session, deflated.is_some(), self.key, key).ok_or_else(no_random)
        });
        bytes.map(Some)
    }

    /// The compressed session, if that saves a write unit.
    fn deflated(self, layout: &Layout, item: &NewItem<'_>) -> Result<Option<Vec<u8>>> {
        // It could not be inflated.
        if item.session.len() > MAX_ITEM_SIZE {
            return Ok(None);
        }
        let plain = match self.key {
            Some(key) => item.session.len() + binary::overhead(Some(key)),
            None => codec::session_size(layout, item.session)?,
        };
        let others = size_of_others(layout, item);
        let units = |session: usize| (others + session).div_ceil(WRITE_UNIT);
        if units(plain) == 1 {
            return Ok(None);
        }
        let deflated = compression::deflate(item.session.as_bytes());
        Ok((units(deflated.len() + binary::overhead(self.key)) < units(plain)).then_some(deflated))
    }
}

/// Calls `run` with the key of a session's item.
pub fn with_item_key<T>(layout: &Layout, id: &str, run: impl FnOnce(ItemKey<'_>) -> T) -> T {
    let partition = layout.key(id);
    let sort = layout.sort_key.as_ref().map(|_| &*partition);
    run(ItemKey { partition: &partition, sort })
}

/// The size of an item without its session, in bytes.
fn size_of_others(layout: &Layout, item: &NewItem<'_>) -> usize {
    let key = layout.key(item.id).len();
    let keys = [Some(&layout.hash_key), layout.sort_key.as_ref()];
    let keys: usize = keys.into_iter().flatten().map(|name| name.len() + key).sum();
    let times = [(Some(&layout.expires), item.expires), (layout.created.as_ref(), item.created)];
    let times: usize = times
        .into_iter()
        .filter_map(|(name, time)| name.zip(time))
        .map(|(name, time)| name.len() + tree::number_size(&time.to_string()))
        .sum();
    let user = layout.user.as_ref().zip(item.user).map_or(0, |(name, user)| name.len() + user.len());
    let constants: usize = layout.constants.iter().map(|(name, value)| name.len() + value.len()).sum();
    let attributes = item.attributes.and_then(|json| serde_json::from_str::<Attributes>(json).ok());
    layout.session.len()
        + keys
        + times
        + user
        + constants
        + attributes.map_or(0, |attributes| tree::size(&attributes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::encryption::Keys;
    use crate::item::layout::Format;

    #[test]
    fn a_session_is_compressed_only_if_that_saves_a_write_unit() {
        let (layout, keys) = (Layout::sample(Format::Json), Keys::sample(&[("k", 1)]));
        let is_compressed = |session: &str, key| {
            let item = NewItem::new("1", session, 1_800_000_000);
            let form = Form { compress: true, key }.binary(&layout, &item).unwrap();
            form.is_some_and(|bytes| binary::Header::parse(&bytes).unwrap().is_compressed)
        };
        let others = size_of_others(&layout, &NewItem::new("1", "", 1_800_000_000));
        for (length, expected) in [(1024 - others, false), (1025 - others, true)] {
            assert_eq!(is_compressed(&"x".repeat(length), None), expected, "{length}");
            let encrypted = length - binary::overhead(Some(keys.newest()));
            assert_eq!(is_compressed(&"x".repeat(encrypted), Some(keys.newest())), expected, "{encrypted}");
        }
        let random: String = (0..1_500).map(|_| fastrand::alphanumeric()).collect();
        assert!(!is_compressed(&random, None), "two units in either form");
        assert!(is_compressed(&"x".repeat(MAX_ITEM_SIZE), None));
        assert!(!is_compressed(&"x".repeat(MAX_ITEM_SIZE + 1), None), "it could not be inflated");
    }

    #[test]
    fn the_size_of_the_other_attributes_is_that_of_an_item_without_a_session() {
        let layout = Layout {
            sort_key: Some("sk".into()),
            user: Some("user".into()),
            created: Some("created".into()),
            ..Layout::sample(Format::Json)
        };
        let attributes = Some(r#"{"n":{"N":"12"},"s":{"S":"text"}}"#);
        let times = Some(1_812_345_000);
        let item = NewItem {
            id: "1",
            attributes,
            expires: times,
            created: times,
            user: Some("u"),
            ..NewItem::default()
        };
        let mut json = Vec::new();
        NewItem { binary: Some(&[]), ..item }.write(&layout, &mut json).unwrap();
        let written: Attributes = serde_json::from_slice(&json).unwrap();
        assert_eq!(size_of_others(&layout, &item), tree::size(&written));
    }
}
