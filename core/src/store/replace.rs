//! Writing a session on condition that nothing else has changed it.

use super::Store;
use crate::error::Result;
use crate::item::attribute::tree::AttributeValue;
use crate::item::codec::{self, NewItem, SessionAttribute, StoredItem};
use crate::item::expiry::{self, Seconds};
use crate::item::layout::{Format, Layout};
use crate::transport::{CallOptions, Trace};
use crate::wire::request::{Replaced, ReplacedSession};
use crate::wire::response::ItemOutcome;

/// What `replace` did.
#[derive(Debug, PartialEq)]
pub enum ReplaceOutcome {
    /// The session was written.
    Written,
    /// The item holds a different session, which is returned, so nothing was written.
    Changed {
        /// The session.
        session: StoredSession,
        /// The stored expiry, in seconds since 1970.
        expires: Option<f64>,
    },
    /// The session has ended, so nothing was written: there is no item, the item has expired, or it has no session.
    Ended,
}

/// A session that an item holds.
#[derive(Debug, PartialEq)]
pub enum StoredSession {
    /// JSON text, stored in the format of the layout.
    Text(String),
    /// An attribute value as JSON. The session's text cannot be converted back to it: it is of a different format, or a map,
    /// which may have sets and binary values.
    Value(String),
}

impl StoredSession {
    fn of(attribute: SessionAttribute, layout: &Layout) -> Option<Self> {
        match attribute {
            SessionAttribute::Missing => None,
            SessionAttribute::Text(text) if layout.format == Format::Json => Some(Self::Text(text)),
            SessionAttribute::Text(text) => Some(Self::Value(codec::string_value(&text))),
            SessionAttribute::Map { value, .. } | SessionAttribute::Other { value } => {
                Some(Self::Value(value))
            }
        }
    }

    /// Whether it is this session.
    fn is(&self, session: ReplacedSession<'_>, layout: &Layout) -> Result<bool> {
        let (stored, expected) = match (self, session) {
            (Self::Text(stored), ReplacedSession::Text(text)) => return Ok(stored == text),
            (Self::Value(stored), ReplacedSession::Text(text)) => {
                let mut expected = Vec::new();
                codec::write_session(layout, text, &mut expected)?;
                (stored, serde_json::from_slice::<AttributeValue>(&expected))
            }
            (Self::Value(stored), ReplacedSession::Value(expected)) => {
                (stored, serde_json::from_str(expected))
            }
            _ => return Ok(false),
        };
        let stored = serde_json::from_str::<AttributeValue>(stored);
        Ok(matches!((stored, expected), (Ok(stored), Ok(expected)) if stored.is_same(&expected)))
    }

    fn is_map(&self) -> bool {
        matches!(self, Self::Value(value) if value.starts_with(r#"{"M":"#))
    }
}

impl ReplaceOutcome {
    /// The outcome if nothing was written because of this item.
    fn of_current_item(item: Option<StoredItem>, now: Seconds, layout: &Layout) -> Self {
        let alive = item.filter(|item| !expiry::is_expired(item.expires, now));
        let changed = alive.and_then(|item| Some((StoredSession::of(item.session, layout)?, item.expires)));
        changed.map_or(Self::Ended, |(session, expires)| Self::Changed { session, expires })
    }
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
        Ok(ReplaceOutcome::of_current_item(found, now, self.requests.layout()))
    }

    /// Writes a session if the item still is what `replaced` describes, with PutItem.
    pub async fn replace(
        &self,
        item: NewItem<'_>,
        replaced: Replaced<'_>,
        mut options: CallOptions,
        trace: &mut Trace,
    ) -> Result<ReplaceOutcome> {
        let body = self.requests.replace(item, replaced)?;
        match self.call("PutItem", body, &mut options, trace).await? {
            ItemOutcome::Success { .. } => Ok(ReplaceOutcome::Written),
            // Boxed because it is rare: otherwise it would enlarge the future of every replacement.
            ItemOutcome::ConditionFailed { item: returned } => {
                Box::pin(self.after_failed_condition(item, replaced, returned, &mut options, trace)).await
            }
        }
    }

    /// The outcome after the condition of `replace` has failed. `returned` is the item, if the service returned it.
    async fn after_failed_condition(
        &self,
        item: NewItem<'_>,
        replaced: Replaced<'_>,
        returned: Option<StoredItem>,
        options: &mut CallOptions,
        trace: &mut Trace,
    ) -> Result<ReplaceOutcome> {
        let layout = self.requests.layout();
        let is_returned = returned.is_some();
        let found = match returned {
            Some(found) => Some(found),
            // Some servers never return the item.
            None => self.read_item(item.id, true, options, trace).await?,
        };
        let outcome = ReplaceOutcome::of_current_item(found, replaced.now, layout);
        let ReplaceOutcome::Changed { session, expires } = &outcome else {
            return Ok(outcome);
        };
        // If an attempt writes the item and its response is lost, the condition of the retry fails.
        if trace.may_be_done && session.is(ReplacedSession::Text(item.session), layout)? {
            return Ok(ReplaceOutcome::Written);
        }
        // Dynalite does not compare maps: there, the condition fails although the session is the same.
        let is_later = expires.zip(replaced.latest).is_some_and(|(expires, latest)| expires > latest as f64);
        if !is_returned && session.is_map() && !is_later && session.is(replaced.session, layout)? {
            let any = Replaced { session: ReplacedSession::Any, ..replaced };
            let outcome = self.call("PutItem", self.requests.replace(item, any)?, options, trace).await?;
            return Ok(match outcome {
                ItemOutcome::Success { .. } => ReplaceOutcome::Written,
                ItemOutcome::ConditionFailed { .. } => ReplaceOutcome::Ended,
            });
        }
        Ok(outcome)
    }
}
