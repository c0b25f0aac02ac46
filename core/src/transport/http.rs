//! Pooled HTTP/1.1: DynamoDB does not support HTTP/2.

use std::collections::HashMap;
use std::error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use tokio::sync::AcquireError;

use super::dns::{Dns, Resolve};
use super::pool::{Host, Slot};
use super::tls::Tls;
use crate::environment::SharedEnvironment;
use crate::error::Error;
use crate::stats::Stats;
use crate::sync::lock;

pub type BoxError = Box<dyn error::Error + Send + Sync>;

/// The limits of a request. They apply from the moment when it has a connection slot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// Resolving, connecting, and TLS; the client's own limit if absent.
    pub connect: Option<Duration>,
    /// The request and its whole response, connecting included.
    pub response: Option<Duration>,
}

/// Why there is no response.
#[derive(Debug)]
pub enum Failure {
    /// The connection could not be established within this time.
    ConnectTimeout(Duration),
    /// The response did not arrive within this time.
    ResponseTimeout(Duration),
    /// The connection could not be established; the request was not sent.
    Connect(BoxError),
    /// The connection failed during the request or the response.
    Exchange(BoxError),
    /// The server closed a kept connection instead of answering the request, which it may have received.
    Stale(BoxError),
    /// The response is too large for a DynamoDB response.
    TooLarge,
}

impl From<AcquireError> for Failure {
    fn from(closed: AcquireError) -> Self {
        Self::Connect(closed.into())
    }
}

/// An HTTP client that keeps connections by host and limits the number of requests in progress.
#[derive(Debug)]
pub struct HttpClient {
    max_connections: usize,
    hosts: Mutex<HashMap<Origin, Arc<Host>>>,
    shared: Arc<Shared>,
}

type Origin = (Option<Scheme>, Option<Authority>);

/// What all hosts use.
#[derive(Debug)]
pub struct Shared {
    pub connect_timeout: Duration,
    /// Names proxies and certificates.
    pub environment: SharedEnvironment,
    pub tls: Tls,
    pub dns: Dns,
    pub stats: Arc<Stats>,
}

impl HttpClient {
    pub fn new(
        connect_timeout: Duration,
        max_connections: usize,
        environment: SharedEnvironment,
        resolver: impl Resolve,
    ) -> Self {
        let stats = Arc::default();
        let dns = Dns::new(resolver, Arc::clone(&stats));
        Self {
            max_connections,
            hosts: Mutex::default(),
            shared: Arc::new(Shared { connect_timeout, environment, tls: Tls::default(), dns, stats }),
        }
    }

    /// The connections to the host of an absolute URI.
    pub fn host(&self, uri: &Uri) -> Arc<Host> {
        let origin = (uri.scheme().cloned(), uri.authority().cloned());
        let new_host = || Arc::new(Host::new(uri.clone(), self.max_connections, Arc::clone(&self.shared)));
        Arc::clone(lock(&self.hosts).entry(origin).or_insert_with(new_host))
    }

    /// Sends a request with an absolute URI and reads the whole response. Without a slot, it waits for one.
    ///
    /// If the server has closed a kept connection, the request is sent again on another one. The service may
    /// therefore receive it twice.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        bounds: Bounds,
        slot: Option<Slot>,
    ) -> Result<Response<Bytes>, Failure> {
        let slot = match slot {
            Some(slot) => slot,
            None => self.host(request.uri()).acquire().await?,
        };
        loop {
            match slot.send(request.clone(), bounds, None::<fn() -> bool>).await {
                Err(Failure::Stale(_)) => self.stats().retries.add(1),
                outcome => return outcome,
            }
        }
    }

    pub fn max_connections(&self) -> usize {
        self.max_connections
    }

    pub fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    /// What went wrong with a connection that could be opened nevertheless.
    pub fn take_warning(&self) -> Option<Error> {
        self.shared.tls.take_warning()
    }

    /// How many connections are open, and how many of those are not in use.
    pub fn pool(&self) -> (u64, u64) {
        let idle: usize = lock(&self.hosts).values().map(|host| host.idle_connections()).sum();
        // A connection may end between the two readings.
        let open = self.stats().open_connections.get();
        (open, open.min(idle as u64))
    }

    /// Closes the connections that are idle.
    pub fn close_idle(&self) {
        lock(&self.hosts).clear();
    }
}
