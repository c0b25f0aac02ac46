//! The link between a JavaScript thread and the runtime thread.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_credential_types::provider::SharedCredentialsProvider;
use dynamodb_session_core::config::Config;
use dynamodb_session_core::runtime;
use dynamodb_session_core::store::Store;
use dynamodb_session_core::sync::lock;
use napi::bindgen_prelude::{Array, Env, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{JsString, Unknown};
use napi_derive::napi;

use crate::completions::{Completion, CompletionSlot, CompletionStatus, Completions, Slots};
use crate::failure;
use crate::js_credentials::JsCredentialsProvider;
use crate::js_function::{JsFunction, JsRequests};
use crate::js_keys::key_source;
use crate::native_store::NativeStore;

/// Slots of a completion in the array of `Bridge.take`.
const SLOTS: u32 = CompletionSlot::Created as u32 + 1;

/// Calls the JavaScript thread from the runtime thread. `None` after the bridge has ended.
type Waker = Option<ThreadsafeFunction<(), (), (), napi::Status, false, true>>;

/// The link between one JavaScript thread and the runtime thread.
#[napi]
pub struct Bridge {
    waker: Arc<Mutex<Waker>>,
    completions: Arc<Completions>,
    requests: Arc<JsRequests>,
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").finish_non_exhaustive()
    }
}

#[napi]
impl Bridge {
    /// `wake` is called on the JavaScript thread when there are completions to take.
    #[napi(constructor, catch_unwind)]
    pub fn new(wake: Function<'_, (), ()>) -> napi::Result<Self> {
        let wake = wake.build_threadsafe_function().weak::<true>().build()?;
        let waker = Arc::new(Mutex::new(Some(wake)));
        let shared = Arc::clone(&waker);
        let wake = move |completions: Arc<Completions>| {
            let waker = Arc::clone(&shared);
            // Results that are ready at the same time are delivered together.
            runtime::defer(move || {
                let is_awake = lock(&waker).as_ref().is_some_and(|wake| {
                    wake.call((), ThreadsafeFunctionCallMode::NonBlocking) == napi::Status::Ok
                });
                if !is_awake {
                    completions.clear();
                }
            });
        };
        Ok(Self { waker, completions: Completions::new(wake), requests: Arc::default() })
    }

    /// Sets whether the bridge keeps the process alive. A new bridge does not.
    // napi-rs deprecates both calls in favor of reference counting, but bridge.js already counts.
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

    /// Takes the completions from the queue. Returns the slots of all completions in one array, where `CompletionSlot`
    /// has the position of each slot. A slot without a value is a hole, because setting a value takes two
    /// Node-API calls.
    #[napi(catch_unwind, ts_return_type = "Array<number | string | undefined>")]
    pub fn take<'env>(&self, env: &'env Env) -> napi::Result<Array<'env>> {
        let completions = self.completions.take();
        let length = u32::try_from(completions.len()).unwrap_or(u32::MAX / SLOTS);
        let mut slots = env.create_array(length * SLOTS)?;
        for (start, completion) in (0..).step_by(SLOTS as usize).zip(completions) {
            write(env, &mut slots, start, completion)?;
        }
        Ok(slots)
    }

    /// Opens a store. `config` is the JSON of its settings. If `credentialsCall` is not null, the credentials come from
    /// JavaScript: each time the store needs them, it queues a completion that has this call ID and, as its number, a
    /// request ID. In the same way, the encryption keys come from JavaScript if `keysCall` is not null. `answer` responds
    /// to these requests.
    #[napi(catch_unwind)]
    pub fn open_store(
        &self,
        config: String,
        credentials_call: Option<u32>,
        keys_call: Option<u32>,
    ) -> napi::Result<NativeStore> {
        let config: Config =
            serde_json::from_str(&config).map_err(|error| napi::Error::from_reason(error.to_string()))?;
        let function = |call| JsFunction {
            call,
            completions: Arc::clone(&self.completions),
            requests: Arc::clone(&self.requests),
        };
        let provider = credentials_call
            .map(|call| SharedCredentialsProvider::new(JsCredentialsProvider(function(call))));
        let mut store = Store::new(config, provider);
        if let Some(call) = keys_call {
            store = store.with_key_source(key_source(function(call)));
        }
        Ok(NativeStore::new(store, Arc::clone(&self.completions)))
    }

    /// Answers a request with JSON: the credentials, an array of keys, or `{ error: string }`.
    #[napi(catch_unwind)]
    pub fn answer(&self, request: u32, json: String) {
        self.requests.answer(request, json);
    }
}

/// Writes the slots of a completion.
fn write(env: &Env, slots: &mut Array<'_>, start: u32, completion: Completion) -> napi::Result<()> {
    let slot = |slot: CompletionSlot| start + slot as u32;
    let Completion { call, outcome, trace, warning } = completion;
    slots.set(slot(CompletionSlot::Call), call)?;
    let Slots { mut status, text, number, token, created } = outcome.into_slots();
    match text.map(|text| text_to_js(env, text)) {
        Some(Ok(text)) => slots.set(slot(CompletionSlot::Text), text)?,
        Some(Err(_)) => {
            status = CompletionStatus::Failed;
            slots.set(slot(CompletionSlot::Text), failure::TOO_LARGE)?;
        }
        None => {}
    }
    if status != CompletionStatus::Succeeded {
        slots.set(slot(CompletionSlot::Status), status as u32)?;
    }
    if let Some(number) = number {
        slots.set(slot(CompletionSlot::Number), number)?;
    }
    if let Some(trace) = trace {
        slots.set(slot(CompletionSlot::Trace), text_to_js(env, trace)?)?;
    }
    if let Some(warning) = warning {
        slots.set(slot(CompletionSlot::Warning), warning)?;
    }
    if let Some(token) = token {
        slots.set(slot(CompletionSlot::Token), token)?;
    }
    if let Some(created) = created {
        slots.set(slot(CompletionSlot::Created), created)?;
    }
    Ok(())
}

/// Creates a Latin-1 string if the text is ASCII, which costs half as much as UTF-8.
fn text_to_js(env: &Env, text: String) -> napi::Result<JsString<'_>> {
    if text.is_ascii() { env.create_string_latin1(text) } else { env.create_string(text) }
}

/// Throws a value as an uncaught exception of the process, even inside a promise.
// napi-rs registers no functions in a build for Rust tests.
#[cfg_attr(test, allow(dead_code))]
#[napi(catch_unwind)]
pub(crate) fn throw_uncaught(env: &Env, thrown: Unknown<'_>) {
    env.fatal_exception(napi::Error::from_unknown_without_coercion(thrown));
}
