//! Looks up the addresses of hosts, and remembers the last working addresses in case DNS fails.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Kind, Result};
use crate::runtime::guard;
use crate::stats::Stats;
use crate::sync::lock;

/// While DNS fails, the last working addresses are used for at most this long.
const LONGEST_OUTAGE: Duration = Duration::from_hours(24);

/// Resolves host names.
pub trait Resolve: Send + Sync + 'static {
    /// The IP addresses of a host.
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The operating system's resolver. It blocks, so each lookup runs on a thread of the runtime's pool.
#[derive(Debug)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) }
            .boxed()
    }
}

/// Looks up host names. Concurrent lookups of the same name share one call of the resolver.
pub(crate) struct Dns {
    resolver: Box<dyn Resolve>,
    hosts: Mutex<HashMap<String, HostState>>,
    stats: Arc<Stats>,
}

#[derive(Default)]
struct HostState {
    running: Option<(Instant, Lookup)>,
    /// The addresses of the last connection that was established after a successful lookup.
    worked: Vec<IpAddr>,
    failing_since: Option<Instant>,
}

/// A lookup in progress. It continues even if the requests that wait for it give up.
pub(crate) type Lookup = Shared<BoxFuture<'static, Result<Vec<IpAddr>>>>;

/// The addresses of a host.
pub(crate) enum Addresses {
    Resolved(Vec<IpAddr>),
    /// The last addresses that worked, because the lookup failed or did not finish in time.
    Remembered(Vec<IpAddr>, Lookup),
}

impl Dns {
    pub(crate) fn new(resolver: impl Resolve, stats: Arc<Stats>) -> Self {
        Self { resolver: Box::new(resolver), hosts: Mutex::default(), stats }
    }

    /// The addresses of a host. If some addresses have worked before, a lookup that takes longer than `patience` counts as
    /// failed.
    pub(crate) async fn addresses(&self, host: &str, patience: Duration) -> Result<Addresses> {
        let now = Instant::now();
        let (started, lookup, worked) = {
            let mut hosts = lock(&self.hosts);
            let state = hosts.entry(host.to_owned()).or_default();
            let (started, lookup) = match &state.running {
                Some((started, running)) if running.peek().is_none() => (*started, running.clone()),
                _ => {
                    let lookup = self.start(host);
                    state.running = Some((now, lookup.clone()));
                    (now, lookup)
                }
            };
            (started, lookup, state.worked.clone())
        };
        let outcome = if worked.is_empty() {
            lookup.clone().await
        } else {
            let slow =
                |_| Err(Error::new(Kind::Network, format!("the DNS lookup of {host} is taking too long")));
            timeout_at(started + patience, lookup.clone()).await.unwrap_or_else(slow)
        };
        let mut hosts = lock(&self.hosts);
        let state = hosts.entry(host.to_owned()).or_default();
        match outcome {
            Ok(addresses) => {
                state.failing_since = None;
                Ok(Addresses::Resolved(addresses))
            }
            Err(error) => {
                let since = *state.failing_since.get_or_insert(started);
                if worked.is_empty() || since.elapsed() > LONGEST_OUTAGE {
                    return Err(error);
                }
                self.stats.dns_fallbacks.add(1);
                Ok(Addresses::Remembered(worked, lookup))
            }
        }
    }

    /// Remembers the addresses of a host after a connection to one of them was established.
    pub(crate) fn remember(&self, host: &str, addresses: Vec<IpAddr>) {
        lock(&self.hosts).entry(host.to_owned()).or_default().worked = addresses;
    }

    fn start(&self, host: &str) -> Lookup {
        let stats = Arc::clone(&self.stats);
        let resolving = self.resolver.resolve(host.to_owned());
        let message = format!("cannot resolve the host name {host}");
        let lookup = guard(async move {
            let error = match resolving.await {
                Ok(addresses) if !addresses.is_empty() => return Ok(addresses),
                Ok(_) => Error::new(Kind::Network, format!("{message}: DNS returned no address")),
                Err(error) => Error::new(Kind::Network, message).with_source(error),
            };
            stats.dns_failures.add(1);
            Err(error)
        });
        let lookup = lookup.boxed().shared();
        tokio::spawn(lookup.clone());
        lookup
    }
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dns").finish_non_exhaustive()
    }
}
