//! Runs one request of the data plane: signs it, sends it, and retries it within the limits.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Uri};
use aws_credential_types::Credentials;
use aws_smithy_types::date_time::{DateTime, Format};
use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};

use super::call::Trace;
use super::clock::{self, ClockOffset};
use super::endpoint::port_of;
use super::endpoint_resolver::{EndpointResolver, Resolved};
use super::http::HttpClient;
use super::pool::{RequestTimeouts, Slot};
use super::retry::{self, RetryBudget, RetryReason};
use super::send_error::{SendError, host_and_port};
use crate::credentials::CredentialsCache;
use crate::error::{Error, Kind, Result};
use crate::wire::service_error::service_error;

/// The limits of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OperationLimits {
    /// Time for one attempt, once it has a connection slot.
    pub attempt_timeout: Duration,
    /// Time for the whole operation: credentials, attempts, and the pauses between them.
    pub timeout: Duration,
    pub max_attempts: u32,
}

/// Sends requests to the endpoint of one table, signed with one source of credentials.
#[derive(Debug)]
pub(crate) struct Transport {
    http: Arc<HttpClient>,
    endpoints: EndpointResolver,
    credentials: CredentialsCache,
    limits: OperationLimits,
    budget: RetryBudget,
    clock_offset: ClockOffset,
}

impl Transport {
    pub(crate) fn new(
        http: Arc<HttpClient>,
        endpoints: EndpointResolver,
        credentials: CredentialsCache,
        limits: OperationLimits,
    ) -> Self {
        Self {
            http,
            endpoints,
            credentials,
            limits,
            budget: RetryBudget::default(),
            clock_offset: ClockOffset::default(),
        }
    }

    /// The URL that requests go to, without a user name and password, once it is known.
    pub(crate) fn url(&self) -> Option<String> {
        let resolved = self.endpoints.current()?;
        Some(resolved.endpoint.uri().to_string().trim_end_matches('/').to_owned())
    }

    /// The host and the port that requests go to, once they are known.
    pub(crate) fn host_and_port(&self) -> Option<(String, u16)> {
        let resolved = self.endpoints.current()?;
        let uri = resolved.endpoint.uri();
        // Without the brackets of an IPv6 address.
        let host = uri.host()?.trim_matches(['[', ']']).to_owned();
        Some((host, port_of(uri)))
    }

