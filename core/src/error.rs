//! Errors of operations.

use std::borrow::Cow;
use std::sync::Arc;
use std::{error, fmt};

use serde::Serialize;

/// Any error.
pub type BoxError = Box<dyn error::Error + Send + Sync>;
/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The category of an [`Error`]. Its [`code`](Kind::code) is the `code` of the error in JavaScript.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// DynamoDB returned an error with this name.
    Service(Cow<'static, str>),
    /// The connect, attempt, or operation timeout expired.
    Timeout,
    /// There is no valid response: DNS, connecting, or TLS failed, or the response is incomplete or invalid.
    Network,
    /// The credentials provider failed.
    Credentials,
    /// An option or an AWS setting is missing or invalid.
    Config,
    /// The session cannot be serialized in the format of the layout.
    Serialization,
    /// The item cannot be read as a session.
    CorruptItem,
    /// The key that encrypts or decrypts a session is not known, now or at all.
    EncryptionKey,
    /// A bug in this crate.
    Internal,
}

impl Kind {
    /// The `code` of the error in JavaScript.
    pub fn code(&self) -> &str {
        match self {
            Kind::Service(name) => name,
            Kind::Timeout => "TimeoutError",
            Kind::Network => "NetworkError",
            Kind::Credentials => "CredentialsError",
            Kind::Config => "ConfigError",
            Kind::Serialization => "SerializationError",
            Kind::CorruptItem => "CorruptItemError",
            Kind::EncryptionKey => "EncryptionKeyError",
            Kind::Internal => "InternalError",
        }
    }
}

type Source = Arc<dyn error::Error + Send + Sync>;

/// Why an operation failed. The message never contains a session ID, session data, or a secret.
#[derive(Clone, Debug)]
pub struct Error {
    /// The category of the error.
    pub kind: Kind,
    /// What happened.
    pub message: String,
    /// The request that failed, if the operation sends several kinds of requests.
    pub operation: Option<&'static str>,
    /// HTTP status of the response.
    pub status: Option<u16>,
    /// The `x-amzn-requestid` of the response.
    pub request_id: Option<String>,
    /// The limits that a throttling error reports.
    pub throttling_reasons: Option<Arc<Vec<ThrottlingReason>>>,
    /// A retry cannot help, although the kind suggests it: the service rejects the keys, and they cannot change.
    pub is_permanent: bool,
    source: Option<Source>,
}

/// The limit that was exceeded, and the ARN of its table or index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ThrottlingReason {
    /// Such as `TableReadKeyRangeThroughputExceeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ARN of the table or index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

impl Error {
    /// An error without a cause and without a response.
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

    /// Adds the error that caused this one.
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// An error that the service returned.
    pub fn service(name: impl Into<Cow<'static, str>>, message: &str, status: u16) -> Self {
        Self { status: Some(status), ..Self::new(Kind::Service(name.into()), first_line(message)) }
    }

    /// A successful response that is not one of DynamoDB's.
    pub fn invalid_response() -> Self {
        Self::new(Kind::Network, "the response is not valid DynamoDB JSON")
    }

    /// The error of this crate among `error` and its sources, for errors that passed through the AWS SDK.
    pub fn find_in(error: &(dyn error::Error + 'static)) -> Option<Self> {
        sources(error).find_map(|source| source.downcast_ref::<Self>()).cloned()
    }

    /// Marks the error as one that a retry cannot help with.
    pub fn permanent(self) -> Self {
        Self { is_permanent: true, ..self }
    }

    /// Adds the request that failed.
    pub fn during(self, operation: &'static str) -> Self {
        Self { operation: Some(operation), ..self }
    }

    /// Whether the service returned an error with this name.
    pub fn is_service(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Service(code) if code == name)
    }

    /// Whether the table is missing, or not yet ACTIVE.
    pub fn is_missing_table(&self) -> bool {
        self.is_service("ResourceNotFoundException")
    }

    /// Whether the service or the connection failed, rather than the request.
    pub fn is_server_fault(&self) -> bool {
        match &self.kind {
            Kind::Service(_) => self.status.is_some_and(|status| status >= 500),
            Kind::Timeout | Kind::Network | Kind::Internal => true,
            _ => false,
        }
    }

    /// The messages of the source and its sources, outermost first.
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

/// An error and its sources, from outer to inner.
pub fn sources<'e>(
    error: &'e (dyn error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// The messages of `error` and its sources, as `outer: inner`.
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

/// The message of the innermost source, which is the actual problem, such as "Connection refused".
pub fn innermost(error: &(dyn error::Error + 'static)) -> String {
    let last = sources(error).last().unwrap_or(error);
    last.downcast_ref::<Error>().map_or_else(|| last.to_string(), |ours| ours.message.clone())
}

/// The message of a signature error continues with the canonical request, which contains the session token.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_message_ends_before_the_canonical_request() {
        let error = Error::service(
            "InvalidSignatureException",
            "The signature does not match.\n\nx-amz-security-token:secret",
            400,
        );
        assert_eq!(error.message, "The signature does not match.");
        assert_eq!(error.kind.code(), "InvalidSignatureException");
    }

    #[test]
    fn causes_are_listed_once_from_outer_to_inner() {
        let inner = Error::new(Kind::Network, "refused");
        let outer = Error::new(Kind::Credentials, "no credentials").with_source(inner);
        assert_eq!(outer.causes().as_deref(), Some("NetworkError: refused"));
        assert_eq!(innermost(&outer), "refused");
    }
}
