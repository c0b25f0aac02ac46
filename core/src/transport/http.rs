//! An HTTP/1.1 client with a connection pool for each host. DynamoDB does not support HTTP/2.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};

use super::dns::{Dns, Resolve};
use super::pool::{HostPool, RequestTimeouts, Shared};
use super::send_error::SendError;
use super::tls::Tls;
use crate::environment::SharedEnvironment;
use crate::error::Error;
use crate::stats::Stats;
use crate::sync::lock;

/// An HTTP client that keeps connections to each host open and limits the number of requests in progress.
#[derive(Debug)]
pub struct HttpClient {
    max_connections: usize,
    pools: Mutex<HashMap<Origin, Arc<HostPool>>>,
    shared: Arc<Shared>,
}

type Origin = (Option<Scheme>, Option<Authority>);

impl HttpClient {
    /// A client without connections.
    pub(crate) fn new(
        connect_timeout: Duration,
        max_connections: usize,
        environment: SharedEnvironment,
        resolver: impl Resolve,
    ) -> Self {
        let stats = Arc::default();
        let dns = Dns::new(resolver, Arc::clone(&stats));
        Self {
            max_connections,
            pools: Mutex::default(),
            shared: Arc::new(Shared { connect_timeout, environment, tls: Tls::default(), dns, stats }),
        }
    }

    /// The connection pool for the host of an absolute URI.
    pub(crate) fn pool_for(&self, uri: &Uri) -> Arc<HostPool> {
        let origin = (uri.scheme().cloned(), uri.authority().cloned());
        let new_pool =
            || Arc::new(HostPool::new(uri.clone(), self.max_connections, Arc::clone(&self.shared)));
        Arc::clone(lock(&self.pools).entry(origin).or_insert_with(new_pool))
    }

    /// Sends a request of the AWS SDK, with an absolute URI, and reads the whole response.
    ///
    /// If the server has closed a kept connection, the request is sent again on a different one, so the service
    /// may receive it twice.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
        timeouts: RequestTimeouts,
    ) -> Result<Response<Bytes>, SendError> {
        let slot = self.pool_for(request.uri()).acquire().await?;
        loop {
            match slot.send(request.clone(), timeouts, None::<fn() -> bool>).await {
                Err(SendError::StaleConnection(_)) => self.stats().retries.add(1),
                outcome => return outcome,
            }
        }
    }

    /// The maximum number of connections to each host.
    pub(crate) fn max_connections(&self) -> usize {
        self.max_connections
    }

    /// The counters of the store.
    pub fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    /// A problem that did not prevent a connection.
    pub fn take_warning(&self) -> Option<Error> {
        self.shared.tls.take_warning()
    }

    /// The number of open connections, and how many of them are idle.
    pub fn connection_counts(&self) -> (u64, u64) {
        let idle: usize = lock(&self.pools).values().map(|pool| pool.idle_connections()).sum();
        // A connection may close between the two readings.
        let open = self.stats().open_connections.get();
        (open, open.min(idle as u64))
    }

    /// Closes the idle connections.
    pub(crate) fn close_idle(&self) {
        lock(&self.pools).clear();
    }
}
