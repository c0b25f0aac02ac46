//! Pooled HTTP/1.1: DynamoDB speaks no HTTP/2.

use std::collections::HashMap;
use std::error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::connect::connect;
use super::endpoint::host_of;
use crate::environment::SharedEnvironment;
use crate::stats::Stats;

pub type BoxError = Box<dyn error::Error + Send + Sync>;

/// Shorter than servers and the load balancers between keep an idle connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// DynamoDB answers at most 1 MB of items, and never this much.
const LARGEST_RESPONSE: usize = 16 * 1024 * 1024;

/// The bounds of a request, counted from when a connection is free for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// Resolving, connecting and TLS; the client's own when absent.
    pub connect: Option<Duration>,
    /// The request and its whole response, connecting included.
    pub response: Option<Duration>,
}

/// Why there is no response.
#[derive(Debug)]
pub enum Failure {
    /// No connection was made within the time allowed for it.
    ConnectTimeout(Duration),
    /// No response came within the time allowed for it.
    ResponseTimeout(Duration),
    /// No connection could be made; the request was not sent.
    Connect(BoxError),
    /// The connection failed while the request or the response was under way.
    Exchange(BoxError),
    /// The response is too large to be DynamoDB's.
    TooLarge,
}

/// An HTTP client: connections kept by host, a bounded number of requests under way at a time.
#[derive(Debug)]
pub struct HttpClient {
    connect_timeout: Duration,
    max_connections: usize,
    /// Names proxies and certificates.
    environment: SharedEnvironment,
    hosts: Mutex<HashMap<Origin, Arc<Host>>>,
    stats: Arc<Stats>,
}

type Origin = (Option<Scheme>, Option<Authority>);

#[derive(Debug)]
struct Host {
    permits: Semaphore,
    /// The one used last at the end.
    idle: Mutex<Vec<Idle>>,
    environment: SharedEnvironment,
    stats: Arc<Stats>,
}

#[derive(Debug)]
struct Idle {
    sender: Sender,
    since: Instant,
}

type Sender = SendRequest<Full<Bytes>>;

impl HttpClient {
    pub fn new(connect_timeout: Duration, max_connections: usize, environment: SharedEnvironment) -> Self {
        Self { connect_timeout, max_connections, environment, hosts: Mutex::default(), stats: Arc::default() }
    }

    /// Sends a request with an absolute URI and reads the whole response.
    ///
    /// A kept connection that turns out to be closed is not a failure: the request goes out again on
    /// another one. It may therefore reach the service twice.
    pub async fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Result<Response<Bytes>, Failure> {
        let (mut head, body) = request.into_parts();
        let uri = to_origin_form(&mut head);
        let host = self.host(&uri);
        let _permit = host.permits.acquire().await.map_err(|closed| Failure::Connect(closed.into()))?;
        self.stats.bytes_sent.add(body.len());
        let connect_timeout = bounds.connect.unwrap_or(self.connect_timeout);
        let sending = send_on(&host, &uri, head, body, connect_timeout);
        let response = match bounds.response {
            Some(limit) => timeout(limit, sending).await.unwrap_or_else(|_| {
                // Where a connection died without a word, those kept beside it may have too.
                lock(&host.idle).clear();
                Err(Failure::ResponseTimeout(limit))
            }),
            None => sending.await,
        }?;
        self.stats.bytes_received.add(response.body().len());
        Ok(response)
    }

    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Kept connections; some may have been closed by the server meanwhile.
    pub fn idle_connections(&self) -> usize {
        lock(&self.hosts).values().map(|host| lock(&host.idle).len()).sum()
    }

    /// Closes the connections that are idle.
    pub fn close_idle(&self) {
        lock(&self.hosts).clear();
    }

    fn host(&self, uri: &Uri) -> Arc<Host> {
        let origin = (uri.scheme().cloned(), uri.authority().cloned());
        let new_host = || {
            Arc::new(Host {
                permits: Semaphore::new(self.max_connections),
                idle: Mutex::default(),
                environment: self.environment.clone(),
                stats: Arc::clone(&self.stats),
            })
        };
        Arc::clone(lock(&self.hosts).entry(origin).or_insert_with(new_host))
    }
}

impl Host {
    fn take_idle(&self) -> Option<Sender> {
        let mut idle = lock(&self.idle);
        while let Some(Idle { sender, since }) = idle.pop() {
            if since.elapsed() > IDLE_TIMEOUT {
                // Those below it have waited longer.
                idle.clear();
            } else if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    fn keep(&self, sender: Sender) {
        if !sender.is_closed() {
            lock(&self.idle).push(Idle { sender, since: Instant::now() });
        }
    }
}

async fn send_on(
    host: &Host,
    uri: &Uri,
    head: http::request::Parts,
    body: Bytes,
    connect_timeout: Duration,
) -> Result<Response<Bytes>, Failure> {
    loop {
        let kept = host.take_idle();
        let reused = kept.is_some();
        let mut sender = match kept {
            Some(sender) => sender,
            None => Box::pin(open(host, uri, connect_timeout)).await?,
        };
        let request = Request::from_parts(head.clone(), Full::new(body.clone()));
        match exchange(&mut sender, request).await {
            Ok(response) => {
                host.keep(sender);
                return Ok(response);
            }
            Err(Failure::Exchange(error)) if reused && is_closed(&error) => {}
            Err(failure) => return Err(failure),
        }
    }
}

/// Leaves the path to the request line and the host to its header; returns the absolute URI.
fn to_origin_form(head: &mut http::request::Parts) -> Uri {
    let path = head.uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    let uri = std::mem::replace(&mut head.uri, path);
    if !head.headers.contains_key(HOST)
        && let Some(host) = host_of(&uri).and_then(|host| host.try_into().ok())
    {
        head.headers.insert(HOST, host);
    }
    uri
}

async fn open(host: &Host, uri: &Uri, limit: Duration) -> Result<Sender, Failure> {
    let opening = async {
        let connection = connect(uri, &host.environment.get()).await?;
        Ok::<_, BoxError>(http1::handshake(connection).await?)
    };
    let (sender, connection) = timeout(limit, opening)
        .await
        .map_err(|_| Failure::ConnectTimeout(limit))?
        .map_err(Failure::Connect)?;
    // What goes wrong with the connection is told to the request that it carries.
    let stats = Arc::clone(&host.stats);
    stats.open_connections.add(1);
    tokio::spawn(async move {
        drop(connection.await);
        stats.open_connections.subtract(1);
    });
    Ok(sender)
}

async fn exchange(sender: &mut Sender, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Failure> {
    let failed = |error: hyper::Error| Failure::Exchange(error.into());
    sender.ready().await.map_err(failed)?;
    let (head, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
    match Limited::new(body, LARGEST_RESPONSE).collect().await {
        Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::TooLarge),
        // The request was read and answered, so this is no matter of a connection kept too long.
        Err(error) => Err(Failure::Exchange(format!("the response ended early: {error}").into())),
    }
}

/// The server closed the connection before it answered anything.
fn is_closed(error: &BoxError) -> bool {
    let Some(error) = error.downcast_ref::<hyper::Error>() else {
        return false;
    };
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

/// A panic while the lock was held left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
