//! Connections: their number, their addresses, and failures.

mod support;

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dynamodb_session_core::error::Kind;
use dynamodb_session_core::item::codec::NewItem;
use dynamodb_session_core::store::{Found, Store};
use dynamodb_session_core::transport::CallOptions;
use dynamodb_session_core::transport::dns::Resolve;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use serde_json::json;
use support::{FaultServer, Reaction, empty, store, trace};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

const ITEM: NewItem<'_> = NewItem::new("a", "{}", 9);
/// Longer than an idle connection is trusted.
const SOME_SECONDS: Duration = Duration::from_millis(2100);

fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Waits until `condition` holds.
async fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(5), "the condition does not hold");
        tokio::time::sleep(milliseconds(5)).await;
    }
}

/// A server that accepts connections and reads nothing.
async fn unread() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut streams = Vec::new();
        loop {
            streams.push(listener.accept().await.unwrap());
        }
    });
    endpoint
}

#[tokio::test]
async fn a_write_that_times_out_closes_its_connection() {
    let bounds = json!({ "maxConnections": 4, "attemptTimeout": 100, "maxAttempts": 2 });
    let store = store(&unread().await, bounds);
    let session = "x".repeat(390_000);
    let open = || store.http().connection_counts().0;
    let sets = join_all((0..32).map(async |_| {
        let item = NewItem { session: &session, ..ITEM };
        let error = store.set(item, CallOptions::default(), &mut trace()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Timeout);
        assert!(open() <= 4, "{} connections", open());
    }));
    sets.await;
    until(|| open() == 0).await;
}

#[tokio::test]
async fn requests_are_signed_once_they_have_a_connection() {
    let delay = || Reaction::RespondAfter(milliseconds(1100));
    let server = FaultServer::start([delay(), delay()]).await;
    let store = store(&server.endpoint, json!({ "maxConnections": 1 }));
    join_all((0..2).map(async |_| store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap()))
        .await;
    let dates: Vec<_> =
        server.requests().iter().map(|request| request.header("x-amz-date").unwrap().to_owned()).collect();
    assert_ne!(dates[0], dates[1]);
}

#[tokio::test]
async fn an_operation_that_never_gets_a_connection_has_no_attempts() {
    let server = FaultServer::start([Reaction::RespondAfter(milliseconds(400))]).await;
    let store = store(&server.endpoint, json!({ "maxConnections": 1, "timeout": 500 }));
    let mut waiting = trace();
    // Only 100 ms are left.
    let late = CallOptions { started: (Instant::now() - milliseconds(400)).into(), ..CallOptions::default() };
    let (first, error) =
        tokio::join!(async { store.set(ITEM, CallOptions::default(), &mut trace()).await }, async {
            store.set(ITEM, late, &mut waiting).await.unwrap_err()
        });
    first.unwrap();
    assert_eq!((error.kind, waiting.attempts), (Kind::Timeout, 0));
    assert!(error.message.contains("no free connection"), "{}", error.message);
    assert!(error.message.contains("maxConnections"), "{}", error.message);
}

#[tokio::test]
async fn sending_again_after_a_closed_connection_counts_as_a_retry() {
    let server = FaultServer::start([]).await;
    let store = store(&server.endpoint, json!({ "maxAttempts": 1 }));
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    server.push(Reaction::Close);
    let mut trace = trace();
    store.set(ITEM, CallOptions::default(), &mut trace).await.unwrap();
    assert_eq!((trace.attempts, trace.may_be_done), (2, true));
    assert_eq!(store.http().stats().retries.get(), 1);
}

#[tokio::test]
async fn a_deletion_whose_connection_closed_may_have_succeeded() {
    let condition = || support::service_error(400, "ConditionalCheckFailedException");
    let server = FaultServer::start([]).await;
    let store = store(&server.endpoint, json!({}));
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    for reaction in [Reaction::Close, condition(), empty()] {
        server.push(reaction);
    }
    assert!(store.destroy_expired("a", 0, CallOptions::default(), &mut trace()).await.unwrap());
}

#[tokio::test]
async fn the_idle_connections_never_outnumber_the_open_ones() {
    let server = FaultServer::start([]).await;
    let store = store(&server.endpoint, json!({}));
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    assert_eq!(store.http().connection_counts(), (1, 1));
    server.push(Reaction::RespondThenClose(milliseconds(50)));
    store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    until(|| store.http().connection_counts() == (0, 0)).await;
}

/// A resolver with a result that can change: addresses, or one of the outages below.
#[derive(Clone, Default)]
struct Resolver {
    current: Arc<Mutex<&'static str>>,
    calls: Arc<Mutex<u32>>,
}

const FAILS: &str = "fails";
const EMPTY: &str = "";
const HANGS: &str = "hangs";

impl Resolver {
    fn new(result: &'static str) -> Self {
        let resolver = Self::default();
        resolver.set(result);
        resolver
    }

    fn set(&self, result: &'static str) {
        *self.current.lock().unwrap() = result;
    }
}

