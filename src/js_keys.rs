//! Encryption keys from a JavaScript function.

use std::sync::Arc;

use dynamodb_session_core::error::{Error, Kind, Result};
use dynamodb_session_core::item::encryption::Keys;
use dynamodb_session_core::keyring::KeySource;
use serde::Deserialize;

use crate::js_function::JsFunction;

/// Gets the keys from a JavaScript function, which answers with the JSON of an array of keys, or of `{ error: string }`.
pub(crate) fn key_source(function: JsFunction) -> KeySource {
    Arc::new(move || {
        let answer = function.call();
        Box::pin(async move { keys(answer.await.as_deref()) })
    })
}

fn keys(json: Option<&str>) -> Result<Keys> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Answer {
        Error { error: String },
        Keys(Keys),
    }
    let problem = match json.map(serde_json::from_str) {
        Some(Ok(Answer::Keys(keys))) => return Ok(keys),
        Some(Ok(Answer::Error { error })) => error,
        Some(Err(_)) => "the function that returns the encryption keys returned no keys".to_owned(),
        None => "the JavaScript thread has exited".to_owned(),
    };
    Err(Error::new(Kind::EncryptionKey, problem))
}
