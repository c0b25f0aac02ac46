//! The data plane: sign, send, retry, classify.

mod connect;
mod dial;
pub mod dns;
mod endpoint;
mod endpoint_resolver;
pub mod http;
mod pool;
mod proxy;
pub mod retry;
pub mod sdk;
pub mod sdk_retry;
mod sign;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::Uri;
use aws_credential_types::Credentials;
use aws_smithy_types::date_time::{DateTime, Format};
use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};

use crate::aws::credentials::CredentialsCache;
use crate::error::{Error, Kind, Result, innermost};
use crate::wire::service_error::service_error;
pub use endpoint::Endpoint;
pub use endpoint_resolver::EndpointResolver;
use endpoint_resolver::Resolved;
use http::{Bounds, Failure, HttpClient};
use pool::Slot;
use retry::{Budget, Cause};

/// The bounds of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of an attempt, from when a connection is free for it.
    pub attempt_timeout: Duration,
    /// Of the whole operation: credentials, attempts and the pauses between.
    pub timeout: Duration,
    pub max_attempts: u32,
}

/// What an operation took, told whether it succeeds or fails.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Whether to ask the service for the consumed capacity.
    pub wants_capacity: bool,
    /// When the operation must have ended; set by its first request.
    pub deadline: Option<Instant>,
    /// Requests sent.
    pub attempts: u32,
    /// Attempts that do not count toward the maximum: after a closed connection, and as a backup.
    pub extra_attempts: u32,
    /// Whether the service may have done the work of an attempt that failed.
    pub may_be_done: bool,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    pub capacity_units: Option<f64>,
}

/// Sends requests about one table with one identity.
#[derive(Debug)]
pub struct Transport {
    http: Arc<HttpClient>,
    endpoints: EndpointResolver,
    credentials: CredentialsCache,
    limits: Limits,
    budget: Budget,
    /// Seconds that the service's clock is ahead of ours.
    clock_offset: AtomicI64,
}

impl Transport {
    pub fn new(
        http: Arc<HttpClient>,
        endpoints: EndpointResolver,
        credentials: CredentialsCache,
        limits: Limits,
    ) -> Self {
        Self {
            http,
            endpoints,
            credentials,
            limits,
            budget: Budget::default(),
            clock_offset: AtomicI64::new(0),
        }
    }

    /// The URL that requests go to, without a user name and password, once it is known.
    pub fn url(&self) -> Option<String> {
        let resolved = self.endpoints.current()?;
        Some(resolved.endpoint.uri().to_string().trim_end_matches('/').to_owned())
    }

    /// Sends `body` as a request of `operation` and parses the answer within the limits: whether the service
    /// refused the request, and the body.
    pub async fn call<T>(
        &self,
        operation: &str,
        body: Bytes,
        trace: &mut Trace,
        parse: impl Fn(Result<()>, &[u8]) -> Result<T>,
    ) -> Result<T> {
        let deadline = *trace.deadline.get_or_insert_with(|| Instant::now() + self.limits.timeout);
        let mut progress = Progress::default();
        let attempts = self.attempts(operation, body, trace, parse, deadline, &mut progress);
        timeout_at(deadline, attempts).await.unwrap_or_else(|_| Err(self.timed_out(progress)))
    }

    fn timed_out(&self, progress: Progress) -> Error {
        let limit = self.limits.timeout;
        let message = match progress.waits_for {
            WaitsFor::Credentials => format!("no credentials within {limit:?}"),
            WaitsFor::Connection => {
                let connections = self.http.max_connections();
                format!("no free connection within {limit:?}; maxConnections is {connections}")
            }
            WaitsFor::Success => match self.endpoints.current() {
                Some(resolved) => {
                    let host = host_and_port(resolved.endpoint.uri());
                    format!("no successful response from {host} within {limit:?}")
                }
                None => format!("no success within {limit:?}"),
            },
        };
        let error = Error::new(Kind::Timeout, message);
        match progress.last {
            Some(last) => error.with_source(last),
            None => error,
        }
    }

