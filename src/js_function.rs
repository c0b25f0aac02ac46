//! Calls functions of JavaScript from the runtime thread. The addon sends a completion with a request ID, and JavaScript
//! answers that request with text.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use dynamodb_session_core::sync::lock;
use tokio::sync::oneshot;

use crate::completions::{Completion, CompletionOutcome, Completions};

/// The requests that JavaScript has not answered yet.
#[derive(Default)]
pub(crate) struct JsRequests {
    last_id: AtomicU32,
    pending: Mutex<HashMap<u32, oneshot::Sender<String>>>,
}

impl JsRequests {
    fn add(&self) -> (u32, oneshot::Receiver<String>) {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        let mut pending = lock(&self.pending);
        // Drop the requests whose receiver no longer waits.
        pending.retain(|_, sender| !sender.is_closed());
        pending.insert(id, sender);
        (id, receiver)
    }

    /// Answers a request.
    pub(crate) fn answer(&self, id: u32, answer: String) {
        let sender = lock(&self.pending).remove(&id);
        if let Some(sender) = sender {
            // A receiver that no longer waits does not need the answer.
            let _ = sender.send(answer);
        }
    }
}

/// A function of JavaScript.
#[derive(Clone)]
pub(crate) struct JsFunction {
    /// The call that completes with the ID of each request.
    pub call: u32,
    /// The queue for the completions of the call.
    pub completions: Arc<Completions>,
    /// The pending requests.
    pub requests: Arc<JsRequests>,
}

impl JsFunction {
    /// Calls the function. The answer is `None` if the JavaScript thread has exited.
    pub(crate) fn call(&self) -> impl Future<Output = Option<String>> + use<> {
        let (id, answer) = self.requests.add();
        let outcome = CompletionOutcome::Number(f64::from(id));
        self.completions.push(Completion { call: self.call, outcome, trace: None, warning: None });
        async { answer.await.ok() }
    }
}

impl fmt::Debug for JsFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsFunction").field("call", &self.call).finish_non_exhaustive()
    }
}
