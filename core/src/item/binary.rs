//! The binary form of sessions, which is for encrypted and for compressed sessions. docs/security.md documents it.
//!
//! ```text
//! version | flags | length of the key ID | key ID | salt | ciphertext | tag      encrypted
//!    1        1              1             1..64     32                  16
//! version | flags | random bytes | deflated text                                 only compressed
//!    1        1          16
//! ```
//!
//! The header, which is everything before the ciphertext or the deflated text, is different for each write. Therefore, it is
//! enough for a condition on the stored session.

use crate::item::compression;
use crate::item::encryption::{self, ItemKey, Key, Keys, SALT_LENGTH, TAG_LENGTH};

const VERSION: u8 = 1;
const ENCRYPTED: u8 = 1;
const COMPRESSED: u8 = 2;
/// The bytes of an encrypted session before its key ID.
const BEFORE_KEY_ID: usize = 3;
/// The header of a session that is only compressed.
const COMPRESSED_HEADER: usize = 2 + 16;

/// What the header of a binary form says.
#[derive(Debug, PartialEq)]
pub struct Header<'a> {
    /// The ID of the key, if the session is encrypted.
    pub key_id: Option<&'a str>,
    /// Whether the session is compressed.
    pub is_compressed: bool,
    length: usize,
}

/// Why a binary form cannot be read as a session.
#[derive(Debug, PartialEq)]
pub enum Unreadable {
    /// It is not of this form, has been changed, or belongs to a different item.
    Corrupt,
    /// It is encrypted under a key that is not among the known keys.
    UnknownKey {
        /// The ID of the key.
        id: String,
    },
}

impl<'a> Header<'a> {
    /// Reads the header. Returns `None` if the bytes are not a session in binary form.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (&[VERSION, flags], rest) = bytes.split_first_chunk()? else {
            return None;
        };
        let is_compressed = flags & COMPRESSED != 0;
        if flags == COMPRESSED {
            let is_long_enough = bytes.len() > COMPRESSED_HEADER;
            return is_long_enough.then_some(Self { key_id: None, is_compressed, length: COMPRESSED_HEADER });
        }
        if flags & !COMPRESSED != ENCRYPTED {
            return None;
        }
        let (&id_length, rest) = rest.split_first()?;
        let (id, rest) = rest.split_at_checked(usize::from(id_length))?;
        let key_id = str::from_utf8(id).ok().filter(|id| encryption::is_key_id(id.as_bytes()))?;
        let is_long_enough = rest.len() > SALT_LENGTH + TAG_LENGTH;
        let length = BEFORE_KEY_ID + id.len() + SALT_LENGTH;
        is_long_enough.then_some(Self { key_id: Some(key_id), is_compressed, length })
    }

    /// The bytes of the header.
    pub fn of(bytes: &[u8]) -> Option<&[u8]> {
        Header::parse(bytes).map(|header| &bytes[..header.length])
    }
}

/// How many bytes the binary form of a session has in addition to the session.
pub fn overhead(key: Option<&Key>) -> usize {
    key.map_or(COMPRESSED_HEADER, |key| BEFORE_KEY_ID + key.id().len() + SALT_LENGTH + TAG_LENGTH)
}

/// Writes a session, which is text or compressed text, encrypted under the key, if there is one. Returns `None` if the system
/// has no random bytes.
pub fn write(session: &[u8], is_compressed: bool, key: Option<&Key>, item: ItemKey<'_>) -> Option<Vec<u8>> {
    let compressed = if is_compressed { COMPRESSED } else { 0 };
    let mut bytes = Vec::with_capacity(overhead(key) + session.len());
    let Some(key) = key else {
        bytes.extend([VERSION, compressed]);
        bytes.extend(encryption::random::<{ COMPRESSED_HEADER - 2 }>()?);
        bytes.extend_from_slice(session);
        return Some(bytes);
    };
    bytes.extend([VERSION, ENCRYPTED | compressed, u8::try_from(key.id().len()).ok()?]);
    bytes.extend_from_slice(key.id().as_bytes());
    bytes.extend(encryption::random::<SALT_LENGTH>()?);
    let header = bytes.len();
    bytes.extend_from_slice(session);
    key.encrypt(&mut bytes, header, item)?;
    Some(bytes)
}

