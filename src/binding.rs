//! The boundary to JavaScript, and the only file that knows Node. What crosses is plain data: strings,
//! numbers, and JSON text where it says so; `null` stands for what is absent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_credential_types::provider::SharedCredentialsProvider;
use dynamodb_session_core::environment::Environment;
use dynamodb_session_core::error::{Error, Kind, Result, ThrottlingReason};
use dynamodb_session_core::item::codec::NewItem;
use dynamodb_session_core::item::expiry;
use dynamodb_session_core::store::{Found, Store};
use dynamodb_session_core::sync::lock;
use dynamodb_session_core::table::describe::Description;
use dynamodb_session_core::transport::{CallOptions, Trace, retry};
use dynamodb_session_core::wire::request::{Stamp, Touch};
use dynamodb_session_core::{config, runtime};
use napi::bindgen_prelude::{Array, Env, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{JsString, Unknown};
use napi_derive::napi;
use serde::Serialize;

use crate::completions::{Completion, Completions};
use crate::js_credentials::{JsProvider, Questions};

/// Values in the array of `Bridge.take` for each completion: call, failed, text, number, trace, warning.
const STRIDE: u32 = 6;

/// The failure of a call whose answer V8 has no room for: its strings end at 512 MB.
const TOO_LARGE: &str =
    r#"{"code":"InternalError","message":"the answer is too large for a JavaScript string","cause":null}"#;

/// Calls the JavaScript thread from the runtime thread; none once the bridge has ended.
type Waker = Option<ThreadsafeFunction<(), (), (), napi::Status, false, true>>;

/// One JavaScript thread's link to the runtime thread.
#[napi]
pub struct Bridge {
    waker: Arc<Mutex<Waker>>,
    completions: Arc<Completions>,
    questions: Arc<Questions>,
}

#[napi]
impl Bridge {
    /// `wake` is called on the JavaScript thread whenever completions begin to wait.
    #[napi(constructor, catch_unwind)]
    pub fn new(wake: Function<'_, (), ()>) -> napi::Result<Self> {
        let wake = wake.build_threadsafe_function().weak::<true>().build()?;
        let waker = Arc::new(Mutex::new(Some(wake)));
        let shared = Arc::clone(&waker);
        let wake = move || {
            let waker = lock(&shared);
            waker.as_ref().is_some_and(|wake| {
                wake.call((), ThreadsafeFunctionCallMode::NonBlocking) == napi::Status::Ok
            })
        };
        Ok(Self { waker, completions: Arc::new(Completions::new(wake)), questions: Arc::default() })
    }

    /// Whether the bridge keeps the process alive. At first it does not.
    // napi-rs deprecates both calls in favor of counting owners, which is about another count.
    #[allow(deprecated)]
    #[napi(catch_unwind)]
    pub fn keep_alive(&self, env: &Env, yes: bool) -> napi::Result<()> {
        match lock(&self.waker).as_mut() {
            Some(wake) if yes => wake.refer(env),
            Some(wake) => wake.unref(env),
            None => Ok(()),
        }
    }

    /// Releases the JavaScript thread. Later completions are dropped.
    #[napi(catch_unwind)]
    pub fn end(&self) {
        lock(&self.waker).take();
    }

    /// The completions that wait: call, failed, text, number, trace and warning of each, with holes for what is
    /// false or absent, since each value that is set costs two calls of Node-API.
    #[napi(catch_unwind)]
    pub fn take<'env>(&self, env: &'env Env) -> napi::Result<Array<'env>> {
        let completions = self.completions.take();
        let length = u32::try_from(completions.len()).unwrap_or(u32::MAX / STRIDE);
        let mut flat = env.create_array(length * STRIDE)?;
        for (place, completion) in (0..).step_by(STRIDE as usize).zip(completions) {
            flat.set(place, completion.call)?;
            let text = completion.text.map(|text| text_to_js(env, text)).transpose();
            if completion.failed || text.is_err() {
                flat.set(place + 1, true)?;
            }
            match text {
                Ok(Some(text)) => flat.set(place + 2, text)?,
                Ok(None) => {}
                Err(_) => flat.set(place + 2, TOO_LARGE)?,
            }
            if let Some(number) = completion.number {
                flat.set(place + 3, number)?;
            }
            if let Some(trace) = completion.trace {
                flat.set(place + 4, trace)?;
            }
            if let Some(warning) = completion.warning {
                flat.set(place + 5, warning)?;
            }
        }
        Ok(flat)
    }

    /// Makes a store of settings in JSON. When `provider` is not null, the credentials come from JavaScript:
    /// each time they are wanted, the call of that number completes with the number of a question.
    #[napi(catch_unwind)]
    pub fn open_store(&self, config: String, provider: Option<u32>) -> napi::Result<NativeStore> {
        let config: config::Config =
            serde_json::from_str(&config).map_err(|error| napi::Error::from_reason(error.to_string()))?;
        let provider = provider.map(|call| {
            SharedCredentialsProvider::new(JsProvider {
                call,
                completions: Arc::clone(&self.completions),
                questions: Arc::clone(&self.questions),
            })
        });
        Ok(NativeStore {
            store: Arc::new(Store::new(config, provider)),
            completions: Arc::clone(&self.completions),
        })
    }

    /// Answers a question for credentials with JSON: the credentials, or `{"error": "…"}`.
    #[napi(catch_unwind)]
    pub fn give_credentials(&self, question: u32, answer: String) {
        self.questions.answer(question, &answer);
    }
}