    /// The time limit of a request that starts now.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.limits.timeout
    }

    /// Sends `body` as a request of `operation`, with retries, until `deadline`. `parse` reads the response: the error
    /// that the service reported, if any, and the body.
    pub(crate) async fn call<T>(
        &self,
        operation: &str,
        body: Bytes,
        deadline: Instant,
        trace: &mut Trace,
        parse: impl Fn(Result<()>, &[u8]) -> Result<T>,
    ) -> Result<T> {
        let mut progress = Progress::default();
        let attempts = self.attempts(operation, body, deadline, trace, parse, &mut progress);
        let outcome = timeout_at(deadline, attempts).await;
        outcome.unwrap_or_else(|_| {
            trace.may_be_done |= progress.is_sending;
            Err(self.timed_out(progress))
        })
    }

    async fn attempts<T>(
        &self,
        operation: &str,
        body: Bytes,
        deadline: Instant,
        trace: &mut Trace,
        parse: impl Fn(Result<()>, &[u8]) -> Result<T>,
        progress: &mut Progress,
    ) -> Result<T> {
        let mut has_renewed = false;
        // An operation may send several requests, each with its own attempts.
        let earlier_attempts = trace.counted_attempts();
        loop {
            let (slot, credentials, resolved) = self.acquire(deadline, progress).await?;
            let (failure, clock_offset) = loop {
                let clock_offset = self.clock_offset.get();
                let time = clock::now_with(clock_offset);
                let request = resolved.endpoint.request(operation, body.clone(), &credentials, time)?;
                trace.attempts += 1;
                progress.is_sending = true;
                let outcome = self.attempt(&slot, request, &resolved, operation, trace, &parse).await;
                progress.is_sending = false;
                let failure = match outcome {
                    Ok(value) => {
                        self.budget.refund(trace.counted_attempts() - earlier_attempts);
                        return Ok(value);
                    }
                    Err(failure) => failure,
                };
                trace.may_be_done |= failure.may_be_done();
                match failure {
                    // Try the next kept connection, or a new one, immediately.
                    AttemptFailure::StaleConnection(_) => self.count_extra_attempt(trace),
                    failure => break (failure, clock_offset),
                }
            };
            drop(slot);

            let (error, reason) = self.assess(failure, clock_offset, &credentials, &mut has_renewed);
            let Some(reason) = reason else {
                return Err(error);
            };
            let attempts = trace.counted_attempts() - earlier_attempts;
            let pause = retry::pause(reason, attempts + 1);
            if attempts >= self.limits.max_attempts
                || Instant::now() + pause >= deadline
                || !(reason.is_about_signature() || self.budget.try_spend())
            {
                return Err(error);
            }
            self.http.stats().retries.add(1);
            progress.last_error = Some(error);
            sleep(pause).await;
        }
    }

    /// Waits for credentials and a connection slot.
    ///
    /// Fetching credentials holds no slot: it may need one of the same host, and it may take long.
    async fn acquire(
        &self,
        deadline: Instant,
        progress: &mut Progress,
    ) -> Result<(Slot, Arc<Credentials>, Arc<Resolved>)> {
        let acquired = loop {
            progress.waits_for = WaitsFor::Credentials;
            let credentials = self.credentials.get().await?;
            let resolved = self.endpoints.endpoint_for(&credentials)?;
            let pool = self.http.pool_for(resolved.endpoint.uri());
            if let Some(slot) = pool.try_acquire() {
                break (slot, credentials, resolved);
            }
            progress.waits_for = WaitsFor::Connection;
            let slot = pool
                .acquire()
                .await
                .map_err(|closed| SendError::from(closed).into_error(resolved.endpoint.uri()))?;
            // A slot freed by a timed-out operation often goes to one that is about to time out too. Do not send a
            // request that has no time left.
            if Instant::now() + self.limits.timeout / 100 >= deadline {
                return Err(self.timed_out(std::mem::take(progress)));
            }
            // The credentials may have expired during the wait, and new ones may belong to a different account.
            if let Some(credentials) = self.credentials.cached()
                && Arc::ptr_eq(&self.endpoints.endpoint_for(&credentials)?, &resolved)
            {
                break (slot, credentials, resolved);
            }
        };
        progress.waits_for = WaitsFor::Success;
        Ok(acquired)
    }

    /// Sends a signed request and reads the response.
    async fn attempt<T>(
        &self,
        slot: &Slot,
        request: ::http::Request<Bytes>,
        resolved: &Resolved,
        operation: &str,
        trace: &mut Trace,
        parse: &impl Fn(Result<()>, &[u8]) -> Result<T>,
    ) -> Result<T, AttemptFailure> {
        let timeouts =
            RequestTimeouts { response: Some(self.limits.attempt_timeout), ..RequestTimeouts::default() };
        let backup = (operation == "GetItem").then_some(|| {
            let is_affordable = self.budget.try_spend();
            if is_affordable {
                trace.attempts += 1;
                self.count_extra_attempt(trace);
                self.http.stats().backup_reads.add(1);
            }
            is_affordable
        });
        let response = slot
            .send(request, timeouts, backup)
            .await
            .map_err(|error| AttemptFailure::new(error, resolved.endpoint.uri()))?;
        let status = response.status().as_u16();
        trace.status = Some(status);
        let (head, body) = response.into_parts();
        let request_id = || header(&head.headers, "x-amzn-requestid").map(str::to_owned);
        if let Some(details) = &mut trace.details {
            details.request_id = request_id();
        }
        let parsed = check_crc(header(&head.headers, "x-amz-crc32"), &body).and_then(|()| {
            let reported = match status {
                200..300 => Ok(()),
                _ => Err(service_error(status, header(&head.headers, "x-amzn-errortype"), &body)),
            };
            parse(reported, &body)
        });
        parsed.map_err(|mut error| {
            error.status = Some(status);
            error.request_id = request_id();
            let date = header(&head.headers, "date")
                .and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
            AttemptFailure::Response { error, service_time: date.map(|date| date.secs()) }
        })
    }

    /// Counts a retry that does not count toward the maximum number of attempts.
    fn count_extra_attempt(&self, trace: &mut Trace) {
        trace.extra_attempts += 1;
        self.http.stats().retries.add(1);
    }

    /// Decides whether to retry and why, and prepares the retry: adjusts the clock, or forgets the credentials.
    fn assess(
        &self,
        failure: AttemptFailure,
        clock_offset: i64,
        credentials: &Credentials,
        has_renewed: &mut bool,
    ) -> (Error, Option<RetryReason>) {
        let (mut error, service_time) = failure.into_parts();
        let reason = match retry::reason(&error) {
            Some(RetryReason::Throttled) => {
                self.http.stats().count_throttle(&error);
                Some(RetryReason::Throttled)
            }
            Some(RetryReason::Clock) if self.clock_offset.adjust(clock_offset, service_time) => {
                Some(RetryReason::Clock)
            }
            _ if retry::rejects_credentials(&error) => {
                let may_change = self.credentials.forget(credentials);
                error.is_permanent = !may_change;
                (may_change && !std::mem::replace(has_renewed, true)).then_some(RetryReason::Credentials)
            }
            Some(RetryReason::Clock) => None,
            reason => reason,
        };
        (error, reason)
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
                None => format!("no successful response within {limit:?}"),
            },
        };
        let error = Error::new(Kind::Timeout, message);
        match progress.last_error {
            Some(last) => error.with_source(last),
            None => error,
        }
    }
}

