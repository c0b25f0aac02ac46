//! The sessions of a user, which a secondary index of the table finds.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Store;
use crate::error::{Error, Kind, Result};
use crate::transport::{CallOptions, Trace};
use crate::wire::response::{ItemOutcome, Page};

/// DynamoDB updates an index shortly after the table.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const CONCURRENT_DELETES: usize = 16;

/// A session in the index.
#[derive(Debug)]
struct IndexedSession {
    id: String,
    /// The value of the user attribute.
    value: String,
}

impl Store {
    /// The IDs of a user's sessions. They may include sessions that have expired.
    pub async fn ids_of(&self, user: &str) -> Result<Vec<String>> {
        let deadline = self.deadline();
        let values = self.values_of_user(user, deadline).await?;
        let sessions = self.sessions_of(&values, deadline).await?;
        // The index may still show a session under its former value too.
        let ids: BTreeSet<_> = sessions.into_iter().map(|session| session.id).collect();
        Ok(ids.into_iter().collect())
    }

    /// Deletes all sessions of a user except those with these IDs. Returns the number of sessions that were deleted. Queries
    /// the index again until it shows that they are deleted, because it may not show the newest sessions at first.
    pub async fn destroy_all_of(&self, user: &str, except: &[String]) -> Result<u64> {
        let deadline = self.deadline();
        let values = self.values_of_user(user, deadline).await?;
        let layout = &self.config.layout;
        let kept: HashSet<String> = except.iter().map(|id| layout.key(id)).collect();
        let mut deleted = 0;
        let mut pause = FIRST_PAUSE;
        loop {
            let mut sessions = self.sessions_of(&values, deadline).await?;
            sessions.retain(|session| !kept.contains(&layout.key(&session.id)));
            if sessions.is_empty() {
                return Ok(deleted);
            }
            // Also those that were deleted before: a request may have saved them again in the meantime.
            deleted += self.delete_all(sessions, deadline).await?;
            if Instant::now() + pause >= deadline {
                let message =
                    format!("the index still shows sessions of the user after {:?}", self.config.timeout);
                return Err(Error::new(Kind::Timeout, message));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn delete_all(&self, sessions: Vec<IndexedSession>, deadline: Instant) -> Result<u64> {
        stream::iter(sessions)
            .map(|session| async move { self.delete_of_user(&session, deadline).await })
            .buffer_unordered(CONCURRENT_DELETES)
            .try_fold(0, async |count, is_deleted| Ok(count + u64::from(is_deleted)))
            .await
    }

    /// Deletes a session if it still belongs to the user.
    async fn delete_of_user(&self, session: &IndexedSession, deadline: Instant) -> Result<bool> {
        let Some(attribute) = &self.config.layout.user else {
            return Ok(false);
        };
        let body = self.requests.delete_of_user(&session.id, attribute, &session.value);
        let timeout = deadline.saturating_duration_since(Instant::now());
        let mut options = CallOptions { timeout: Some(timeout), ..CallOptions::default() };
        let mut trace = Trace::default();
        let outcome = self.call("DeleteItem", body, &mut options, &mut trace).await;
        let outcome = outcome.map_err(|error| error.during("DeleteItem"))?;
        // If an attempt deletes the item and its response is lost, the condition of the retry fails.
        Ok(matches!(outcome, ItemOutcome::Success { .. }) || trace.may_be_done)
    }

    /// The sessions that the index shows for these values of the user attribute. If the table is missing and `createTable` is
    /// set, creates it.
    async fn sessions_of(&self, values: &[String], deadline: Instant) -> Result<Vec<IndexedSession>> {
        match self.query_all(values, deadline).await {
            Err(error) if let Some(new) = self.table_to_create(&error) => {
                self.create_for_operation(new).await?;
                self.query_all(values, self.deadline()).await
            }
            outcome => outcome,
        }
    }

    async fn query_all(&self, values: &[String], deadline: Instant) -> Result<Vec<IndexedSession>> {
        let mut sessions = Vec::new();
        for value in values {
            let mut query = self.query(value)?;
            loop {
                let page = self.send_query(&query, deadline).await?;
                let ids = page.items.into_iter().filter_map(|item| item.id);
                sessions.extend(ids.map(|id| IndexedSession { id, value: value.clone() }));
                match page.last_key {
                    Some(key) => query["ExclusiveStartKey"] = key,
                    None => break,
                }
            }
        }
        Ok(sessions)
    }

    fn query(&self, value: &str) -> Result<Value> {
        let missing = || Error::new(Kind::Config, "the store has no option user");
        let layout = &self.config.layout;
        let (attribute, index) = layout.user.as_ref().zip(layout.user_index()).ok_or_else(missing)?;
        Ok(json!({
            "TableName": self.config.table,
            "IndexName": index,
            "KeyConditionExpression": "#u = :u",
            "ExpressionAttributeNames": { "#u": attribute },
            "ExpressionAttributeValues": { ":u": { "S": value } },
        }))
    }

    async fn send_query(&self, query: &Value, deadline: Instant) -> Result<Page> {
        let body = Bytes::from(query.to_string());
        let parse = |reported: Result<()>, body: &[u8]| {
            reported.and_then(|()| Page::parse(body, &self.config.layout))
        };
        let transport = &self.aws(deadline).await?.transport;
        let call = transport.call("Query", body, deadline, &mut Trace::default(), parse).await;
        call.map_err(|error| error.during("Query"))
    }
}
