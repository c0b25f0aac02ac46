//! The operations of a store.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dynamodb_session_core::environment::Environment;
use dynamodb_session_core::error::{Error, Kind, Result};
use dynamodb_session_core::item::codec::NewItem;
use dynamodb_session_core::item::expiry;
use dynamodb_session_core::store::{Found, ReplaceOutcome, Server, Store, WrittenSession};
use dynamodb_session_core::table::describe::Description;
use dynamodb_session_core::transport::{CallOptions, Trace};
use dynamodb_session_core::wire::request::{Replaced, ReplacedSession, Stamp, Touch};
use dynamodb_session_core::{config, runtime};
use napi_derive::napi;
use serde::Serialize;

use crate::completions::{Completion, CompletionOutcome, Completions};
use crate::failure::Failure;

/// A store. Each operation takes `call`, an ID that JavaScript chooses, and the completion with this ID has the
/// outcome. `id` is a session ID. A failed operation completes with the JSON of an error. `now` is the current time
/// from JavaScript's clock in milliseconds. If `traced` is set, the completion has a trace.
#[napi]
pub struct NativeStore {
    store: Arc<Store>,
    completions: Arc<Completions>,
}

impl fmt::Debug for NativeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeStore").finish_non_exhaustive()
    }
}

impl NativeStore {
    pub(crate) fn new(store: Store, completions: Arc<Completions>) -> Self {
        Self { store: Arc::new(store), completions }
    }
}

#[napi]
impl NativeStore {
    /// Passes the environment variables that the store may read, and the result of `Date`'s `getTimezoneOffset()`.
    #[napi(catch_unwind)]
    pub fn set_environment(&self, variables: HashMap<String, String>, timezone_offset: i32) {
        self.store.set_environment(Environment::new(variables, timezone_offset));
    }