impl Resolve for Resolver {
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        assert_eq!(host, "dynamodb.test");
        *self.calls.lock().unwrap() += 1;
        let result = *self.current.lock().unwrap();
        async move {
            match result {
                FAILS => Err(io::Error::other("no such host")),
                HANGS => std::future::pending().await,
                addresses => Ok(addresses.split_whitespace().map(|ip| ip.parse().unwrap()).collect()),
            }
        }
        .boxed()
    }
}

fn resolving_store(port: u16, resolver: Resolver, changes: serde_json::Value) -> Store {
    let config = support::config(&format!("http://dynamodb.test:{port}"), changes);
    Store::with_resolver(config, None, resolver)
}

/// Listens on a port and never accepts a connection.
async fn dead(address: &str, port: u16) -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    let address = format!("{address}:{port}").parse().unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(1).unwrap();
    let mut backlog = Vec::new();
    while let Ok(stream) = tokio::time::timeout(milliseconds(100), TcpStream::connect(address)).await {
        backlog.push(stream.unwrap());
    }
    (listener, backlog)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dead_addresses_use_only_their_share_of_the_time() {
    let server = FaultServer::start([]).await;
    let _dead =
        join_all((2..9).map(|n| dead(["127.0.0.", &n.to_string()].concat().leak(), server.port()))).await;
    for (addresses, most) in [
        ("127.0.0.2 127.0.0.1", 400),
        ("::1 127.0.0.1", 200),
        ("127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5 127.0.0.6 127.0.0.7 127.0.0.8 127.0.0.1", 990),
    ] {
        let store = resolving_store(server.port(), Resolver::new(addresses), json!({ "maxAttempts": 1 }));
        let start = Instant::now();
        store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
        assert!(start.elapsed() < milliseconds(most), "{addresses}: {:?}", start.elapsed());
    }
    let store =
        resolving_store(server.port(), Resolver::new("127.0.0.2 127.0.0.3"), json!({ "maxAttempts": 1 }));
    let error = store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
    assert_eq!(store.http().connection_counts(), (0, 0));
}

#[tokio::test]
async fn the_last_working_addresses_are_used_while_dns_fails() {
    for outage in [FAILS, EMPTY, HANGS] {
        let server = FaultServer::start([]).await;
        let resolver = Resolver::new(outage);
        let store = resolving_store(server.port(), resolver.clone(), json!({ "maxAttempts": 1 }));
        let dns = || {
            let stats = store.http().stats();
            (stats.dns_failures.get(), stats.dns_fallbacks.get())
        };
        let start = Instant::now();
        let get = async || {
            let outcome = store.get("a", 0, CallOptions::default(), &mut trace()).await;
            store.close();
            outcome
        };
        if outage == HANGS {
            assert_eq!(get().await.unwrap_err().kind, Kind::Timeout);
            continue;
        }
        let error = get().await.unwrap_err();
        assert_eq!((error.kind, dns()), (Kind::Network, (1, 0)), "{outage}: nothing has worked yet");
        assert!(error.message.contains("dynamodb.test"), "{}", error.message);
        resolver.set("127.0.0.1");
        get().await.unwrap();
        resolver.set(outage);
        get().await.unwrap();
        get().await.unwrap();
        assert_eq!(dns(), (3, 2), "{outage}");
        resolver.set("127.0.0.1");
        get().await.unwrap();
        assert_eq!((dns(), server.requests().len()), ((3, 2), 4), "{outage}");
        assert!(start.elapsed() < milliseconds(900));
    }
}

