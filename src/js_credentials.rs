//! Credentials from a JavaScript function. The store sends a completion with a request ID, and JavaScript answers that
//! request with credentials.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, error::CredentialsError, future};
use dynamodb_session_core::sync::lock;
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::completions::{Completion, CompletionOutcome, Completions};

/// The requests for credentials that JavaScript has not answered yet.
#[derive(Default)]
pub(crate) struct CredentialsRequests {
    last_id: AtomicU32,
    pending: Mutex<HashMap<u32, oneshot::Sender<provider::Result>>>,
}

impl CredentialsRequests {
    fn add(&self) -> (u32, oneshot::Receiver<provider::Result>) {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        let mut pending = lock(&self.pending);
        // Drop the requests whose receiver no longer waits.
        pending.retain(|_, sender| !sender.is_closed());
        pending.insert(id, sender);
        (id, receiver)
    }

    /// Answers a request with the JSON of the credentials, or of `{ error: string }`.
    pub(crate) fn answer(&self, id: u32, json: &str) {
        let sender = lock(&self.pending).remove(&id);
        if let Some(sender) = sender {
            // A receiver that no longer waits does not need the credentials.
            let _ = sender.send(credentials(json));
        }
    }
}

fn credentials(json: &str) -> provider::Result {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", untagged)]
    enum Answer {
        Error {
            error: String,
        },
        #[serde(rename_all = "camelCase")]
        Credentials {
            access_key_id: String,
            secret_access_key: String,
            session_token: Option<String>,
            expiration: Option<f64>,
            account_id: Option<String>,
        },
    }
    match serde_json::from_str(json) {
        Ok(Answer::Credentials {
            access_key_id,
            secret_access_key,
            session_token,
            expiration,
            account_id,
        }) => {
            let expiry = expiration
                .and_then(|milliseconds| Duration::try_from_secs_f64(milliseconds / 1000.0).ok())
                .and_then(|since| UNIX_EPOCH.checked_add(since));
            let mut credentials = Credentials::builder()
                .access_key_id(access_key_id)
                .secret_access_key(secret_access_key)
                .provider_name("JavaScript");
            credentials.set_session_token(session_token);
            credentials.set_expiry(expiry);
            credentials.set_account_id(account_id.map(Into::into));
            Ok(credentials.build())
        }
        Ok(Answer::Error { error }) => Err(CredentialsError::provider_error(error)),
        Err(_) => Err(CredentialsError::unhandled("the credentials function returned no credentials")),
    }
}

/// Gets credentials from a JavaScript function.
pub(crate) struct JsCredentialsProvider {
    /// The call that completes with the ID of each request.
    pub call: u32,
    /// The queue for the completions of the call.
    pub completions: Arc<Completions>,
    /// The pending requests.
    pub requests: Arc<CredentialsRequests>,
}

impl ProvideCredentials for JsCredentialsProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let (id, credentials) = self.requests.add();
        let outcome = CompletionOutcome::Number(f64::from(id));
        self.completions.push(Completion { call: self.call, outcome, trace: None, warning: None });
        future::ProvideCredentials::new(async move {
            credentials
                .await
                .unwrap_or_else(|_| Err(CredentialsError::unhandled("the JavaScript thread has exited")))
        })
    }
}

impl fmt::Debug for JsCredentialsProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsCredentialsProvider").field("call", &self.call).finish_non_exhaustive()
    }
}