    /// Reads a session. Completes with its text, its token, its creation time, and, as the number, its expiry in seconds. If
    /// there is no session, the completion has no text, and its status says whether there is an expired item.
    #[napi(catch_unwind)]
    pub fn get(&self, call: u32, id: String, now: f64, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            Ok(match store.get(&id, expiry::seconds_from_milliseconds(now), options, trace).await? {
                Found::Missing => CompletionOutcome::Done,
                Found::Expired => CompletionOutcome::Expired,
                Found::Session { session: text, expires, created, token } => {
                    CompletionOutcome::Session { text, expires, created, token }
                }
            })
        })
    }

    /// Writes a session. `session` is JSON text, `expires` is in seconds since 1970, and `attributes` is a JSON object of
    /// additional attribute values. `timeout` limits the time in milliseconds. Completes with the token of the session. If an
    /// earlier creation time stays, the completion has this time and, as the number, the expiry.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "passing an object would take more Node-API calls")]
    pub fn set(
        &self,
        call: u32,
        id: String,
        session: String,
        expires: i64,
        attributes: Option<String>,
        details: Option<SessionDetails>,
        timeout: Option<f64>,
        traced: bool,
    ) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            let options = limited(options, timeout);
            let item = new_item(&id, &session, expires, attributes.as_deref(), details.as_ref());
            let WrittenSession { token, earlier } = store.set(item, options, trace).await?;
            let (created, expires) = earlier.unzip();
            let expires = expires.flatten().map(|expires| expires as f64);
            Ok(CompletionOutcome::Written { token, expires, created: created.map(|created| created as f64) })
        })
    }

    /// Writes a session if the item still holds the session `stored` and has not expired, within `timeout` milliseconds.
    /// `stored` is JSON text or, if `isToken` is set, the token of an earlier completion; an empty one stands for any
    /// session. With `latest`, an item that expires later than this is not replaced. The status says what happened; see
    /// `CompletionStatus`. If the session has changed, the completion has the one that is stored, its token, its creation
    /// time, and, as the number, its expiry.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "passing an object would take more Node-API calls")]
    pub fn replace(
        &self,
        call: u32,
        id: String,
        session: String,
        expires: i64,
        attributes: Option<String>,
        details: Option<SessionDetails>,
        stored: String,
        is_token: bool,
        latest: Option<i64>,
        now: f64,
        timeout: f64,
        traced: bool,
    ) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            let item = new_item(&id, &session, expires, attributes.as_deref(), details.as_ref());
            let stored =
                if is_token { ReplacedSession::of_token(&stored) } else { ReplacedSession::Text(&stored) };
            let replaced = Replaced { session: stored, now: expiry::seconds_from_milliseconds(now), latest };
            store.replace(item, replaced, limited(options, Some(timeout)), trace).await.map(replaced_outcome)
        })
    }

    /// Reads a session and completes as a `replace` that wrote nothing.
    #[napi(catch_unwind)]
    pub fn current(&self, call: u32, id: String, now: f64, timeout: f64, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            let now = expiry::seconds_from_milliseconds(now);
            store.current(&id, now, limited(options, Some(timeout)), trace).await.map(replaced_outcome)
        })
    }

    /// Updates the expiry of a session. Completes with the new expiry as the number, or without a number if there is no
    /// session. With `keepsLater`, an expiry that is already later is kept. With `earliest`, one that is earlier than this
    /// is kept. `created` is the creation time of a session that has none, in seconds. `stamp` is a session field to set: its
    /// name, and its attribute value as JSON. `timeout` limits the time in milliseconds.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "passing an object would take more Node-API calls")]
    pub fn touch(
        &self,
        call: u32,
        id: String,
        expires: i64,
        keeps_later: bool,
        earliest: Option<i64>,
        created: Option<i64>,
        now: f64,
        stamp: Option<(String, String)>,
        timeout: Option<f64>,
        traced: bool,
    ) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            let options = limited(options, timeout);
            let stamp = stamp.as_ref().map(|(name, value)| Stamp { name, value });
            let now = expiry::seconds_from_milliseconds(now);
            let touch = Touch { id: &id, expires, now, keeps_later, earliest, created, stamp };
            let expires = store.touch(touch, options, trace).await?;
            Ok(expires.map_or(CompletionOutcome::Done, CompletionOutcome::Number))
        })
    }

    /// Deletes a session.
    #[napi(catch_unwind)]
    pub fn destroy(&self, call: u32, id: String, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            store.destroy(&id, options, trace).await?;
            Ok(CompletionOutcome::Done)
        })
    }

    /// Deletes a session if it has expired. Completes with the number of deleted sessions, 1 or 0.
    #[napi(catch_unwind)]
    pub fn destroy_expired(&self, call: u32, id: String, now: f64, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            let now = expiry::seconds_from_milliseconds(now);
            let deleted = store.destroy_expired(&id, now, options, trace).await?;
            Ok(CompletionOutcome::Number(f64::from(u8::from(deleted))))
        })
    }

    /// Sends a request of the DynamoDB API. Completes with the body of the response.
    #[napi(catch_unwind)]
    pub fn request(&self, call: u32, operation: String, body: String, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            store.request(&operation, body, options, trace).await.map(CompletionOutcome::Text)
        })
    }

    /// Resolves the credentials and the encryption keys, opens a connection, and reads a session that does not exist.
    #[napi(catch_unwind)]
    pub fn warm(&self, call: u32, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            store.warm(options, trace).await?;
            Ok(CompletionOutcome::Done)
        })
    }

    /// Completes with `text`. The benchmark measures the boundary with it, without a request.
    #[napi(catch_unwind)]
    pub fn echo(&self, call: u32, text: String) -> napi::Result<()> {
        self.start(call, false, async move |_, _, _| Ok(CompletionOutcome::Text(text)))
    }

    /// Completes with the JSON array of all session IDs.
    #[napi(catch_unwind)]
    pub fn ids(&self, call: u32, now: f64) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| {
            json(&store.ids(expiry::seconds_from_milliseconds(now)).await?)
        })
    }

    /// Completes with the JSON array of all sessions: `{ id, session, expires }`, where `session` is JSON text and
    /// `expires` may be null.
    #[napi(catch_unwind)]
    pub fn all(&self, call: u32, now: f64) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| {
            json(&store.all(expiry::seconds_from_milliseconds(now)).await?)
        })
    }

    /// Completes with the number of sessions.
    #[napi(catch_unwind)]
    pub fn length(&self, call: u32, now: f64) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| {
            Ok(CompletionOutcome::Number(store.length(expiry::seconds_from_milliseconds(now)).await? as f64))
        })
    }

    /// Completes with the JSON array of the IDs of a user's sessions.
    #[napi(catch_unwind)]
    pub fn ids_of(&self, call: u32, user: String) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| json(&store.ids_of(&user).await?))
    }

    /// Deletes all sessions of a user except those with these IDs. Completes with the number of sessions that were deleted.
    #[napi(catch_unwind)]
    pub fn destroy_all_of(&self, call: u32, user: String, except: Vec<String>) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| {
            Ok(CompletionOutcome::Number(store.destroy_all_of(&user, &except).await? as f64))
        })
    }

    /// Deletes all sessions.
    #[napi(catch_unwind)]
    pub fn clear(&self, call: u32) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| {
            store.clear().await?;
            Ok(CompletionOutcome::Done)
        })
    }

    /// Completes with a JSON array of two responses as text: of `DescribeTable`, and of `DescribeTimeToLive` or null.
    #[napi(catch_unwind)]
    pub fn describe_table(&self, call: u32) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| described(store.describe_table().await?))
    }

    /// Creates the table unless it exists. `newTable` is JSON. Completes as `describeTable` does.
    #[napi(catch_unwind)]
    pub fn create_table(&self, call: u32, new_table: String) -> napi::Result<()> {
        let new_table: config::NewTable =
            serde_json::from_str(&new_table).map_err(|error| napi::Error::from_reason(error.to_string()))?;
        self.start(call, false, async move |store, _, _| described(store.create_table(&new_table).await?))
    }

    /// The trace of an operation whose completion has none, with only the server that requests go to, if it is known.
    #[napi(catch_unwind)]
    pub fn server_trace(&self) -> String {
        trace_json(None, self.store.server())
    }

    /// The counters of the store, as JSON.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> String {
        let http = self.store.http();
        let stats = http.stats();
        let (open, idle) = http.connection_counts();
        serde_json::json!({
            "retries": stats.retries.get(),
            "throttles": stats.throttles.get(),
            "throttlingReasons": stats.throttling_reasons(),
            "bytes": { "sent": stats.bytes_sent.get(), "received": stats.bytes_received.get() },
            "backupReads": stats.backup_reads.get(),
            "plainReads": stats.plain_reads.get(),
            "pool": { "open": open, "idle": idle },
            "dns": { "failures": stats.dns_failures.get(), "fallbacks": stats.dns_fallbacks.get() },
        })
        .to_string()
    }

    /// Closes the idle connections.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.store.close();
    }

    /// Runs `work` on the runtime thread, and queues its outcome.
    fn start<W>(&self, call: u32, traced: bool, work: W) -> napi::Result<()>
    where
        W: AsyncFnOnce(&Store, CallOptions, &mut Trace) -> Result<CompletionOutcome> + Send + 'static,
    {
        let (store, completions) = (Arc::clone(&self.store), Arc::clone(&self.completions));
        let task = async move || {
            let options = CallOptions { wants_capacity: traced, ..CallOptions::default() };
            let mut trace = Trace { details: traced.then(Box::default), ..Trace::default() };
            let outcome = runtime::guard(work(&store, options, &mut trace)).await;
            let failure = |error| Failure::of(&error, &trace, &store).to_json();
            completions.push(Completion {
                call,
                outcome: outcome.unwrap_or_else(|error| CompletionOutcome::Failed(failure(error))),
                trace: traced.then(|| trace_json(Some(&trace), store.server())),
                warning: store.take_warning().map(failure),
            });
        };
        runtime::spawn(task).map_err(|error| napi::Error::from_reason(error.to_string()))
    }
}