#[tokio::test]
async fn a_lookup_that_hangs_leaves_time_for_the_last_working_addresses() {
    let server = FaultServer::start([]).await;
    let resolver = Resolver::new("127.0.0.1");
    let store = resolving_store(server.port(), resolver.clone(), json!({ "maxAttempts": 1 }));
    store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
    resolver.set(HANGS);
    for most in [600, 100] {
        store.close();
        let start = Instant::now();
        store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
        assert!(start.elapsed() < milliseconds(most), "{:?}", start.elapsed());
    }
    assert_eq!(*resolver.calls.lock().unwrap(), 2, "a lookup that hangs is not started again");
    assert_eq!(store.http().stats().dns_fallbacks.get(), 2);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn new_addresses_replace_the_old_ones() {
    let first = FaultServer::start([]).await;
    let second = FaultServer::start_at(&format!("127.0.0.2:{}", first.port()), []).await;
    let resolver = Resolver::new("127.0.0.1");
    let store = resolving_store(first.port(), resolver.clone(), json!({}));
    for address in ["127.0.0.1", "127.0.0.2", FAILS] {
        resolver.set(address);
        store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
        store.close();
    }
    assert_eq!((first.requests().len(), second.requests().len()), (1, 2));
    // Addresses that do not accept connections replace nothing.
    resolver.set("127.0.0.3");
    store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap_err();
    resolver.set(FAILS);
    store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
    assert_eq!(second.requests().len(), 3);
}

#[tokio::test]
async fn a_read_on_a_dead_connection_has_a_backup() {
    let server = FaultServer::start([]).await;
    let store = store(&server.endpoint, json!({ "maxAttempts": 1 }));
    store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
    tokio::time::sleep(SOME_SECONDS).await;
    server.push(Reaction::Hang);
    let start = Instant::now();
    let mut trace = trace();
    assert_eq!(store.get("a", 0, CallOptions::default(), &mut trace).await.unwrap(), Found::Missing);
    assert!(start.elapsed() < milliseconds(400), "{:?}", start.elapsed());
    let stats = store.http().stats();
    assert_eq!((trace.attempts, stats.retries.get(), stats.backup_reads.get()), (2, 1, 1));
    // The dead connection is closed, and the new one is kept.
    until(|| store.http().connection_counts() == (1, 1)).await;
}

#[tokio::test]
async fn only_reads_on_connections_that_were_idle_have_a_backup() {
    let slow = || Reaction::RespondAfter(milliseconds(500));
    let server = FaultServer::start([]).await;
    let store = store(&server.endpoint, json!({}));
    let read = async || store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
    read().await;
    server.push(slow());
    read().await;
    // The connection has just been used, and new ones have not been idle.
    server.push(slow());
    server.push(slow());
    tokio::join!(read(), read());
    assert_eq!(server.requests().len(), 4);
    tokio::time::sleep(SOME_SECONDS).await;
    for _ in 0..2 {
        server.push(slow());
        store.set(ITEM, CallOptions::default(), &mut trace()).await.unwrap();
    }
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn reads_on_a_slow_network_are_not_sent_twice() {
    let server =
        FaultServer::start(std::iter::repeat_with(|| Reaction::RespondAfter(milliseconds(300))).take(3))
            .await;
    let store = store(&server.endpoint, json!({}));
    for _ in 0..3 {
        store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
        tokio::time::sleep(SOME_SECONDS).await;
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_backup_waits_for_no_connection() {
    let server = FaultServer::start([]).await;
    let store =
        store(&server.endpoint, json!({ "maxConnections": 1, "attemptTimeout": 600, "maxAttempts": 1 }));
    store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
    tokio::time::sleep(SOME_SECONDS).await;
    server.push(Reaction::Hang);
    let mut trace = trace();
    let error = store.get("a", 0, CallOptions::default(), &mut trace).await.unwrap_err();
    assert_eq!((error.kind, trace.attempts), (Kind::Timeout, 1));
}

#[tokio::test]
async fn a_read_succeeds_if_either_of_its_two_requests_does() {
    for (first, second) in [(milliseconds(400), Reaction::Close), (milliseconds(400), Reaction::Hang)] {
        let server = FaultServer::start([]).await;
        let store = store(&server.endpoint, json!({ "maxAttempts": 1 }));
        store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
        tokio::time::sleep(SOME_SECONDS).await;
        server.push(Reaction::RespondAfter(first));
        server.push(second);
        store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn scans_are_signed_once_they_have_a_connection() {
    let delay = || Reaction::RespondAfter(milliseconds(1100));
    let server = FaultServer::start([empty(), delay(), delay(), delay()]).await;
    let store = store(&server.endpoint, json!({ "maxConnections": 1, "consistentRead": "never" }));
    store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
    let (_, length, _) = tokio::join!(
        async { store.get("a", 0, CallOptions::default(), &mut trace()).await },
        store.length(0),
        async { store.get("a", 0, CallOptions::default(), &mut trace()).await }
    );
    length.unwrap();
    let mut dates: Vec<_> =
        server.requests().iter().map(|request| request.header("x-amz-date").unwrap().to_owned()).collect();
    dates.dedup();
    assert!(dates.len() >= 3, "{dates:?}");
    // The connection is free again, and so is the slot.
    store.get("a", 0, CallOptions::default(), &mut trace()).await.unwrap();
}

#[tokio::test]
async fn a_scan_without_a_connection_reports_max_connections() {
    let server = FaultServer::start([Reaction::RespondAfter(milliseconds(1000))]).await;
    let store = store(&server.endpoint, json!({ "maxConnections": 1, "timeout": 500 }));
    // It has 3 seconds in all.
    let patient =
        CallOptions { started: (Instant::now() + milliseconds(2500)).into(), ..CallOptions::default() };
    let (read, error) = tokio::join!(async { store.get("a", 0, patient, &mut trace()).await }, async {
        store.length(0).await.unwrap_err()
    });
    read.unwrap();
    assert_eq!(error.kind, Kind::Timeout);
    assert!(error.message.contains("no free connection"), "{}", error.message);
    assert!(
        server.requests().iter().all(|request| request.header("x-amz-target").unwrap().ends_with("GetItem"))
    );
}

#[tokio::test]
async fn scans_that_time_out_close_their_connections() {
    let store =
        store(&unread().await, json!({ "maxConnections": 4, "attemptTimeout": 100, "maxAttempts": 2 }));
    let lengths = join_all((0..16).map(async |_| {
        assert_eq!(store.length(0).await.unwrap_err().kind, Kind::Timeout);
        assert!(store.http().connection_counts().0 <= 4);
    }));
    lengths.await;
    until(|| store.http().connection_counts().0 == 0).await;
}