/// Makes a thrown value the process's uncaught exception, also within a promise.
// napi-rs registers no functions in a build for Rust tests.
#[cfg_attr(test, allow(dead_code))]
#[napi(catch_unwind)]
pub fn throw_uncaught(env: &Env, thrown: Unknown<'_>) {
    env.fatal_exception(napi::Error::from_unknown_without_coercion(thrown));
}

/// The operations of a store. Each takes the number of the call that completes with its outcome; a failed
/// one completes with a `Failure` as JSON. `now` is JavaScript's time in milliseconds.
#[napi]
pub struct NativeStore {
    store: Arc<Store>,
    completions: Arc<Completions>,
}

#[napi]
impl NativeStore {
    /// Hands over the environment variables that the addon may read, and `Date`'s `getTimezoneOffset()`.
    #[napi(catch_unwind)]
    pub fn set_environment(&self, variables: HashMap<String, String>, timezone_offset: i32) {
        self.store.set_environment(Environment::new(variables, timezone_offset));
    }

    /// Completes with the session's text and the stored expiry in seconds; without a text when there is no
    /// session, and then with the number 1 when there is an expired item.
    #[napi(catch_unwind)]
    pub fn get(&self, call: u32, key: String, now: f64, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            Ok(match store.get(&key, expiry::from_milliseconds(now), options, trace).await? {
                Found::Missing => Answer::default(),
                Found::Expired => Answer { number: Some(1.0), ..Answer::default() },
                Found::Session { session, expires } => Answer { text: Some(session), number: expires },
            })
        })
    }

    /// `session` is JSON text, `expires` in seconds since 1970, `attributes` a JSON object of attribute values.
    #[napi(catch_unwind)]
    pub fn set(
        &self,
        call: u32,
        key: String,
        session: String,
        expires: i64,
        attributes: Option<String>,
        traced: bool,
    ) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            let item = NewItem {
                key: &key,
                session: &session,
                expires: Some(expires),
                attributes: attributes.as_deref(),
            };
            store.set(item, options, trace).await?;
            Ok(Answer::default())
        })
    }

    /// Completes with the expiry that the item then has, or without a number if there is no such session.
    /// `keeps_later` leaves a stored expiry that is later. `stamp`, a field of the session that is set too, has a
    /// name and an attribute value as JSON.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "an object costs more crossings of the boundary")]
    pub fn touch(
        &self,
        call: u32,
        key: String,
        expires: i64,
        keeps_later: bool,
        now: f64,
        stamp: Option<(String, String)>,
        traced: bool,
    ) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            let stamp = stamp.as_ref().map(|(name, value)| Stamp { name, value });
            let now = expiry::from_milliseconds(now);
            let number =
                store.touch(Touch { key: &key, expires, now, keeps_later, stamp }, options, trace).await?;
            Ok(Answer { number, ..Answer::default() })
        })
    }

    #[napi(catch_unwind)]
    pub fn destroy(&self, call: u32, key: String, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            store.destroy(&key, options, trace).await?;
            Ok(Answer::default())
        })
    }

    /// Completes with 1, or with 0 when there is no such session or it is alive.
    #[napi(catch_unwind)]
    pub fn destroy_expired(&self, call: u32, key: String, now: f64, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            let now = expiry::from_milliseconds(now);
            store.destroy_expired(&key, now, options, trace).await.map(Answer::yes_or_no)
        })
    }

    /// Sends any other request of DynamoDB's API; completes with the JSON of the answer.
    #[napi(catch_unwind)]
    pub fn request(&self, call: u32, operation: String, body: String, traced: bool) -> napi::Result<()> {
        self.start(call, traced, async move |store, options, trace| {
            let text = Some(store.request(&operation, body, options, trace).await?);
            Ok(Answer { text, number: None })
        })
    }

    /// Completes with `text`: the crossing of a request without the request, for the benchmark.
    #[napi(catch_unwind)]
    pub fn echo(&self, call: u32, text: String) -> napi::Result<()> {
        self.start(call, false, async move |_, _, _| Ok(Answer { text: Some(text), number: None }))
    }

    /// Completes with a JSON array of ids.
    #[napi(catch_unwind)]
    pub fn ids(&self, call: u32, now: f64) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| {
            Answer::json(&store.ids(expiry::from_milliseconds(now)).await?)
        })
    }

    /// Completes with a JSON array of `{ id, session, expires }`: the session's text, and the stored expiry or null.
    #[napi(catch_unwind)]
    pub fn all(&self, call: u32, now: f64) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| {
            Answer::json(&store.all(expiry::from_milliseconds(now)).await?)
        })
    }

    /// Completes with the number of sessions.
    #[napi(catch_unwind)]
    pub fn length(&self, call: u32, now: f64) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| {
            let number = Some(store.length(expiry::from_milliseconds(now)).await? as f64);
            Ok(Answer { number, ..Answer::default() })
        })
    }

    #[napi(catch_unwind)]
    pub fn clear(&self, call: u32) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| {
            store.clear().await?;
            Ok(Answer::default())
        })
    }

    /// Completes with a JSON array of the service's answers: of the table and, or null, of its time to live.
    #[napi(catch_unwind)]
    pub fn describe_table(&self, call: u32) -> napi::Result<()> {
        self.start(call, false, async move |store, _, _| Answer::description(store.describe_table().await?))
    }

    /// `new_table` is JSON. Completes as `describeTable` does.
    #[napi(catch_unwind)]
    pub fn create_table(&self, call: u32, new_table: String) -> napi::Result<()> {
        let new_table: config::NewTable =
            serde_json::from_str(&new_table).map_err(|error| napi::Error::from_reason(error.to_string()))?;
        self.start(call, false, async move |store, _, _| {
            Answer::description(store.create_table(&new_table).await?)
        })
    }

    /// Counters as JSON.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> String {
        let http = self.store.http();
        let stats = http.stats();
        let (open, idle) = http.pool();
        serde_json::json!({
            "retries": stats.retries.get(),
            "throttles": stats.throttles.get(),
            "throttlingReasons": stats.throttling_reasons(),
            "bytes": { "sent": stats.bytes_sent.get(), "received": stats.bytes_received.get() },
            "backupReads": stats.backup_reads.get(),
            "pool": { "open": open, "idle": idle },
            "dns": { "failures": stats.dns_failures.get(), "fallbacks": stats.dns_fallbacks.get() },
        })
        .to_string()
    }

    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.store.close();
    }

    /// Runs `work` on the runtime thread.
    fn start<W>(&self, call: u32, traced: bool, work: W) -> napi::Result<()>
    where
        W: AsyncFnOnce(&Store, CallOptions, &mut Trace) -> Result<Answer> + Send + 'static,
    {
        let (store, completions) = (Arc::clone(&self.store), Arc::clone(&self.completions));
        let task = async move || {
            let options = CallOptions { wants_capacity: traced, ..CallOptions::default() };
            let mut trace = Trace::default();
            let outcome = runtime::guard(work(&store, options, &mut trace)).await;
            let mut completion = completion(&store, call, outcome, traced, &trace);
            completion.warning =
                store.take_warning().map(|error| Failure::of(&error, &trace, &store).to_json());
            completions.push(completion);
        };
        runtime::spawn(task).map_err(|error| napi::Error::from_reason(error.to_string()))
    }
}