    async fn attempts<T>(
        &self,
        operation: &str,
        body: Bytes,
        trace: &mut Trace,
        parse: impl Fn(Result<()>, &[u8]) -> Result<T>,
        deadline: Instant,
        progress: &mut Progress,
    ) -> Result<T> {
        let mut has_renewed = false;
        loop {
            let (slot, credentials, resolved) = self.admit(deadline, progress).await?;
            let (offset, outcome) = loop {
                trace.attempts += 1;
                let offset = self.clock_offset.load(Ordering::Relaxed);
                let request =
                    resolved.endpoint.request(operation, body.clone(), &credentials, service_time(offset))?;
                match self
                    .attempt(&slot, request, resolved.endpoint.uri(), operation == "GetItem", trace, &parse)
                    .await
                {
                    Err(FailedAttempt { is_stale: true, .. }) => {
                        // The next kept connection, or a new one, is as good as this one should have been.
                        trace.extra_attempts += 1;
                        trace.may_be_done = true;
                        self.http.stats().retries.add(1);
                    }
                    outcome => break (offset, outcome),
                }
            };
            drop(slot);
            let tries = trace.attempts - trace.extra_attempts;
            let mut error = match outcome {
                Ok(value) => {
                    self.budget.give(tries);
                    return Ok(value);
                }
                Err(error) => error,
            };
            let mut cause = retry::cause(&error.error);
            if cause == Cause::Throttled {
                self.http.stats().count_throttle(&error.error);
            }
            let clock_was_off = cause == Cause::Clock && self.adjust_clock(offset, error.service_time);
            if !clock_was_off && retry::blames_keys(&error.error) {
                cause = Cause::Credentials;
            }
            let may_help = match cause {
                Cause::Never => false,
                Cause::Transient | Cause::Throttled => true,
                Cause::Clock => clock_was_off,
                Cause::Credentials => {
                    let others_may_come = self.credentials.forget(&credentials);
                    error.error.is_permanent = !others_may_come;
                    others_may_come && !std::mem::replace(&mut has_renewed, true)
                }
            };
            trace.may_be_done |= cause == Cause::Transient;
            let pause = retry::pause(cause, tries + 1);
            if !may_help
                || tries >= self.limits.max_attempts
                || Instant::now() + pause >= deadline
                || !(cause.is_of_the_signature() || self.budget.take())
            {
                return Err(error.error);
            }
            self.http.stats().retries.add(1);
            progress.last = Some(error.error);
            sleep(pause).await;
        }
    }

    /// Waits for credentials and a connection slot.
    ///
    /// Fetching credentials holds no slot: it may need one of the same host, and it may take long.
    async fn admit(
        &self,
        deadline: Instant,
        progress: &mut Progress,
    ) -> Result<(Slot, Arc<Credentials>, Arc<Resolved>)> {
        let admitted = loop {
            progress.waits_for = WaitsFor::Credentials;
            let credentials = self.credentials.get().await?;
            let resolved = self.endpoints.endpoint_for(&credentials)?;
            let host = self.http.host(resolved.endpoint.uri());
            if let Some(slot) = host.try_acquire() {
                break (slot, credentials, resolved);
            }
            progress.waits_for = WaitsFor::Connection;
            let slot =
                host.acquire().await.map_err(|closed| into_error(closed.into(), resolved.endpoint.uri()))?;
            // Operations that time out free their slots for others that are about to. Those have no time for a request.
            if Instant::now() + self.limits.timeout / 100 >= deadline {
                return Err(self.timed_out(std::mem::take(progress)));
            }
            // The wait may have outlasted the credentials, and new ones may belong to another account.
            if let Some(credentials) = self.credentials.cached()
                && Arc::ptr_eq(&self.endpoints.endpoint_for(&credentials)?, &resolved)
            {
                break (slot, credentials, resolved);
            }
        };
        progress.waits_for = WaitsFor::Success;
        Ok(admitted)
    }

    async fn attempt<T>(
        &self,
        slot: &Slot,
        request: ::http::Request<Bytes>,
        uri: &Uri,
        is_read: bool,
        trace: &mut Trace,
        parse: &impl Fn(Result<()>, &[u8]) -> Result<T>,
    ) -> Result<T, FailedAttempt> {
        let bounds = Bounds { response: Some(self.limits.attempt_timeout), ..Bounds::default() };
        let backup = is_read.then_some(|| {
            let is_affordable = self.budget.take();
            if is_affordable {
                trace.attempts += 1;
                trace.extra_attempts += 1;
                self.http.stats().retries.add(1);
                self.http.stats().backup_reads.add(1);
            }
            is_affordable
        });
        let response = slot.send(request, bounds, backup).await.map_err(|failure| FailedAttempt {
            is_stale: matches!(failure, Failure::Stale(_)),
            ..into_error(failure, uri).into()
        })?;
        let status = response.status().as_u16();
        trace.status = Some(status);
        let (head, body) = response.into_parts();
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let answer = check_crc(header("x-amz-crc32"), &body).and_then(|()| {
            let verdict = match status {
                200 => Ok(()),
                _ => Err(service_error(status, header("x-amzn-errortype"), &body)),
            };
            parse(verdict, &body)
        });
        answer.map_err(|mut error| {
            error.status = Some(status);
            error.request_id = header("x-amzn-requestid").map(str::to_owned);
            let service_time = header("date")
                .and_then(|date| DateTime::from_str(date, Format::HttpDate).ok())
                .map(|date| date.secs());
            FailedAttempt { service_time, ..error.into() }
        })
    }

