//! Adapts the HTTP client to the AWS SDK, so that both share connections, TLS, and proxy.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient as SdkHttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use super::http::HttpClient;
use super::pool::RequestTimeouts;
use super::send_error::SendError;
use crate::error::{BoxError, Error, Kind, Result};

/// Sends the SDK's requests through `HttpClient`.
#[derive(Clone, Debug)]
pub(crate) struct SdkHttp(pub Arc<HttpClient>);

impl SdkHttpClient for SdkHttp {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            http: Arc::clone(&self.0),
            timeouts: RequestTimeouts {
                connect: settings.connect_timeout(),
                response: settings.read_timeout(),
            },
        })
    }
}

#[derive(Debug)]
struct Connector {
    http: Arc<HttpClient>,
    timeouts: RequestTimeouts,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, timeouts) = (Arc::clone(&self.http), self.timeouts);
        HttpConnectorFuture::new(async move { send(&http, request, timeouts).await })
    }
}

async fn send(
    http: &HttpClient,
    request: HttpRequest,
    timeouts: RequestTimeouts,
) -> Result<HttpResponse, ConnectorError> {
    let user = |error: BoxError| ConnectorError::user(error);
    let (head, body) = request.try_into_http1x().map_err(|error| user(error.into()))?.into_parts();
    let body = body.collect().await.map_err(user)?.to_bytes();
    let uri = head.uri.clone();
    let response = http.send(http::Request::from_parts(head, body), timeouts).await.map_err(|error| {
        let kind = match &error {
            SendError::ConnectTimeout(_) | SendError::ResponseTimeout(_) => ConnectorError::timeout,
            // A retry cannot help if a setting is wrong.
            SendError::Connect(error) if is_config_error(error) => ConnectorError::user,
            SendError::TooLarge => |error| ConnectorError::other(error, None),
            SendError::Connect(_)
            | SendError::NotSent(_)
            | SendError::Exchange(_)
            | SendError::StaleConnection(_) => ConnectorError::io,
        };
        kind(error.into_error(&uri).into())
    })?;
    HttpResponse::try_from(response.map(SdkBody::from))
        .map_err(|error| ConnectorError::other(error.into(), None))
}

fn is_config_error(error: &BoxError) -> bool {
    error.downcast_ref::<Error>().is_some_and(|error| error.kind == Kind::Config)
}