/// As latin1 where that is the same: it costs half of UTF-8.
fn text_to_js(env: &Env, text: String) -> napi::Result<JsString<'_>> {
    if text.is_ascii() { env.create_string_latin1(text) } else { env.create_string(text) }
}

/// What an operation gives to JavaScript.
#[derive(Default)]
struct Answer {
    text: Option<String>,
    number: Option<f64>,
}

impl Answer {
    fn yes_or_no(answer: bool) -> Self {
        Self { text: None, number: Some(f64::from(u8::from(answer))) }
    }

    fn json(value: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(value)
            .map_err(|error| Error::new(Kind::Internal, "the answer cannot be told").with_source(error))?;
        Ok(Self { text: Some(text), number: None })
    }

    fn description(description: Description) -> Result<Self> {
        Self::json(&[Some(description.table), description.time_to_live])
    }
}

fn completion(store: &Store, call: u32, outcome: Result<Answer>, traced: bool, trace: &Trace) -> Completion {
    let told = traced.then(|| told(trace));
    match outcome {
        Ok(Answer { text, number }) => {
            Completion { call, text, number, trace: told, ..Completion::default() }
        }
        Err(error) => {
            let text = Some(Failure::of(&error, trace, store).to_json());
            Completion { call, failed: true, text, trace: told, ..Completion::default() }
        }
    }
}

