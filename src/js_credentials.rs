//! A credentials provider that is a JavaScript function: asked through the completions, answered by number.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, error::CredentialsError, future};
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::completions::{Completion, Completions};

use dynamodb_session_core::sync::lock;

/// Questions for credentials that JavaScript has not answered yet.
#[derive(Default)]
pub struct Questions {
    last: AtomicU32,
    open: Mutex<HashMap<u32, oneshot::Sender<provider::Result>>>,
}

impl Questions {
    fn ask(&self) -> (u32, oneshot::Receiver<provider::Result>) {
        let question = self.last.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        let mut open = lock(&self.open);
        // Those whose asker gave up.
        open.retain(|_, asker| !asker.is_closed());
        open.insert(question, sender);
        (question, receiver)
    }

    /// Answers a question with JSON: the credentials, or `{"error": "…"}`.
    pub fn answer(&self, question: u32, answer: &str) {
        let asker = lock(&self.open).remove(&question);
        if let Some(asker) = asker {
            // An asker that gave up does not listen.
            let _ = asker.send(credentials(answer));
        }
    }
}

fn credentials(answer: &str) -> provider::Result {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", untagged)]
    enum Told {
        Error {
            error: String,
        },
        #[serde(rename_all = "camelCase")]
        Given {
            access_key_id: String,
            secret_access_key: String,
            session_token: Option<String>,
            expiration: Option<f64>,
            account_id: Option<String>,
        },
    }
    match serde_json::from_str(answer) {
        Ok(Told::Given { access_key_id, secret_access_key, session_token, expiration, account_id }) => {
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
        Ok(Told::Error { error }) => Err(CredentialsError::provider_error(error)),
        Err(_) => Err(CredentialsError::unhandled("the provider gave no credentials")),
    }
}

/// A credentials provider that is a JavaScript function.
pub struct JsProvider {
    /// The call that completes with the number of a question.
    pub call: u32,
    pub completions: Arc<Completions>,
    pub questions: Arc<Questions>,
}

impl ProvideCredentials for JsProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let (question, answer) = self.questions.ask();
        let number = Some(f64::from(question));
        self.completions.push(Completion { call: self.call, number, ..Completion::default() });
        future::ProvideCredentials::new(async move {
            answer.await.unwrap_or_else(|_| Err(CredentialsError::unhandled("JavaScript has ended")))
        })
    }
}

impl fmt::Debug for JsProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsProvider").field("call", &self.call).finish_non_exhaustive()
    }
}