/// What is stored with a session.
#[napi(object)]
#[derive(Debug)]
pub struct SessionDetails {
    /// When the session was created, in seconds since 1970.
    pub created: Option<i64>,
    /// The user of the session.
    pub user: Option<String>,
}

fn new_item<'a>(
    id: &'a str,
    session: &'a str,
    expires: i64,
    attributes: Option<&'a str>,
    details: Option<&'a SessionDetails>,
) -> NewItem<'a> {
    let (created, user) = details.map_or((None, None), |details| (details.created, details.user.as_deref()));
    NewItem { created, user, attributes, ..NewItem::new(id, session, expires) }
}

/// The options with a time limit in milliseconds, if there is one.
fn limited(options: CallOptions, timeout: Option<f64>) -> CallOptions {
    let timeout = timeout.map(|milliseconds| Duration::from_secs_f64(milliseconds.max(0.0) / 1000.0));
    CallOptions { timeout, ..options }
}

fn replaced_outcome(outcome: ReplaceOutcome) -> CompletionOutcome {
    match outcome {
        ReplaceOutcome::Written { token } => {
            CompletionOutcome::Written { token, expires: None, created: None }
        }
        ReplaceOutcome::Ended => CompletionOutcome::Ended,
        ReplaceOutcome::Changed { session, expires, created } => {
            CompletionOutcome::Changed { session, expires, created }
        }
    }
}

fn described(description: Description) -> Result<CompletionOutcome> {
    json(&[Some(description.table), description.time_to_live])
}

fn json(value: &impl Serialize) -> Result<CompletionOutcome> {
    serde_json::to_string(value)
        .map(CompletionOutcome::Text)
        .map_err(|error| Error::new(Kind::Internal, "cannot serialize the result").with_source(error))
}

/// A JSON array: the attempts, the HTTP status, the capacity units, the request ID, whether the read was consistent, the
/// Region, the host, and the port. Any of them may be null.
fn trace_json(trace: Option<&Trace>, server: Option<Server<'_>>) -> String {
    let details = trace.and_then(|trace| trace.details.as_deref());
    // Strings, numbers, and Booleans can always be serialized.
    serde_json::to_string(&(
        trace.map(|trace| trace.attempts),
        trace.and_then(|trace| trace.status),
        trace.and_then(|trace| trace.capacity_units),
        details.and_then(|details| details.request_id.as_deref()),
        details.and_then(|details| details.consistent_read),
        server.as_ref().map(|server| server.region),
        server.as_ref().map(|server| &server.address),
        server.as_ref().map(|server| server.port),
    ))
    .unwrap_or_default()
}