    /// Takes over the service's time; whether that changes a signature that was made with the offset `signed`.
    fn adjust_clock(&self, signed: i64, service_time: Option<i64>) -> bool {
        const NOTICEABLE: u64 = 60;
        let Some(service_time) = service_time else {
            return false;
        };
        let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let offset = service_time.saturating_sub_unsigned(ours);
        self.clock_offset.store(offset, Ordering::Relaxed);
        signed.abs_diff(offset) >= NOTICEABLE
    }
}

/// Our clock, set to one that is `offset` seconds ahead.
fn service_time(offset: i64) -> SystemTime {
    let distance = Duration::from_secs(offset.unsigned_abs());
    let now = SystemTime::now();
    let shifted = if offset < 0 { now.checked_sub(distance) } else { now.checked_add(distance) };
    shifted.unwrap_or(now)
}

/// How far an operation has come.
#[derive(Default)]
struct Progress {
    waits_for: WaitsFor,
    /// The error of the last attempt.
    last: Option<Error>,
}

#[derive(Default)]
enum WaitsFor {
    #[default]
    Credentials,
    Connection,
    Success,
}

/// A failed attempt.
struct FailedAttempt {
    error: Error,
    /// The service's time, from its Date header.
    service_time: Option<i64>,
    /// The server had closed the connection.
    is_stale: bool,
}

impl From<Error> for FailedAttempt {
    fn from(error: Error) -> Self {
        Self { error, service_time: None, is_stale: false }
    }
}

/// The error of a request to the host of `uri`.
fn into_error(failure: Failure, uri: &Uri) -> Error {
    let host = host_and_port(uri);
    match failure {
        Failure::ConnectTimeout(limit) => {
            Error::new(Kind::Timeout, format!("no connection to {host} within {limit:?}"))
        }
        Failure::ResponseTimeout(limit) => {
            Error::new(Kind::Timeout, format!("no response from {host} within {limit:?}"))
        }
        Failure::Connect(error) => match error.downcast::<Error>() {
            Ok(ours) if ours.kind != Kind::Network => *ours,
            network => {
                let error = network.map_or_else(|error| error, |ours| ours as http::BoxError);
                let message = format!("cannot connect to {host}: {}", innermost(&*error));
                Error::new(Kind::Network, message).with_source(error)
            }
        },
        Failure::Exchange(error) | Failure::Stale(error) => {
            Error::new(Kind::Network, format!("the connection to {host} failed")).with_source(error)
        }
        Failure::TooLarge => Error::new(Kind::Network, "the response is larger than 16 MB"),
    }
}

/// The host and the port of a URI, without a user name and password.
fn host_and_port(uri: &Uri) -> String {
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    format!("{}:{port}", uri.host().unwrap_or_default())
}

fn check_crc(expected: Option<&str>, body: &[u8]) -> Result<()> {
    match expected.and_then(|digits| digits.parse::<u32>().ok()) {
        Some(expected) if crc32fast::hash(body) != expected => {
            Err(Error::new(Kind::Network, "the response does not match its x-amz-crc32 checksum"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_with_its_port_and_without_a_password() {
        for (uri, expected) in [
            ("https://dynamodb.eu-west-1.amazonaws.com/", "dynamodb.eu-west-1.amazonaws.com:443"),
            ("http://localhost", "localhost:80"),
            ("http://user:secret@127.0.0.1:8000/base", "127.0.0.1:8000"),
            ("https://[::1]:8443/", "[::1]:8443"),
        ] {
            assert_eq!(host_and_port(&uri.parse().unwrap()), expected);
        }
    }

    #[test]
    fn a_wrong_checksum_is_noticed() {
        let sum = crc32fast::hash(b"{}").to_string();
        assert!(check_crc(Some(&sum), b"{}").is_ok());
        assert!(check_crc(None, b"{}").is_ok());
        assert_eq!(check_crc(Some(&sum), b"{} ").unwrap_err().kind, Kind::Network);
    }
}
