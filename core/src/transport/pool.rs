//! The connections to one host.

use std::error;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::HOST;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Body as _;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::sync::{AcquireError, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::connect::connect;
use super::dns::Dns;
use super::endpoint::host_of;
use super::send_error::SendError;
use super::tls::Tls;
use crate::environment::SharedEnvironment;
use crate::error::BoxError;
use crate::stats::{OpenConnection, Stats};
use crate::sync::lock;

/// Servers and load balancers keep idle connections open longer than this.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// DynamoDB returns at most 1 MB of items, so its responses are never this large.
const LARGEST_RESPONSE: usize = 16 * 1024 * 1024;
/// A connection that was idle for this long may have died silently.
const DOUBTFUL_AFTER: Duration = Duration::from_secs(2);
/// The minimum time to wait for a response on a doubtful connection before a backup request.
const BACKUP_AFTER: Duration = Duration::from_millis(250);

/// The time limits of a request. They apply once it has a connection slot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestTimeouts {
    /// For DNS, connecting, and TLS; by default the client's own limit.
    pub connect: Option<Duration>,
    /// For the request and its whole response, including connecting.
    pub response: Option<Duration>,
}

/// What all hosts of a client share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub connect_timeout: Duration,
    /// Names proxies and certificates.
    pub environment: SharedEnvironment,
    pub tls: Tls,
    pub dns: Dns,
    pub stats: Arc<Stats>,
}

/// The connections to one host.
#[derive(Debug)]
pub(crate) struct HostPool {
    /// An absolute URI on the host.
    uri: Uri,
    slots: Semaphore,
    /// The most recently used connection is last.
    idle: Mutex<Vec<Idle>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
    /// The duration of the last exchange.
    took: Duration,
}

/// The right to use one connection to a host.
#[derive(Debug)]
pub(crate) struct Slot(Arc<HostPool>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.slots.add_permits(1);
    }
}

impl HostPool {
    pub(crate) fn new(uri: Uri, max_connections: usize, shared: Arc<Shared>) -> Self {
        Self { uri, slots: Semaphore::new(max_connections), idle: Mutex::default(), shared }
    }

    /// Returns a connection slot if one is free and no request waits for it.
    pub(crate) fn try_acquire(self: &Arc<Self>) -> Option<Slot> {
        self.slots.try_acquire().ok()?.forget();
        Some(Slot(Arc::clone(self)))
    }

    /// Waits for a connection slot. Requests get slots in the order of their calls.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<Slot, AcquireError> {
        self.slots.acquire().await?.forget();
        Ok(Slot(Arc::clone(self)))
    }

    pub(crate) fn idle_connections(&self) -> usize {
        lock(&self.idle).iter().filter(|idle| !idle.connection.sender.is_closed()).count()
    }

    fn take_idle(&self, now: Instant) -> Option<Idle> {
        let mut idle = lock(&self.idle);
        while let Some(last) = idle.pop() {
            if now.duration_since(last.since) > IDLE_TIMEOUT {
                // The ones before it have been idle even longer.
                idle.clear();
            } else if !last.connection.sender.is_closed() {
                return Some(last);
            }
        }
        None
    }

    /// Closes the kept connections that have been idle for at least `age`.
    fn close_idle_for(&self, age: Duration) {
        let now = Instant::now();
        lock(&self.idle).retain(|idle| now.duration_since(idle.since) < age);
    }

    fn keep(&self, connection: Connection, start: Instant) {
        if !connection.sender.is_closed() {
            let since = Instant::now();
            lock(&self.idle).push(Idle { connection, since, took: since.duration_since(start) });
        }
    }

    async fn open(&self, timeouts: RequestTimeouts) -> Result<Connection, SendError> {
        let limit = timeouts.connect.unwrap_or(self.shared.connect_timeout);
        let opening = async {
            let time = timeouts.response.map_or(limit, |response| response.min(limit));
            let Shared { environment, tls, dns, .. } = &*self.shared;
            let connection = connect(&self.uri, &environment.get(), tls, dns, time).await?;
            Ok::<_, BoxError>(http1::handshake(connection).await?)
        };
        let (sender, connection) = timeout(limit, opening)
            .await
            .map_err(|_| SendError::ConnectTimeout(limit))?
            .map_err(SendError::Connect)?;
        let counted = OpenConnection::new(&self.shared.stats);
        // Errors of the connection reach the request that uses it.
        let task = tokio::spawn(async move {
            drop(connection.await);
            drop(counted);
        });
        Ok(Connection { sender, task: task.abort_handle(), is_busy: false })
    }
}

