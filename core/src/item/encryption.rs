//! Encrypts sessions with AES-256-GCM under a key that is derived for each write, and hashes user IDs under a key of their
//! own. docs/security.md documents both.

use std::collections::HashSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;

use crate::error::{Error, Kind, Result};

/// The length of the salt of a write.
pub(crate) const SALT_LENGTH: usize = 32;
/// The length of the authentication tag after the ciphertext.
pub(crate) const TAG_LENGTH: usize = 16;
const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 12;
const LONGEST_KEY_ID: usize = 64;

/// What the derived keys are for. The version is that of the binary form.
const FOR_SESSIONS: &[u8] = b"dynamodb-session encryption\x01";
const FOR_USERS: &[u8] = b"dynamodb-session user\x01";

/// A master key.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(try_from = "KeyText")]
pub struct Key {
    id: String,
    secret: [u8; KEY_LENGTH],
}

/// A key as JavaScript passes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    id: String,
    /// In base64url.
    key: String,
}

impl TryFrom<KeyText> for Key {
    type Error = Error;

    fn try_from(text: KeyText) -> Result<Self> {
        let secret = URL_SAFE_NO_PAD.decode(text.key).ok().and_then(|bytes| bytes.try_into().ok());
        let id = Some(text.id).filter(|id| is_key_id(id.as_bytes()));
        // The message must not contain the key.
        let invalid = || Error::new(Kind::EncryptionKey, "a key must have a valid ID and 32 bytes");
        Ok(Self { id: id.ok_or_else(invalid)?, secret: secret.ok_or_else(invalid)? })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Whether the bytes can be a key ID. IDs are shown in messages, so they have no control characters.
pub(crate) fn is_key_id(id: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:/-".contains(byte);
    (1..=LONGEST_KEY_ID).contains(&id.len()) && id.iter().all(is_allowed)
}

/// The known keys. The first one encrypts, and all of them decrypt.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Vec<Key>")]
pub struct Keys(Vec<Key>);

impl TryFrom<Vec<Key>> for Keys {
    type Error = Error;

    fn try_from(keys: Vec<Key>) -> Result<Self> {
        let ids: HashSet<_> = keys.iter().map(Key::id).collect();
        if keys.is_empty() || ids.len() < keys.len() {
            return Err(Error::new(
                Kind::EncryptionKey,
                "there must be a key, and no two keys with the same ID",
            ));
        }
        Ok(Self(keys))
    }
}

impl Keys {
    /// The key that encrypts.
    pub fn newest(&self) -> &Key {
        &self.0[0]
    }

    /// The key with this ID.
    pub fn get(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }
}

/// The key attributes of an item. A session cannot be decrypted in an item with other keys.
#[derive(Clone, Copy, Debug)]
pub struct ItemKey<'a> {
    /// The value of the partition key.
    pub partition: &'a str,
    /// The value of the sort key, if the table has one.
    pub sort: Option<&'a str>,
}

impl Key {
    /// The ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Encrypts the bytes after `header`, which ends with the salt, and appends the tag.
    pub(crate) fn encrypt(&self, bytes: &mut Vec<u8>, header: usize, item: ItemKey<'_>) -> Option<()> {
        let (header, plain) = bytes.split_at_mut(header);
        let (key, nonce) = self.derive(header)?;
        let tag = key.seal_in_place_separate_tag(nonce, associated_data(header, item), plain).ok()?;
        bytes.extend_from_slice(tag.as_ref());
        Some(())
    }

