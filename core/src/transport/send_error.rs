//! Why a request has no response.

use std::time::Duration;

use http::Uri;
use tokio::sync::AcquireError;

use super::endpoint::port_of;
use crate::error::{BoxError, Error, Kind, innermost};

/// Why a request has no response.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The connection could not be established within this time.
    ConnectTimeout(Duration),
    /// The connection could not be established.
    Connect(BoxError),
    /// A new connection failed before anything of the request was sent.
    NotSent(BoxError),
    /// The response did not arrive within this time.
    ResponseTimeout(Duration),
    /// The connection failed during the request or the response.
    Exchange(BoxError),
    /// The server closed a kept connection instead of responding. It may have received the request.
    StaleConnection(BoxError),
    /// The response is too large for a DynamoDB response.
    TooLarge,
}

impl From<AcquireError> for SendError {
    fn from(closed: AcquireError) -> Self {
        Self::Connect(closed.into())
    }
}

impl SendError {
    /// Whether the server may have received the request.
    pub(crate) fn may_have_been_sent(&self) -> bool {
        match self {
            Self::ConnectTimeout(_) | Self::Connect(_) | Self::NotSent(_) => false,
            Self::ResponseTimeout(_) | Self::Exchange(_) | Self::StaleConnection(_) | Self::TooLarge => true,
        }
    }

    /// The error of a request to the host of `uri`.
    pub(crate) fn into_error(self, uri: &Uri) -> Error {
        let host = host_and_port(uri);
        match self {
            Self::ConnectTimeout(limit) => {
                Error::new(Kind::Timeout, format!("no connection to {host} within {limit:?}"))
            }
            Self::ResponseTimeout(limit) => {
                Error::new(Kind::Timeout, format!("no response from {host} within {limit:?}"))
            }
            Self::Connect(error) => match error.downcast::<Error>() {
                Ok(ours) if ours.kind != Kind::Network => *ours,
                network => {
                    let error = network.map_or_else(|error| error, |ours| ours as BoxError);
                    let message = format!("cannot connect to {host}: {}", innermost(&*error));
                    Error::new(Kind::Network, message).with_source(error)
                }
            },
            Self::NotSent(error) | Self::Exchange(error) | Self::StaleConnection(error) => {
                Error::new(Kind::Network, format!("the connection to {host} failed")).with_source(error)
            }
            Self::TooLarge => Error::new(Kind::Network, "the response is larger than 16 MB"),
        }
    }
}

/// The host and the port of a URI, without a user name and password.
pub(super) fn host_and_port(uri: &Uri) -> String {
    format!("{}:{}", uri.host().unwrap_or_default(), port_of(uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_omits_the_password() {
        for (uri, expected) in [
            ("https://dynamodb.eu-west-1.amazonaws.com/", "dynamodb.eu-west-1.amazonaws.com:443"),
            ("http://localhost", "localhost:80"),
            ("http://user:secret@127.0.0.1:8000/base", "127.0.0.1:8000"),
            ("https://[::1]:8443/", "[::1]:8443"),
        ] {
            assert_eq!(host_and_port(&uri.parse().unwrap()), expected);
        }
    }
}