fn told(trace: &Trace) -> String {
    serde_json::json!({
        "attempts": trace.attempts,
        "statusCode": trace.status,
        "capacityUnits": trace.capacity_units,
    })
    .to_string()
}

/// An error as JavaScript reads it, to make a `DynamoDBStoreError` of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'e> {
    code: &'e str,
    message: &'e str,
    operation: Option<&'static str>,
    cause: Option<String>,
    http_status_code: Option<u16>,
    request_id: Option<&'e str>,
    throttling_reasons: Option<&'e [ThrottlingReason]>,
    attempts: u32,
    fault: &'static str,
    retryable: bool,
    /// Whether the service may have done the work of an earlier attempt.
    may_be_done: bool,
    region: Option<&'e str>,
    endpoint: Option<String>,
}

impl<'e> Failure<'e> {
    fn of(error: &'e Error, trace: &Trace, store: &'e Store) -> Self {
        let (region, endpoint) = store.place().unzip();
        Self {
            may_be_done: trace.may_be_done,
            region,
            endpoint,
            code: error.kind.code(),
            message: &error.message,
            operation: error.operation,
            cause: error.causes(),
            http_status_code: error.status,
            request_id: error.request_id.as_deref(),
            throttling_reasons: error.throttling_reasons.as_deref().map(Vec::as_slice),
            // The SDK does not tell its attempts; an answer took one.
            attempts: trace.attempts.max(error.status.is_some().into()),
            fault: if error.is_server_fault() { "server" } else { "client" },
            retryable: retry::reason(error).is_some(),
        }
    }

    fn to_json(&self) -> String {
        // Strings and numbers always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}
