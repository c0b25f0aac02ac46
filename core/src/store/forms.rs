//! Writes and reads sessions in their forms: plain, encrypted, and compressed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;

use super::Store;
use crate::config;
use crate::error::{Error, Kind, Result};
use crate::item::binary::{self, Header, Unreadable};
use crate::item::codec::{NewItem, SessionAttribute};
use crate::item::encryption::{Key, Keys, is_hash_of_user};
use crate::item::form::{Form, with_item_key};
use crate::item::layout::Layout;
use crate::keyring::{Keyring, unknown_key};
use crate::transport::CallOptions;

/// How a store encrypts sessions.
#[derive(Debug)]
pub(super) struct Encryption {
    pub keyring: Keyring,
    writes: bool,
    accepts_plain: bool,
}

impl Encryption {
    pub(super) fn new(config: &config::Encryption, keyring: Keyring) -> Self {
        Self { keyring, writes: config.write, accepts_plain: config.accept_plain || !config.write }
    }
}

/// A session that an item holds.
#[derive(Debug, PartialEq)]
pub struct StoredSession {
    /// The session as JSON text, or why it cannot be read.
    pub text: Result<String, &'static str>,
    /// What stands for the stored session in a condition, if that is not the text in the format of the layout: the header of
    /// its binary form in base64, or its attribute value as JSON.
    pub token: Option<String>,
}

/// The parts of an item that are not written as the caller passes them.
#[derive(Debug, Default)]
pub(super) struct Protected {
    binary: Option<Vec<u8>>,
    user: Option<String>,
}

impl Protected {
    /// The item to write.
    pub(super) fn item<'a>(&'a self, item: NewItem<'a>) -> NewItem<'a> {
        NewItem { binary: self.binary.as_deref(), user: self.user.as_deref().or(item.user), ..item }
    }

    /// The token of the session that is written; see [`StoredSession`].
    pub(super) fn token(&self) -> Option<String> {
        token_of(self.binary.as_deref()?)
    }
}

impl Store {
    /// Encrypts and compresses the session of an item, and hashes its user, as the options say.
    pub(super) async fn protect(&self, item: &NewItem<'_>, options: CallOptions) -> Result<Protected> {
        let compress = self.config.compression;
        let Some(keyring) = self.encryption.as_ref().filter(|it| it.writes).map(|it| &it.keyring) else {
            if !compress {
                return Ok(Protected::default());
            }
            let binary = Form { compress, key: None }.binary(&self.config.layout, item)?;
            return Ok(Protected { binary, user: None });
        };
        let keys = keyring.keys(options.deadline(self.config.timeout)).await?;
        let key = keys.newest();
        let binary = Form { compress, key: Some(key) }.binary(&self.config.layout, item)?;
        let user = if self.config.layout.user.is_some() { item.user } else { None };
        Ok(Protected { binary, user: user.map(|user| hash_of(user, key)).transpose()? })
    }

    /// The values that the user attribute may have for a user. Another process may already hash users under a new key.
    pub(super) async fn values_of_user(&self, user: &str, deadline: Instant) -> Result<Vec<String>> {
        let Some(encryption) = &self.encryption else {
            return Ok(vec![user.to_owned()]);
        };
        let keys = encryption.keyring.newest_keys(deadline).await?;
        let mut values = keys.iter().map(|key| hash_of(user, key)).collect::<Result<Vec<_>>>()?;
        // A user whose name is the hash of another user must not get that user's sessions.
        if encryption.accepts_plain && !is_hash_of_user(user) {
            values.push(user.to_owned());
        }
        Ok(values)
    }

    /// Reads the session of an item, or `None` if it has no session attribute. Fails if the session is encrypted under an
    /// unknown key: the session exists, and another process may be able to read it.
    pub(super) async fn open(
        &self,
        id: &str,
        session: SessionAttribute,
        deadline: Instant,
    ) -> Result<Option<StoredSession>> {
        let plain = |text| Ok(Some(StoredSession { text: self.accept_plain(text), token: None }));
        let bytes = match session {
            SessionAttribute::Missing => return Ok(None),
            SessionAttribute::Text(text) | SessionAttribute::Map { text, .. } => return plain(text),
            SessionAttribute::Other { value } => {
                let text = Err("the session attribute has a type that no session has");
                return Ok(Some(StoredSession { text, token: Some(value) }));
            }
            SessionAttribute::Binary(bytes) => bytes,
        };
        // Boxed because it is rare without encryption: otherwise it would enlarge the future of every operation.
        Box::pin(self.open_binary(id, bytes, deadline)).await.map(Some)
    }

    async fn open_binary(&self, id: &str, mut bytes: Vec<u8>, deadline: Instant) -> Result<StoredSession> {
        let key_id = Header::parse(&bytes).and_then(|header| header.key_id).map(str::to_owned);
        let token = token_of(&bytes);
        let keys = match (&key_id, &self.encryption) {
            (Some(id), Some(encryption)) => Some(encryption.keyring.keys_with(id, deadline).await?),
            (Some(_), None) => {
                let message = "the session is encrypted, but the store has no option encryption";
                return Err(Error::new(Kind::EncryptionKey, message));
            }
            (None, _) => None,
        };
        let text = open_with(&self.config.layout, id, &mut bytes, keys.as_deref())?;
        let text = match text {
            Ok(text) if key_id.is_none() => self.accept_plain(text),
            text => text,
        };
        Ok(StoredSession { text, token })
    }

    fn accept_plain(&self, text: String) -> Result<String, &'static str> {
        if self.rejects_plain() {
            return Err("the session is not encrypted, and option encryption does not set acceptPlain");
        }
        if self.encryption.is_some() {
            self.http.stats().plain_reads.add(1);
        }
        Ok(text)
    }

    /// Whether sessions that are not encrypted cannot be read.
    pub(super) fn rejects_plain(&self) -> bool {
        self.encryption.as_ref().is_some_and(|encryption| !encryption.accepts_plain)
    }
}

/// Reads a session in its binary form: its text, or why it is not a session. Fails if its key is unknown.
pub fn open_with(
    layout: &Layout,
    id: &str,
    bytes: &mut [u8],
    keys: Option<&Keys>,
) -> Result<Result<String, &'static str>> {
    match with_item_key(layout, id, |item| binary::read(bytes, keys, item)) {
        Ok(text) => Ok(Ok(text)),
        Err(Unreadable::Corrupt) => Ok(Err(
            "the session attribute is not a session, has been changed, or belongs to a different item",
        )),
        Err(Unreadable::UnknownKey { id }) => Err(unknown_key(&id)),
    }
}

/// The token of a session in its binary form; see [`StoredSession`].
fn token_of(bytes: &[u8]) -> Option<String> {
    match Header::of(bytes) {
        Some(header) => Some(STANDARD.encode(header)),
        None => SessionAttribute::Binary(bytes.to_vec()).to_value(),
    }
}

fn hash_of(user: &str, key: &Key) -> Result<String> {
    let failed = || Error::new(Kind::Internal, "cannot hash the user");
    key.hash_of_user(user).ok_or_else(failed)
}
