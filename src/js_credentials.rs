//! Credentials from a JavaScript function.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, error::CredentialsError, future};
use serde::Deserialize;

use crate::js_function::JsFunction;

/// Gets credentials from a JavaScript function, which answers with the JSON of the credentials, or of `{ error: string }`.
#[derive(Debug)]
pub(crate) struct JsCredentialsProvider(pub JsFunction);

impl ProvideCredentials for JsCredentialsProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let answer = self.0.call();
        future::ProvideCredentials::new(async move {
            match answer.await {
                Some(json) => credentials(&json),
                None => Err(CredentialsError::unhandled("the JavaScript thread has exited")),
            }
        })
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
