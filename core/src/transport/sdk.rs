//! Adapts the HTTP client to the AWS SDK, so that both planes share its connections, TLS, and proxy.

use std::cell::RefCell;
use std::sync::Arc;

use aws_sdk_dynamodb::config::endpoint::{EndpointFuture, Params, ResolveEndpoint};
use aws_smithy_runtime_api::client::http::{
    HttpClient as SdkHttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use super::EndpointResolver;
use super::http::{Bounds, BoxError, Failure, HttpClient};
use super::into_error;
use super::pool::Slot;
use crate::aws::sdk_error::unintelligible;
use crate::error::{Error, Kind, Result};

tokio::task_local! {
    /// The connection of the next request.
    static NEXT: RefCell<Next>;
}

#[derive(Default)]
enum Next {
    #[default]
    Unassigned,
    Waits,
    Has(Slot),
}

/// Runs requests of the SDK, one after the other. Each one waits for its connection before the SDK signs it.
pub async fn connected<T>(requests: impl Future<Output = Result<T>>) -> Result<T> {
    let requests = async {
        requests.await.map_err(|error| match NEXT.with(RefCell::take) {
            Next::Waits if error.kind == Kind::Timeout => {
                Error::new(Kind::Timeout, "no free connection within the timeout (option maxConnections)")
            }
            _ => error,
        })
    };
    NEXT.scope(RefCell::default(), requests).await
}

/// Tells the SDK the endpoint, for which it asks right before it signs a request, and waits for a connection to it.
#[derive(Debug)]
pub struct SdkEndpoints {
    pub endpoints: EndpointResolver,
    pub http: Arc<HttpClient>,
}

impl ResolveEndpoint for SdkEndpoints {
    fn resolve_endpoint<'a>(&'a self, parameters: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::new(async move {
            let endpoint = self.endpoints.resolve_endpoint(parameters).await?;
            if NEXT.try_with(|next| next.replace(Next::Waits)).is_ok() {
                let slot = self.http.host(&endpoint.url().parse()?).acquire().await?;
                NEXT.with(|next| next.replace(Next::Has(slot)));
            }
            Ok(endpoint)
        })
    }
}

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
        let slot = match NEXT.try_with(RefCell::take) {
            Ok(Next::Has(slot)) => Some(slot),
            _ => None,
        };
        HttpConnectorFuture::new(async move { send(&http, slot, request, bounds).await })
    }
}

/// Sends a request of the SDK. Requests that are not DynamoDB's, such as those for credentials, have no slot yet.
async fn send(
    http: &HttpClient,
    slot: Option<Slot>,
    request: HttpRequest,
    bounds: Bounds,
) -> Result<HttpResponse, ConnectorError> {
    let user = |error: BoxError| ConnectorError::user(error);
    let (head, body) = request.try_into_http1x().map_err(|error| user(error.into()))?.into_parts();
    let body = body.collect().await.map_err(user)?.to_bytes();
    let uri = head.uri.clone();
    let is_for_dynamodb = slot.is_some();
    let response =
        http.send(http::Request::from_parts(head, body), bounds, slot).await.map_err(|failure| {
            let kind = match &failure {
                Failure::ConnectTimeout(_) | Failure::ResponseTimeout(_) => ConnectorError::timeout,
                // A wrong setting stays wrong in the next attempt.
                Failure::Connect(error) if is_setting(error) => ConnectorError::user,
                Failure::Connect(_) | Failure::Exchange(_) | Failure::Stale(_) => ConnectorError::io,
                Failure::TooLarge => |error| ConnectorError::other(error, None),
            };
            kind(into_error(failure, &uri).into())
        })?;
    // The SDK takes an empty body for an object without members.
    if is_for_dynamodb && response.status().is_success() && !is_object(response.body()) {
        return Err(ConnectorError::io(unintelligible().into()));
    }
    HttpResponse::try_from(response.map(SdkBody::from))
        .map_err(|error| ConnectorError::other(error.into(), None))
}

fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().starts_with(b"{")
}

fn is_setting(error: &BoxError) -> bool {
    error.downcast_ref::<Error>().is_some_and(|error| error.kind == Kind::Config)
}