/// Reads the text of a session.
pub fn read(bytes: &mut [u8], keys: Option<&Keys>, item: ItemKey<'_>) -> Result<String, Unreadable> {
    let Some(Header { key_id, is_compressed, length }) = Header::parse(bytes) else {
        return Err(Unreadable::Corrupt);
    };
    let key = match key_id {
        Some(id) => {
            let known = keys.and_then(|keys| keys.get(id));
            Some(known.ok_or_else(|| Unreadable::UnknownKey { id: id.to_owned() })?)
        }
        None => None,
    };
    let session = match key {
        Some(key) => key.decrypt(bytes, length, item).ok_or(Unreadable::Corrupt)?,
        None => &bytes[length..],
    };
    let text = if is_compressed { compression::inflate(session) } else { Some(session.to_vec()) };
    text.and_then(|text| String::from_utf8(text).ok()).ok_or(Unreadable::Corrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: ItemKey<'_> = ItemKey { partition: "sess:1", sort: None };
    const SESSION: &str = r#"{"user":"Ann"}"#;

    fn read_with(mut bytes: Vec<u8>, keys: &Keys, item: ItemKey<'_>) -> Result<String, Unreadable> {
        read(&mut bytes, Some(keys), item)
    }

    fn encrypted(keys: &Keys) -> Vec<u8> {
        write(SESSION.as_bytes(), false, Some(keys.newest()), ITEM).unwrap()
    }

    #[test]
    fn an_encrypted_session_is_read_under_its_key_and_in_its_item_only() {
        let keys = Keys::sample(&[("2026-11", 7)]);
        let bytes = encrypted(&keys);
        assert_eq!(bytes.len(), SESSION.len() + overhead(Some(keys.newest())));
        assert_eq!(read_with(bytes.clone(), &keys, ITEM).unwrap(), SESSION);
        assert_ne!(encrypted(&keys), bytes);
        for other in [
            ItemKey { partition: "sess:2", sort: None },
            ItemKey { partition: "sess:", sort: Some("1") },
            ItemKey { partition: "sess:1", sort: Some("sess:1") },
        ] {
            assert_eq!(read_with(bytes.clone(), &keys, other), Err(Unreadable::Corrupt), "{other:?}");
        }
        let unknown = Err(Unreadable::UnknownKey { id: "2026-11".into() });
        assert_eq!(read_with(bytes.clone(), &Keys::sample(&[("2026-12", 7)]), ITEM), unknown);
        assert_eq!(read(&mut bytes.clone(), None, ITEM), unknown);
        assert_eq!(read_with(bytes, &Keys::sample(&[("2026-11", 8)]), ITEM), Err(Unreadable::Corrupt));
    }

    #[test]
    fn a_changed_or_shortened_session_is_rejected() {
        let keys = Keys::sample(&[("k", 7)]);
        let bytes = encrypted(&keys);
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[position] ^= 1 << bit;
                assert!(read_with(changed, &keys, ITEM).is_err(), "bit {bit} of byte {position}");
            }
            assert_eq!(read_with(bytes[..position].to_vec(), &keys, ITEM), Err(Unreadable::Corrupt));
        }
        assert_eq!(read_with([&*bytes, &[0]].concat(), &keys, ITEM), Err(Unreadable::Corrupt));
    }

    #[test]
    fn a_compressed_session_is_read_with_and_without_encryption() {
        let keys = Keys::sample(&[("k", 7)]);
        let deflated = compression::deflate(SESSION.as_bytes());
        for key in [None, Some(keys.newest())] {
            let bytes = write(&deflated, true, key, ITEM).unwrap();
            assert_eq!(Header::parse(&bytes).unwrap().key_id, key.map(Key::id));
            assert_eq!(read_with(bytes.clone(), &keys, ITEM).unwrap(), SESSION);
            assert!(read_with(bytes[..bytes.len() - 1].to_vec(), &keys, ITEM).is_err());
        }
    }

    #[test]
    fn the_header_is_different_for_each_write() {
        let keys = Keys::sample(&[("k", 7)]);
        for (is_compressed, key) in [(true, None), (false, Some(keys.newest()))] {
            let [one, other] = [0; 2].map(|_| write(b"{}", is_compressed, key, ITEM).unwrap());
            assert_ne!(Header::of(&one).unwrap(), Header::of(&other).unwrap());
            assert_eq!(Header::of(&one).unwrap().len(), if key.is_some() { 36 } else { 18 });
        }
        for other in [&[][..], &[1], &[2, 1], &[1, 0], &[1, 4], &[1, 2], &[1, 1, 0]] {
            assert_eq!(Header::parse(other), None);
        }
    }
}
