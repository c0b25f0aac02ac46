//! What the integration tests share: a local DynamoDB in process, and a server that fails on demand.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynamodb_session_core::config::{Config, NewTable};
use dynamodb_session_core::store::Store;
use dynamodb_session_core::transport::Trace;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const ON_DEMAND: NewTable = NewTable { throughput: None, time_to_live: true, tags: Vec::new() };

/// The settings of a store, with `changes` laid over the usual ones.
pub fn config(endpoint: &str, changes: Value) -> Config {
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

pub fn store(endpoint: &str, changes: Value) -> Store {
    Store::new(config(endpoint, changes), None)
}

/// Starts a DynamoDB of its own for a test; it ends with the test's runtime.
pub async fn dynamodb() -> String {
    let (endpoint, serving) = local_dynamodb::bind().await.unwrap();
    tokio::spawn(serving);
    endpoint
}

/// A store on a DynamoDB of its own whose table is there.
pub async fn ready_store(changes: Value) -> Store {
    let store = store(&dynamodb().await, changes);
    store.create_table(&ON_DEMAND).await.unwrap();
    store
}

pub fn trace() -> Trace {
    Trace::default()
}

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// What the fault server does with a request.
#[derive(Clone, Debug)]
pub enum Act {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Closes the connection once the request is read.
    Cut,
    /// Sends half of a response and closes the connection.
    CutInBody,
    Hang,
    /// Answers after a time.
    Delayed(Duration),
    /// Answers, and closes the connection after a time.
    CloseLater(Duration),
}

/// `{}` with status 200: what PutItem, UpdateItem and DeleteItem answer, and a GetItem that finds nothing.
pub fn empty() -> Act {
    answer(200, "{}")
}

pub fn answer(status: u16, body: &str) -> Act {
    Act::Answer { status, headers: Vec::new(), body: body.into() }
}

pub fn service_error(status: u16, name: &str) -> Act {
    answer(
        status,
        &json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "m" }).to_string(),
    )
}

/// A request as it arrived: the connection's number, the head and the body.
#[derive(Clone, Debug)]
pub struct Seen {
    pub connection: usize,
    pub head: String,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }
}

/// A server that answers each request by the next of its acts, and `{}` when they are used up.
#[derive(Clone)]
pub struct FaultServer {
    pub endpoint: String,
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl FaultServer {
    pub async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::start_at("127.0.0.1:0", acts).await
    }

    pub async fn start_at(address: &str, acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let server = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            acts: Arc::new(Mutex::new(acts.into_iter().collect())),
            seen: Arc::default(),
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

    pub fn port(&self) -> u16 {
        self.endpoint.rsplit(':').next().unwrap().parse().unwrap()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn push(&self, act: Act) {
        self.acts.lock().unwrap().push_back(act);
    }

    async fn serve(&self, connection: usize, mut stream: TcpStream) -> Option<()> {
        loop {
            let (head, body) = read_request(&mut stream).await?;
            self.seen.lock().unwrap().push(Seen { connection, head, body });
            let act = self.acts.lock().unwrap().pop_front().unwrap_or_else(empty);
            match act {
                Act::Answer { status, headers, body } => {
                    let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                    for (name, value) in headers {
                        head += &format!("{name}: {value}\r\n");
                    }
                    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.ok()?;
                }
                Act::Cut => return None,
                Act::CutInBody => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await.ok()?;
                    return None;
                }
                Act::Hang => std::future::pending().await,
                Act::Delayed(delay) => {
                    tokio::time::sleep(delay).await;
                    stream.write_all(EMPTY).await.ok()?;
                }
                Act::CloseLater(delay) => {
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
