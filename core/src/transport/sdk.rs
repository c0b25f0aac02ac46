//! The HTTP client as the AWS SDK wants it, so that one TLS stack, proxy and trust serve both planes.

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

use super::http::{Bounds, BoxError, Failure, HttpClient};
use crate::error::Error;

/// Sends the SDK's requests through `HttpClient`.
#[derive(Clone, Debug)]
pub struct SdkHttp(pub Arc<HttpClient>);

impl SdkHttpClient for SdkHttp {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            http: Arc::clone(&self.0),
            bounds: Bounds { connect: settings.connect_timeout(), response: settings.read_timeout() },
        })
    }
}

#[derive(Debug)]
struct Connector {
    http: Arc<HttpClient>,
    bounds: Bounds,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, bounds) = (Arc::clone(&self.http), self.bounds);
        HttpConnectorFuture::new(async move { send(&http, request, bounds).await })
    }
}

async fn send(
    http: &HttpClient,
    request: HttpRequest,
    bounds: Bounds,
) -> Result<HttpResponse, ConnectorError> {
    let user = |error: BoxError| ConnectorError::user(error);
    let (head, body) = request.try_into_http1x().map_err(|error| user(error.into()))?.into_parts();
    let body = body.collect().await.map_err(user)?.to_bytes();
    let response =
        http.send(http::Request::from_parts(head, body), bounds).await.map_err(|failure| match failure {
            Failure::ConnectTimeout(_) => ConnectorError::timeout("the connect timeout passed".into()),
            Failure::ResponseTimeout(_) => ConnectorError::timeout("the read timeout passed".into()),
            // A wrong setting stays wrong in the next attempt.
            Failure::Connect(error) if error.is::<Error>() => ConnectorError::user(error),
            Failure::Connect(error) | Failure::Exchange(error) | Failure::Stale(error) => {
                ConnectorError::io(error)
            }
            Failure::TooLarge => ConnectorError::other("the response is too large".into(), None),
        })?;
    HttpResponse::try_from(response.map(SdkBody::from))
        .map_err(|error| ConnectorError::other(error.into(), None))
}
