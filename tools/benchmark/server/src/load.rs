//! Load on an app: each connection logs in and then requests one page repeatedly.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::http::{self, Incoming};
use crate::{Options, Result};

/// Requests `--path` from `--host` over `--connections`, each with its own session. Prints `warm` after `--warmup`
/// milliseconds. After `--time` more milliseconds, prints the figures of that time as JSON, in microseconds.
pub async fn run(options: &Options) -> Result<()> {
    let (warmup, time) = (options.time("warmup")?, options.time("time")?);
    let connections: usize = options.need("connections")?.parse()?;
    let mut users = Vec::new();
    for _ in 0..connections {
        users.push(User::login(options.need("host")?, options.need("path")?).await?);
    }
    let start = Instant::now() + warmup;
    let running: Vec<_> =
        users.into_iter().map(|user| tokio::spawn(user.browse(start, start + time))).collect();
    tokio::time::sleep(warmup).await;
    println!("warm");
    let mut latencies = Vec::new();
    let mut failures = 0;
    for user in running {
        let (of_user, failed) = user.await??;
        latencies.extend(of_user);
        failures += failed;
    }
    latencies.sort_unstable();
    let at = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).map(Duration::as_micros);
    let figures = serde_json::json!({
        "requestsPerSecond": latencies.len() as f64 / time.as_secs_f64(),
        "p50": at(0.5).map(|micros| micros as u64),
        "p99": at(0.99).map(|micros| micros as u64),
        "failures": failures,
    });
    println!("{figures}");
    Ok(())
}

struct User {
    stream: TcpStream,
    incoming: Incoming,
    request: String,
}

impl User {
    async fn login(host: &str, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let request =
            |path: &str, cookie: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{cookie}\r\n");
        let mut user = Self { stream, incoming: Incoming::default(), request: request("/login", "") };
        let (status, cookies) = user.ask().await?;
        if status != 200 || cookies.is_empty() {
            return Err(format!("the login returned status {status} and the cookies \"{cookies}\"").into());
        }
        user.request = request(path, &format!("cookie: {cookies}\r\n"));
        Ok(user)
    }

    /// Latencies between `start` and `end`, and how many responses had another status than 200.
    async fn browse(mut self, start: Instant, end: Instant) -> Result<(Vec<Duration>, usize)> {
        let (mut latencies, mut failures) = (Vec::new(), 0);
        loop {
            let began = Instant::now();
            let (status, _) = self.ask().await?;
            let now = Instant::now();
            if now >= end {
                return Ok((latencies, failures));
            }
            if now >= start {
                latencies.push(now - began);
                failures += usize::from(status != 200);
            }
        }
    }

    async fn ask(&mut self) -> Result<(u16, String)> {
        self.stream.write_all(self.request.as_bytes()).await?;
        let (response, head) = self
            .incoming
            .head(&mut self.stream, http::response)
            .await?
            .ok_or("the app closed the connection")?;
        self.incoming.body(&mut self.stream, &head).await?;
        Ok(response)
    }
}
