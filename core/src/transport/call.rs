//! Per-call options, and the trace of a call.

use std::time::Duration;

use tokio::time::Instant;

/// The options of one call.
#[derive(Clone, Copy, Debug)]
pub struct CallOptions {
    /// When the operation started, from which its time limit counts.
    pub started: Instant,
    /// The time limit, if it is shorter than that of the store.
    pub timeout: Option<Duration>,
    /// Whether to ask the service for the consumed capacity.
    pub wants_capacity: bool,
}

impl Default for CallOptions {
    /// An operation that starts now.
    fn default() -> Self {
        Self { started: Instant::now(), timeout: None, wants_capacity: false }
    }
}

impl CallOptions {
    /// When the operation must have ended. `timeout` is the time limit of the store.
    pub fn deadline(self, timeout: Duration) -> Instant {
        self.started + self.timeout.map_or(timeout, |shorter| shorter.min(timeout))
    }

    /// Grants the full time limit again.
    pub fn restart(&mut self) {
        self.started = Instant::now();
    }
}

/// What happened during an operation, whether it succeeds or fails.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The number of attempts. An attempt counts once it has a connection slot and a signed request, so one whose connection
    /// cannot be established counts too.
    pub attempts: u32,
    /// The attempts that do not count toward the maximum: requests sent again because the server had closed a kept
    /// connection, and backup reads.
    pub extra_attempts: u32,
    /// Whether the service may have processed an attempt that failed or was cut off.
    pub may_be_done: bool,
    /// HTTP status of the last response.
    pub status: Option<u16>,
    /// Capacity units that all requests together consumed.
    pub capacity_units: Option<f64>,
    /// What is collected only if the caller asks for it.
    pub details: Option<Box<TraceDetails>>,
}

/// The part of a [`Trace`] that only traced operations have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceDetails {
    /// The `x-amzn-requestid` of the last response.
    pub request_id: Option<String>,
    /// Whether the last read was strongly consistent.
    pub consistent_read: Option<bool>,
}

impl Trace {
    /// The attempts that count toward the maximum.
    pub fn counted_attempts(&self) -> u32 {
        self.attempts - self.extra_attempts
    }
}
