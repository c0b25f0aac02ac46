//! Helpers of the integration tests: a local DynamoDB in this process, and a server that fails on demand.
#![allow(dead_code, reason = "each test program uses only some of them")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynamodb_session_core::config::{Config, NewTable};
use dynamodb_session_core::store::Store;
use dynamodb_session_core::transport::Trace;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const ON_DEMAND: NewTable = NewTable { throughput: None, time_to_live: true, tags: Vec::new() };

/// The default settings of a store, with some `changes`.
pub(crate) fn config(endpoint: &str, changes: Value) -> Config {
    let mut settings = json!({
        "table": "sessions",
        "layout": {
            "hashKey": "id",
            "prefix": "sess:",
            "session": "sess",
            "expires": "expires",
            "constants": [["type", "connect-session"]],
        },
        "region": "us-east-1",
        "endpoint": endpoint,
        "credentials": { "accessKeyId": "local", "secretAccessKey": "local" },
        "consistentRead": "always",
        "connectTimeout": 1000,
        "attemptTimeout": 3000,
        "timeout": 10_000,
        "maxAttempts": 3,
        "maxConnections": 50,
    });
    merge(&mut settings, changes);
    serde_json::from_value(settings).unwrap()
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

pub(crate) fn store(endpoint: &str, changes: Value) -> Store {
    Store::new(config(endpoint, changes), None)
}

/// Starts a local DynamoDB for one test. It stops with the runtime of the test.
pub(crate) async fn dynamodb() -> String {
    let (endpoint, serving) = local_dynamodb::bind().await.unwrap();
    tokio::spawn(serving);
    endpoint
}

/// A store on a new local DynamoDB with a table.
pub(crate) async fn ready_store(changes: Value) -> Store {
    let store = store(&dynamodb().await, changes);
    store.create_table(&ON_DEMAND).await.unwrap();
    store
}

pub(crate) fn trace() -> Trace {
    Trace::default()
}

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// How the fault server reacts to a request.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    Respond {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Reads the request and closes the connection.
    Close,
    /// Sends half of a response and closes the connection.
    CloseInBody,
    Hang,
    /// Responds with `{}` after this time.
    RespondAfter(Duration),
    /// Responds with `{}`, and closes the connection after this time.
    RespondThenClose(Duration),
}

/// Status 200 with `{}`, which is the response to PutItem, UpdateItem, and DeleteItem, and to a GetItem without an item.
pub(crate) fn empty() -> Reaction {
    response(200, "{}")
}

pub(crate) fn response(status: u16, body: &str) -> Reaction {
    Reaction::Respond { status, headers: Vec::new(), body: body.into() }
}

pub(crate) fn service_error(status: u16, name: &str) -> Reaction {
    response(
        status,
        &json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "m" }).to_string(),
    )
}

/// A request that the server received, with the number of its connection.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub connection: usize,
    pub head: String,
    pub body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }
}

/// A server that handles each request with its next reaction, and responds with `{}` once they are used up.
#[derive(Clone)]
pub(crate) struct FaultServer {
    pub endpoint: String,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl FaultServer {
    pub(crate) async fn start(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        Self::start_at("127.0.0.1:0", reactions).await
    }

    pub(crate) async fn start_at(address: &str, reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let server = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            reactions: Arc::new(Mutex::new(reactions.into_iter().collect())),
            received: Arc::default(),
        };
        let accepting = server.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let server = accepting.clone();
                tokio::spawn(async move { server.serve(connection, stream).await });
            }
        });
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.endpoint.rsplit(':').next().unwrap().parse().unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn push(&self, reaction: Reaction) {
        self.reactions.lock().unwrap().push_back(reaction);
    }

    async fn serve(&self, connection: usize, mut stream: TcpStream) -> Option<()> {
        loop {
            let (head, body) = read_request(&mut stream).await?;
            self.received.lock().unwrap().push(Received { connection, head, body });
            let reaction = self.reactions.lock().unwrap().pop_front().unwrap_or_else(empty);
            match reaction {
                Reaction::Respond { status, headers, body } => {
                    let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                    for (name, value) in headers {
                        head += &format!("{name}: {value}\r\n");
                    }
                    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.ok()?;
                }
                Reaction::Close => return None,
                Reaction::CloseInBody => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await.ok()?;
                    return None;
                }
                Reaction::Hang => std::future::pending().await,
                Reaction::RespondAfter(delay) => {
                    tokio::time::sleep(delay).await;
                    stream.write_all(EMPTY).await.ok()?;
                }
                Reaction::RespondThenClose(delay) => {
                    stream.write_all(EMPTY).await.ok()?;
                    tokio::time::sleep(delay).await;
                    return None;
                }
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")
                    .map(|n| n.parse::<usize>().unwrap())
            })
            .unwrap_or(0);
        while bytes.len() < end + 4 + length {
            let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
            bytes.extend_from_slice(&chunk[..read]);
        }
        return Some((head, String::from_utf8(bytes[end + 4..].to_vec()).unwrap()));
    }
}