/// How far an operation has come, for the error of its timeout.
#[derive(Default)]
struct Progress {
    waits_for: WaitsFor,
    /// Whether an attempt is in progress, so the service may have processed it.
    is_sending: bool,
    /// The error of the last attempt.
    last_error: Option<Error>,
}

#[derive(Default)]
enum WaitsFor {
    #[default]
    Credentials,
    Connection,
    Success,
}

/// How an attempt failed, grouped by whether the service may have received it.
enum AttemptFailure {
    /// The request was not sent.
    NotSent(Error),
    /// The server closed a kept connection without a response. The service may have processed the request.
    StaleConnection(Error),
    /// No complete response arrived. The service may have processed the request.
    NoResponse(Error),
    /// The service reported an error, or its response is invalid.
    Response {
        error: Error,
        /// The service's time, from the `Date` header.
        service_time: Option<i64>,
    },
}

impl AttemptFailure {
    fn new(error: SendError, uri: &Uri) -> Self {
        match error {
            SendError::StaleConnection(_) => Self::StaleConnection(error.into_error(uri)),
            error if error.may_have_been_sent() => Self::NoResponse(error.into_error(uri)),
            error => Self::NotSent(error.into_error(uri)),
        }
    }

    /// Whether the service may have processed the request.
    fn may_be_done(&self) -> bool {
        match self {
            Self::NotSent(_) => false,
            Self::StaleConnection(_) | Self::NoResponse(_) => true,
            Self::Response { error, .. } => retry::reason(error) == Some(RetryReason::Transient),
        }
    }

    /// The error, and the service's time.
    fn into_parts(self) -> (Error, Option<i64>) {
        match self {
            Self::NotSent(error) | Self::StaleConnection(error) | Self::NoResponse(error) => (error, None),
            Self::Response { error, service_time } => (error, service_time),
        }
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
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
    fn a_wrong_checksum_is_an_error() {
        let sum = crc32fast::hash(b"{}").to_string();
        assert!(check_crc(Some(&sum), b"{}").is_ok());
        assert!(check_crc(None, b"{}").is_ok());
        assert_eq!(check_crc(Some(&sum), b"{} ").unwrap_err().kind, Kind::Network);
    }

    #[test]
    fn only_a_request_that_was_sent_may_be_done() {
        let uri = Uri::from_static("http://host/");
        let sent = |error| AttemptFailure::new(error, &uri).may_be_done();
        assert!(!sent(SendError::ConnectTimeout(Duration::ZERO)));
        assert!(!sent(SendError::Connect("refused".into())));
        assert!(!sent(SendError::NotSent("closed".into())));
        assert!(sent(SendError::StaleConnection("closed".into())));
        assert!(sent(SendError::ResponseTimeout(Duration::ZERO)));
        let reported = |name, status| {
            let error = Error::service(name, "", status);
            AttemptFailure::Response { error, service_time: None }.may_be_done()
        };
        assert!(reported("InternalServerError", 500));
        assert!(!reported("ThrottlingException", 400) && !reported("ValidationException", 400));
    }
}