    /// Decrypts the bytes after `header`. Returns `None` if they were changed, or belong to a different item.
    pub(crate) fn decrypt<'b>(
        &self,
        bytes: &'b mut [u8],
        header: usize,
        item: ItemKey<'_>,
    ) -> Option<&'b mut [u8]> {
        let (header, body) = bytes.split_at_mut(header);
        let (key, nonce) = self.derive(header)?;
        key.open_in_place(nonce, associated_data(header, item), body).ok()
    }

    /// The key and the nonce of one write. Since both are derived from a random salt, there is no limit on the number of
    /// writes under one master key.
    fn derive(&self, header: &[u8]) -> Option<(LessSafeKey, Nonce)> {
        let salt = header.last_chunk::<SALT_LENGTH>()?;
        let derived: [u8; KEY_LENGTH + NONCE_LENGTH] = self.expand(salt, FOR_SESSIONS)?;
        let (key, nonce) = derived.split_at(KEY_LENGTH);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
        Some((key, Nonce::try_assume_unique_for_key(nonce).ok()?))
    }

    /// The hash of a user ID, which takes its place in the item.
    pub fn hash_of_user(&self, user: &str) -> Option<String> {
        let derived: [u8; KEY_LENGTH] = self.expand(&[], FOR_USERS)?;
        let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &derived), user.as_bytes());
        Some(URL_SAFE_NO_PAD.encode(hash))
    }

    fn expand<const LENGTH: usize>(&self, salt: &[u8], purpose: &[u8]) -> Option<[u8; LENGTH]> {
        struct Length(usize);
        impl KeyType for Length {
            fn len(&self) -> usize {
                self.0
            }
        }
        let mut derived = [0; LENGTH];
        let secret: Prk = Salt::new(HKDF_SHA256, salt).extract(&self.secret);
        secret.expand(&[purpose, self.id.as_bytes()], Length(LENGTH)).ok()?.fill(&mut derived).ok()?;
        Some(derived)
    }
}

/// Whether a text has the form of a hash of a user.
pub(crate) fn is_hash_of_user(text: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(text)
        .is_ok_and(|bytes| bytes.len() == hmac::HMAC_SHA256.digest_algorithm().output_len())
}

/// Fills an array with random bytes. Returns `None` if the system has none.
pub(crate) fn random<const LENGTH: usize>() -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Binds a session to its header and to its item. Each part is preceded by its length.
fn associated_data(header: &[u8], item: ItemKey<'_>) -> Aad<Vec<u8>> {
    let parts = [header, item.partition.as_bytes(), item.sort.unwrap_or_default().as_bytes()];
    let mut data = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        data.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        data.extend_from_slice(part);
    }
    Aad::from(data)
}

#[cfg(test)]
impl Keys {
    /// Keys with these IDs, whose bytes are all equal.
    pub(crate) fn sample(keys: &[(&str, u8)]) -> Self {
        let key = |&(id, byte): &(&str, u8)| Key { id: id.into(), secret: [byte; KEY_LENGTH] };
        keys.iter().map(key).collect::<Vec<_>>().try_into().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn keys(keys: serde_json::Value) -> Result<Keys, serde_json::Error> {
        serde_json::from_value(keys)
    }

    #[test]
    fn a_key_has_an_id_and_32_bytes_that_no_output_contains() {
        let key =
            |id: &str, length: usize| json!({ "id": id, "key": URL_SAFE_NO_PAD.encode(vec![7; length]) });
        for invalid in
            [key("", 32), key("k", 31), key("k", 33), key("k", 0), key("k\n", 32), key(&"k".repeat(65), 32)]
        {
            let error = keys(json!([invalid])).unwrap_err().to_string();
            assert!(!error.contains("BwcH"), "{error}");
        }
        assert!(keys(json!([])).is_err());
        assert!(keys(json!([key("k", 32), key("l", 32), key("k", 32)])).is_err());
        let valid = keys(json!([key("2026-11", 32), key("arn:aws:kms:1/k_1", 32)])).unwrap();
        assert_eq!(valid.newest().id(), "2026-11");
        assert_eq!(valid.get("arn:aws:kms:1/k_1").map(Key::id), Some("arn:aws:kms:1/k_1"));
        assert_eq!(format!("{:?}", valid.newest()), r#"Key { id: "2026-11", .. }"#);
    }

    #[test]
    fn a_user_has_a_different_hash_under_each_key() {
        let keys = Keys::sample(&[("a", 1), ("b", 1), ("c", 2)]);
        let hashes: Vec<_> = keys.iter().filter_map(|key| key.hash_of_user("ann")).collect();
        assert_eq!(hashes.len(), 3);
        assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2] && hashes[0].len() == 43);
        assert_eq!(keys.newest().hash_of_user("ann").as_ref(), Some(&hashes[0]));
        assert_ne!(keys.newest().hash_of_user("bob").as_ref(), Some(&hashes[0]));
        assert!(is_hash_of_user(&hashes[0]) && !is_hash_of_user(&hashes[0][1..]) && !is_hash_of_user("ann"));
    }
}
