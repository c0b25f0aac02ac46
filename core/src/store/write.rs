//! Writing a session, or only its expiry, whatever it is now.

use super::Store;
use crate::error::Result;
use crate::item::codec::{NewItem, StoredItem};
use crate::item::expiry::Seconds;
use crate::transport::{CallOptions, Trace};
use crate::wire::request::Touch;
use crate::wire::response::ItemOutcome;

/// What `set` has written.
#[derive(Debug, Default, PartialEq)]
pub struct WrittenSession {
    /// The token of the session; see [`StoredSession`](super::StoredSession).
    pub token: Option<String>,
    /// The creation time and the expiry, in seconds since 1970, if the session was created earlier than the caller knew.
    pub earlier: Option<(Seconds, Option<Seconds>)>,
}

impl Store {
    /// Writes a session, with PutItem. If the item shows that the session was created earlier than `item` says, the earlier
    /// time stays.
    pub async fn set(
        &self,
        item: NewItem<'_>,
        mut options: CallOptions,
        trace: &mut Trace,
    ) -> Result<WrittenSession> {
        let protected = self.protect(&item, options).await?;
        let item = protected.item(item);
        let body = self.requests.put(item)?;
        let earlier = match self.call("PutItem", body, &mut options, trace).await? {
            ItemOutcome::Success { .. } => None,
            ItemOutcome::ConditionFailed { item: found } => {
                Box::pin(self.set_with_earlier_creation(item, found, options, trace)).await?
            }
        };
        Ok(WrittenSession { token: protected.token(), earlier })
    }

    /// Writes a session whose item, which is `found` if the service returned it, has an earlier creation time. Returns
    /// [`WrittenSession::earlier`].
    async fn set_with_earlier_creation(
        &self,
        mut item: NewItem<'_>,
        found: Option<StoredItem>,
        mut options: CallOptions,
        trace: &mut Trace,
    ) -> Result<Option<(Seconds, Option<Seconds>)>> {
        let now = item.created.unwrap_or_default();
        let found = match found {
            Some(found) => Some(found),
            // Some servers never return the item.
            None => self.read_item(item.id, true, &mut options, trace).await?,
        };
        // If that session has ended, this is a new one.
        let alive = found.filter(|found| !self.has_ended(found, now));
        let earlier = alive.and_then(|alive| alive.created).map(|created| created as Seconds);
        if let Some(created) = earlier {
            item.created = Some(created);
            let end = self.config.max_lifetime.map(|longest| created.saturating_add(longest));
            item.expires = item.expires.into_iter().chain(end).min();
        }
        let body = self.requests.put_unconditionally(item)?;
        self.call("PutItem", body, &mut options, trace).await?;
        Ok(earlier.map(|created| (created, item.expires)))
    }

    /// Updates the expiry of a session and, if given, a stamp in it, with UpdateItem. The session must exist and not have
    /// expired. Returns the new expiry of the item, or `None` if there is no session.
    ///
    /// A stamp needs a session that is stored as a map. For other sessions, only the expiry is updated.
    pub async fn touch(
        &self,
        touch: Touch<'_>,
        mut options: CallOptions,
        trace: &mut Trace,
    ) -> Result<Option<f64>> {
        let outcome = match self.call("UpdateItem", self.requests.touch(touch), &mut options, trace).await {
            Err(error) if touch.stamp.is_some() && error.is_service("ValidationException") => {
                let unstamped = Touch { stamp: None, ..touch };
                self.call("UpdateItem", self.requests.touch(unstamped), &mut options, trace).await?
            }
            outcome => outcome?,
        };
        let ItemOutcome::ConditionFailed { mut item } = outcome else {
            return Ok(Some(touch.expires as f64));
        };
        if let Some((assumed, longest)) = touch.created.zip(self.config.max_lifetime) {
            if item.is_none() {
                // Some servers never return the item.
                item = self.read_item(touch.id, true, &mut options, trace).await?;
            }
            let created = item.as_ref().and_then(|item| item.created).map(|created| created as Seconds);
            let has_ended = item.as_ref().is_some_and(|item| self.has_ended(item, touch.now));
            if let Some(created) = created.filter(|&created| created < assumed && !has_ended) {
                let expires = touch.expires.min(created.saturating_add(longest));
                // Where the maximum lifetime limits the expiry, a later one does not stay.
                let keeps_later = touch.keeps_later && expires == touch.expires;
                let touch = Touch { created: Some(created), expires, keeps_later, ..touch };
                return Box::pin(self.touch(touch, options, trace)).await;
            }
        }
        // If the session has not ended, its expiry stays.
        Ok(item.filter(|item| !self.has_ended(item, touch.now)).and_then(|item| item.expires))
    }
}
