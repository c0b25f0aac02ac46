//! Converts the errors of the AWS SDK.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::error::Error as StdError;

use crate::error::{Error, Kind, sources};
use crate::wire::service_error::service_error;

impl<E> From<SdkError<E, HttpResponse>> for Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let request_id = error.request_id().map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let reported = error.raw_response().and_then(error_of);
        let mut converted = match reported {
            Some(reported) => reported,
            // An error of our own provider, resolver, or HTTP client, returned through the SDK.
            None if let Some(ours) = Error::find_in(&error) => ours,
            None if sources(&error).any(|source| source.is::<CredentialsError>()) => {
                Error::new(Kind::Credentials, "the credentials provider failed").with_source(error)
            }
            // An error that the service reported was converted above, so this response reports success.
            None if matches!(error, SdkError::ResponseError(_) | SdkError::ServiceError(_)) => {
                Error::invalid_response().with_source(error)
            }
            None => {
                let (kind, message) = match &error {
                    SdkError::TimeoutError(_) => (Kind::Timeout, "no successful response within the timeout"),
                    SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                        (Kind::Timeout, "no response within the timeout")
                    }
                    SdkError::DispatchFailure(_) => (Kind::Network, "the connection failed"),
                    _ => (Kind::Internal, "the request could not be built"),
                };
                Error::new(kind, message).with_source(error)
            }
        };
        converted.status = status;
        converted.request_id = request_id;
        converted
    }
}

/// The error that a response reports, if any.
pub(crate) fn error_of(response: &HttpResponse) -> Option<Error> {
    let status = response.status();
    let body = || response.body().bytes().unwrap_or_default();
    let error_type = response.headers().get("x-amzn-errortype");
    (!status.is_success()).then(|| service_error(status.as_u16(), error_type, body()))
}

/// Converts the error of a request of this operation.
pub(crate) fn failed<E>(operation: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    move |error| Error::from(error).during(operation)
}
