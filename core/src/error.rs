//! What can go wrong, told as `{kind, message, source}`.

use std::borrow::Cow;
use std::sync::Arc;
use std::{error, fmt};

use serde::Serialize;

pub type BoxError = Box<dyn error::Error + Send + Sync>;
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The category of an [`Error`]; its [`code`](Kind::code) is what JavaScript sees.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// DynamoDB answered with an error of this name.
    Service(Cow<'static, str>),
    /// A connect, attempt or operation timeout passed.
    Timeout,
    /// No answer: resolving, connecting, TLS, a cut or unintelligible response.
    Network,
    /// The credentials provider failed.
    Credentials,
    /// An option or an AWS setting is missing or wrong.
    Config,
    /// The session cannot be written in the layout's format.
    Serialization,
    /// The item cannot be read as a session.
    CorruptItem,
    /// A defect of this crate.
    Internal,
}

impl Kind {
    pub fn code(&self) -> &str {
        match self {
            Kind::Service(name) => name,
            Kind::Timeout => "TimeoutError",
            Kind::Network => "NetworkError",
            Kind::Credentials => "CredentialsError",
            Kind::Config => "ConfigError",
            Kind::Serialization => "SerializationError",
            Kind::CorruptItem => "CorruptItemError",
            Kind::Internal => "InternalError",
        }
    }
}

type Source = Arc<dyn error::Error + Send + Sync>;

/// A failed operation. Its message never holds a session id, session data or a secret.
#[derive(Clone, Debug)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    /// The request that failed, where it is not the one that the operation is named after.
    pub operation: Option<&'static str>,
    /// HTTP status of the service's answer.
    pub status: Option<u16>,
    /// The service's `x-amzn-requestid`.
    pub request_id: Option<String>,
    /// What a throttling error says about its limits.
    pub throttling_reasons: Option<Arc<Vec<ThrottlingReason>>>,
    /// Repeating the operation cannot help, although the kind suggests it: the keys are refused and cannot change.
    pub is_permanent: bool,
    source: Option<Source>,
}

/// Which limit was exceeded, and the ARN of the table or index that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ThrottlingReason {
    /// Such as `TableReadKeyRangeThroughputExceeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            operation: None,
            status: None,
            request_id: None,
            throttling_reasons: None,
            is_permanent: false,
            source: None,
        }
    }

    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    pub fn service(name: impl Into<Cow<'static, str>>, message: &str, status: u16) -> Self {
        Self { status: Some(status), ..Self::new(Kind::Service(name.into()), first_line(message)) }
    }

    /// A successful response that is not one of DynamoDB's.
    pub fn invalid_response() -> Self {
        Self::new(Kind::Network, "the response is not valid DynamoDB JSON")
    }

    /// Says that repeating the operation cannot help.
    pub fn permanent(self) -> Self {
        Self { is_permanent: true, ..self }
    }

    /// Says which request failed.
    pub fn during(self, operation: &'static str) -> Self {
        Self { operation: Some(operation), ..self }
    }

    pub fn is_service(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Service(code) if code == name)
    }

    /// The table is missing, or not ACTIVE yet.
    pub fn is_missing_table(&self) -> bool {
        self.is_service("ResourceNotFoundException")
    }

    /// The service or the way to it failed, rather than the request.
    pub fn is_server_fault(&self) -> bool {
        match &self.kind {
            Kind::Service(_) => self.status.is_some_and(|status| status >= 500),
            Kind::Timeout | Kind::Network | Kind::Internal => true,
            _ => false,
        }
    }

    /// The messages of the source and of its sources, outermost first.
    pub fn causes(&self) -> Option<String> {
        self.source.as_deref().map(|source| chain(source))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.code(), self.message)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The messages of `error` and its sources, joined as `outer: inner`.
pub fn chain(error: &(dyn error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let part = source.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        next = source.source();
    }
    text
}

/// The message of the source that has no source: what really happened, such as "Connection refused".
pub fn innermost(error: &(dyn error::Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| error.source()).last().unwrap_or(error);
    last.downcast_ref::<Error>().map_or_else(|| last.to_string(), |ours| ours.message.clone())
}

/// A signature error goes on with the canonical request, whose headers hold the session token.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_message_is_cut_before_the_canonical_request() {
        let error = Error::service(
            "InvalidSignatureException",
            "The signature does not match.\n\nx-amz-security-token:secret",
            400,
        );
        assert_eq!(error.message, "The signature does not match.");
        assert_eq!(error.kind.code(), "InvalidSignatureException");
    }

    #[test]
    fn causes_are_told_once_from_the_outside_in() {
        let inner = Error::new(Kind::Network, "refused");
        let outer = Error::new(Kind::Credentials, "no credentials").with_source(inner);
        assert_eq!(outer.causes().as_deref(), Some("NetworkError: refused"));
        assert_eq!(innermost(&outer), "refused");
    }
}
