//! Writing a session on condition that nothing else has changed it.

use tokio::time::Instant;

use super::{Store, StoredSession};
use crate::error::Result;
use crate::item::attribute::tree::AttributeValue;
use crate::item::codec::{self, NewItem, SessionAttribute, StoredItem};
use crate::item::expiry::Seconds;
use crate::item::layout::Format;
use crate::transport::{CallOptions, Trace};
use crate::wire::request::{Replaced, ReplacedSession};
use crate::wire::response::ItemOutcome;

/// What `replace` did.
#[derive(Debug, PartialEq)]
pub enum ReplaceOutcome {
    /// The session was written.
    Written {
        /// The token of the written session; see [`StoredSession`].
        token: Option<String>,
    },
    /// The item holds a different session, which is returned, so nothing was written.
    Changed {
        /// The session.
        session: StoredSession,
        /// The stored expiry, in seconds since 1970.
        expires: Option<f64>,
        /// The stored creation time, in seconds since 1970.
        created: Option<f64>,
    },
    /// The session has ended, so nothing was written: there is no item, the item has expired, or it has no session.
    Ended,
}

impl Store {
    /// Reads the session as a failed `replace` returns it, with a consistent GetItem.
    pub async fn current(
        &self,
        id: &str,
        now: Seconds,
        mut options: CallOptions,
        trace: &mut Trace,
    ) -> Result<ReplaceOutcome> {
        let found = self.read_item(id, true, &mut options, trace).await?;
        self.outcome_of_item(id, found, now, options.deadline(self.config.timeout)).await
    }

    /// Writes a session if the item still is what `replaced` describes, with PutItem.
    pub async fn replace(
        &self,
        item: NewItem<'_>,
        replaced: Replaced<'_>,
        mut options: CallOptions,
        trace: &mut Trace,
    ) -> Result<ReplaceOutcome> {
        let protected = self.protect(&item, options).await?;
        let (item, token) = (protected.item(item), protected.token());
        let body = self.requests.replace(item, replaced)?;
        match self.call("PutItem", body, &mut options, trace).await? {
            ItemOutcome::Success { .. } => Ok(ReplaceOutcome::Written { token }),
            // Boxed because it is rare: otherwise it would enlarge the future of every replacement.
            ItemOutcome::ConditionFailed { item: returned } => {
                let after = self.after_failed_condition(item, replaced, token, returned, &mut options, trace);
                Box::pin(after).await
            }
        }
    }

    /// The outcome after the condition of `replace` has failed. `token` is that of the session to write, and `returned` is
    /// the item, if the service returned it.
    async fn after_failed_condition(
        &self,
        item: NewItem<'_>,
        replaced: Replaced<'_>,
        token: Option<String>,
        returned: Option<StoredItem>,
        options: &mut CallOptions,
        trace: &mut Trace,
    ) -> Result<ReplaceOutcome> {
        let (found, read_value) = match returned {
            Some(found) => (Some(found), None),
            // Some servers never return the item.
            None => {
                let found = self.read_item(item.id, true, options, trace).await?;
                let value = found.as_ref().and_then(|item| item.session.to_value());
                (found, value)
            }
        };
        let deadline = options.deadline(self.config.timeout);
        let outcome = self.outcome_of_item(item.id, found, replaced.now, deadline).await?;
        let ReplaceOutcome::Changed { session, expires, .. } = &outcome else {
            return Ok(outcome);
        };
        // If an attempt writes the item and its response is lost, the condition of the retry fails.
        let written = match &token {
            Some(token) => ReplacedSession::Header(token),
            None => ReplacedSession::Text(item.session),
        };
        if trace.may_be_done && self.is_same(session, written)? {
            return Ok(ReplaceOutcome::Written { token });
        }
        // Dynalite does not compare maps, and compares the start of binary values as if they were text: there, the condition
        // may fail although the session is the same.
        let is_later = expires.zip(replaced.latest).is_some_and(|(expires, latest)| expires > latest as f64);
        if let Some(value) = read_value.filter(|_| session.token.is_some() && !is_later)
            && self.is_same(session, replaced.session)?
        {
            let is_map = value.starts_with(r#"{"M":"#);
            let session = if is_map { ReplacedSession::Any } else { ReplacedSession::Value(&value) };
            let body = self.requests.replace(item, Replaced { session, ..replaced })?;
            return Ok(match self.call("PutItem", body, options, trace).await? {
                ItemOutcome::Success { .. } => ReplaceOutcome::Written { token },
                ItemOutcome::ConditionFailed { .. } if is_map => ReplaceOutcome::Ended,
                ItemOutcome::ConditionFailed { .. } => outcome,
            });
        }
        Ok(outcome)
    }

    /// The outcome if nothing was written because of this item.
    async fn outcome_of_item(
        &self,
        id: &str,
        item: Option<StoredItem>,
        now: Seconds,
        deadline: Instant,
    ) -> Result<ReplaceOutcome> {
        let Some(StoredItem { session, expires, created, .. }) =
            item.filter(|item| !self.has_ended(item, now))
        else {
            return Ok(ReplaceOutcome::Ended);
        };
        // Text in the format of the layout stands for itself, if it is returned.
        let stands_for_itself = self.config.layout.format == Format::Json && !self.rejects_plain();
        let value = match &session {
            SessionAttribute::Text(_) if stands_for_itself => None,
            SessionAttribute::Binary(_) => None,
            session => session.to_value(),
        };
        let opened = self.open(id, session, deadline).await?;
        Ok(opened.map_or(ReplaceOutcome::Ended, |StoredSession { text, token }| {
            let session = StoredSession { text, token: token.or(value) };
            ReplaceOutcome::Changed { session, expires, created }
        }))
    }

    /// Whether an item holds this session.
    fn is_same(&self, stored: &StoredSession, session: ReplacedSession<'_>) -> Result<bool> {
        let (token, expected) = match (&stored.token, session) {
            (None, ReplacedSession::Text(text)) => return Ok(stored.text.as_deref() == Ok(text)),
            (Some(token), ReplacedSession::Header(header)) => return Ok(token == header),
            (Some(token), ReplacedSession::Text(text)) => {
                let mut expected = Vec::new();
                codec::write_session(&self.config.layout, text, &mut expected)?;
                (token, serde_json::from_slice::<AttributeValue>(&expected))
            }
            (Some(token), ReplacedSession::Value(expected)) => (token, serde_json::from_str(expected)),
            _ => return Ok(false),
        };
        let token = serde_json::from_str::<AttributeValue>(token);
        Ok(matches!((token, expected), (Ok(stored), Ok(expected)) if stored.is_same(&expected)))
    }
}
