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
        /// The session attribute. It is not missing.
        session: SessionAttribute,
        /// The stored expiry, in seconds since 1970.
        expires: Option<f64>,
    },
    /// The session has ended, so nothing was written: there is no item, the item has expired, or it has no session.
    Ended,
}

impl ReplaceOutcome {
    /// The outcome if nothing was written because of this item.
    fn not_written(item: Option<StoredItem>, now: Seconds) -> Self {
        match item {
            Some(StoredItem { session, expires, .. })
                if session != SessionAttribute::Missing && !expiry::is_expired(expires, now) =>
            {
                Self::Changed { session, expires }
            }
            _ => Self::Ended,
        }
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
        Ok(ReplaceOutcome::not_written(self.read_item(id, true, &mut options, trace).await?, now))
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
                Box::pin(self.not_replaced(item, replaced, returned, &mut options, trace)).await
            }
        }
    }

    /// The outcome after the condition of `replace` has failed. `returned` is the item, if the service returned it.
    async fn not_replaced(
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
        let outcome = ReplaceOutcome::not_written(found, replaced.now);
        let ReplaceOutcome::Changed { session, expires } = &outcome else {
            return Ok(outcome);
        };
        // If an attempt writes the item and its response is lost, the condition of the retry fails.
        if trace.may_be_done && holds_session(session, ReplacedSession::Text(item.session), layout)? {
            return Ok(ReplaceOutcome::Written);
        }
        // Dynalite does not compare maps: there, the condition fails although the session is the same.
        let is_later = expires.zip(replaced.latest).is_some_and(|(expires, latest)| expires > latest as f64);
        let is_map = matches!(session, SessionAttribute::Map { .. });
        if !is_returned && is_map && !is_later && holds_session(session, replaced.session, layout)? {
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

/// Whether a session attribute holds this session.
fn holds_session(
    attribute: &SessionAttribute,
    session: ReplacedSession<'_>,
    layout: &Layout,
) -> Result<bool> {
    let (stored, expected) = match (attribute, session) {
        (SessionAttribute::Text(stored), ReplacedSession::Text(text)) => {
            return Ok(layout.format == Format::Json && stored == text);
        }
        (SessionAttribute::Map { value, .. }, ReplacedSession::Text(text)) => {
            let mut expected = Vec::new();
            codec::write_session(layout, text, &mut expected)?;
            (value, serde_json::from_slice::<AttributeValue>(&expected))
        }
        (SessionAttribute::Map { value, .. }, ReplacedSession::Value(expected)) => {
            (value, serde_json::from_str(expected))
        }
        _ => return Ok(false),
    };
    let stored = serde_json::from_str::<AttributeValue>(stored);
    Ok(matches!((stored, expected), (Ok(stored), Ok(expected)) if stored.is_same(&expected)))
}