impl Slot {
    /// Sends a request to the host and reads the whole response.
    ///
    /// With `backup`, a request may be sent a second time, on a different connection. This happens if the first
    /// connection had been idle for some seconds, no response arrives for a while, a slot is free, and `backup` returns
    /// true. The first response wins.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
        timeouts: RequestTimeouts,
        backup: Option<impl FnOnce() -> bool>,
    ) -> Result<Response<Bytes>, SendError> {
        let mut request = request.map(Full::new);
        to_origin_form(&mut request);
        let now = Instant::now();
        let sending = async {
            match (self.0.take_idle(now), backup) {
                (Some(kept), Some(backup)) if now.duration_since(kept.since) >= DOUBTFUL_AFTER => {
                    // Boxed because it is rare: otherwise it would enlarge the future of every operation.
                    Box::pin(self.exchange_with_backup(kept, request, timeouts, backup)).await
                }
                (kept, _) => self.exchange(kept, request, timeouts, now).await,
            }
        };
        let response = match timeouts.response {
            Some(limit) => timeout(limit, sending).await.unwrap_or_else(|_| {
                // If this connection died silently, the kept ones may have died too.
                self.0.close_idle_for(Duration::ZERO);
                Err(SendError::ResponseTimeout(limit))
            }),
            None => sending.await,
        }?;
        self.0.shared.stats.bytes_received.add(response.body().len());
        Ok(response)
    }

    /// Sends the request on a kept connection, or on a new one.
    async fn exchange(
        &self,
        mut kept: Option<Idle>,
        mut request: Request<Full<Bytes>>,
        timeouts: RequestTimeouts,
        mut start: Instant,
    ) -> Result<Response<Bytes>, SendError> {
        let pool = &*self.0;
        loop {
            let is_kept = kept.is_some();
            let mut connection = match kept.take() {
                Some(kept) => kept.connection,
                None => {
                    let opened = Box::pin(pool.open(timeouts)).await?;
                    start = Instant::now();
                    opened
                }
            };
            match connection.exchange(request, &pool.shared).await {
                Ok(response) => {
                    pool.keep(connection, start);
                    return Ok(response);
                }
                Err(ExchangeError::Unsent(unsent)) if is_kept => {
                    request = unsent.0;
                    kept = pool.take_idle(start);
                }
                Err(ExchangeError::Unsent(unsent)) => return Err(SendError::NotSent(unsent.1.into())),
                Err(ExchangeError::Sent(error)) if is_kept && is_closed(&error) => {
                    return Err(SendError::StaleConnection(error.into()));
                }
                Err(ExchangeError::Sent(error)) => return Err(SendError::Exchange(error.into())),
                Err(ExchangeError::Response(failure)) => return Err(failure),
            }
        }
    }

    /// Sends the request on a connection that may have died silently and, if no response arrives, on a different one.
    async fn exchange_with_backup(
        &self,
        kept: Idle,
        request: Request<Full<Bytes>>,
        timeouts: RequestTimeouts,
        backup: impl FnOnce() -> bool,
    ) -> Result<Response<Bytes>, SendError> {
        // On a slow network, do not send every read twice.
        let patience = BACKUP_AFTER.max(kept.took * 2);
        let copy = request.clone();
        let start = Instant::now();
        let mut first = pin!(self.exchange(Some(kept), request, timeouts, start));
        if let Ok(outcome) = timeout(patience, &mut first).await {
            return outcome;
        }
        let Some(slot) = self.0.try_acquire().filter(|_| backup()) else {
            return first.await;
        };
        let start = Instant::now();
        let recent = self.0.take_idle(start).filter(|kept| start.duration_since(kept.since) < DOUBTFUL_AFTER);
        let second = pin!(slot.exchange(recent, copy, timeouts, start));
        match select(first, second).await {
            Either::Left((Err(failure), second)) => second.await.map_err(|_| failure),
            Either::Right((Err(_), first)) => first.await,
            Either::Left((response, _)) => response,
            Either::Right((response, _)) => {
                // Other connections that were idle as long may have died too.
                self.0.close_idle_for(DOUBTFUL_AFTER);
                response
            }
        }
    }
}

/// An open connection. Dropping it closes it.
#[derive(Debug)]
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    task: AbortHandle,
    is_busy: bool,
}

/// Aborts the task if a request is in progress, because it might wait for the server forever. The task of an idle
/// connection ends when its sender is dropped.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_busy {
            self.task.abort();
        }
    }
}

/// Why an exchange has no response.
enum ExchangeError {
    /// The request was not sent, and can be sent on a different connection.
    Unsent(Box<(Request<Full<Bytes>>, hyper::Error)>),
    Sent(hyper::Error),
    Response(SendError),
}

impl Connection {
    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        shared: &Shared,
    ) -> Result<Response<Bytes>, ExchangeError> {
        self.is_busy = true;
        if let Err(error) = self.sender.ready().await {
            return Err(ExchangeError::Unsent(Box::new((request, error))));
        }
        let length = request.body().size_hint().lower();
        shared.stats.bytes_sent.add(usize::try_from(length).unwrap_or_default());
        let sent = self.sender.try_send_request(request).await;
        let (head, body) = sent
            .map_err(|mut failed| match failed.take_message() {
                Some(request) => ExchangeError::Unsent(Box::new((request, failed.into_error()))),
                None => ExchangeError::Sent(failed.into_error()),
            })?
            .into_parts();
        match Limited::new(body, LARGEST_RESPONSE).collect().await {
            Ok(body) => {
                self.is_busy = false;
                Ok(Response::from_parts(head, body.to_bytes()))
            }
            Err(error) if error.is::<LengthLimitError>() => Err(ExchangeError::Response(SendError::TooLarge)),
            Err(error) => {
                let message = format!("the response ended early: {error}");
                Err(ExchangeError::Response(SendError::Exchange(message.into())))
            }
        }
    }
}

/// Reduces the request line to the path, and moves the host to the `Host` header.
fn to_origin_form(request: &mut Request<Full<Bytes>>) {
    let path = request.uri().path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    let uri = std::mem::replace(request.uri_mut(), path);
    if !request.headers().contains_key(HOST)
        && let Some(host) = host_of(&uri).and_then(|host| host.try_into().ok())
    {
        request.headers_mut().insert(HOST, host);
    }
}

/// Whether the server closed the connection instead of responding.
fn is_closed(error: &hyper::Error) -> bool {
    let io = error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    error.is_canceled()
        || error.is_closed()
        || error.is_incomplete_message()
        || io.is_some_and(|io| {
            use std::io::ErrorKind::{
                BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
            };
            matches!(
                io.kind(),
                BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof
            )
        })
}
