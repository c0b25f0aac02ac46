//! Opens a connection to a host: directly or through a proxy, and with TLS.

use std::future::{Ready, ready};
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;
use tower_service::Service;

use super::dns::Dns;
use super::proxy::proxy_for;
use super::tcp::dial;
use super::tls::Tls;
use crate::environment::Environment;
use crate::error::BoxError;

/// A connection, without or with TLS.
pub(super) type Connection = TokioIo<Either<TcpStream, Box<TlsStream<TcpStream>>>>;

/// Connects to the host of `uri`, over TLS if its scheme is https. `limit` is the time that this may take.
pub(super) async fn connect(
    uri: &Uri,
    environment: &Environment,
    tls: &Tls,
    dns: &Dns,
    limit: Duration,
) -> Result<Connection, BoxError> {
    if uri.scheme_str() != Some("https") {
        let (stream, confirm) = dial(uri, dns, limit).await?.into_parts(dns);
        confirm();
        return Ok(TokioIo::new(Either::Left(stream)));
    }
    let proxy = proxy_for(uri, environment)?;
    let config = tls.config(environment, limit).await?;
    let dialed = dial(proxy.as_ref().map_or(uri, |proxy| &proxy.uri), dns, limit).await?;
    let (stream, confirm) = dialed.into_parts(dns);
    let stream = TokioIo::new(stream);
    let stream = match proxy {
        Some(proxy) => {
            let mut tunnel = Tunnel::new(proxy.uri, Connected(Some(stream)));
            if let Some(authorization) = proxy.authorization {
                tunnel = tunnel.with_auth(authorization);
            }
            tunnel.call(uri.clone()).await?
        }
        None => stream,
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned())?;
    let stream = TlsConnector::from(config).connect(name, stream.into_inner()).await?;
    confirm();
    Ok(TokioIo::new(Either::Right(Box::new(stream))))
}

/// An open connection to a proxy, in the form that `Tunnel` expects.
struct Connected(Option<TokioIo<TcpStream>>);

impl Service<Uri> for Connected {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _proxy: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}
