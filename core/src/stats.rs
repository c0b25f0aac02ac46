//! What a store has sent, received, and retried since it was created.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::error::Error;
use crate::sync::lock;

/// The maximum number of different reasons to count. DynamoDB has 16.
const MOST_REASONS: usize = 64;

/// The counters of a store.
#[derive(Debug, Default)]
pub struct Stats {
    /// Attempts after the first of an operation.
    pub retries: Counter,
    /// Retries that were sent while the first read still had no response.
    pub backup_reads: Counter,
    /// Responses with a throttling error.
    pub throttles: Counter,
    /// Size of all request bodies, in bytes.
    pub bytes_sent: Counter,
    /// Size of all response bodies, in bytes.
    pub bytes_received: Counter,
    /// Connections that are open now.
    pub open_connections: Counter,
    /// Reads of sessions that are not encrypted, by a store that encrypts.
    pub plain_reads: Counter,
    /// DNS lookups that failed or returned no address.
    pub dns_failures: Counter,
    /// Connections to the last addresses that worked, because DNS failed.
    pub dns_fallbacks: Counter,
    /// The number of throttling errors, by reason.
    throttling_reasons: Mutex<BTreeMap<String, u64>>,
}

impl Stats {
    /// Counts a throttling error.
    pub fn count_throttle(&self, error: &Error) {
        self.throttles.add(1);
        let Some(reasons) = &error.throttling_reasons else {
            return;
        };
        let mut counts = lock(&self.throttling_reasons);
        for name in reasons.iter().filter_map(|entry| entry.reason.as_ref()) {
            if let Some(count) = counts.get_mut(name) {
                *count += 1;
            } else if counts.len() < MOST_REASONS {
                counts.insert(name.clone(), 1);
            }
        }
    }

    /// The number of throttling errors, by reason.
    pub fn throttling_reasons(&self) -> BTreeMap<String, u64> {
        lock(&self.throttling_reasons).clone()
    }
}

/// Counts an open connection until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection(Arc<Stats>);

impl OpenConnection {
    pub(crate) fn new(stats: &Arc<Stats>) -> Self {
        stats.open_connections.add(1);
        Self(Arc::clone(stats))
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open_connections.subtract(1);
    }
}

/// A number that the runtime thread changes and JavaScript threads read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to the counter.
    pub fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    /// Subtracts from the counter.
    pub fn subtract(&self, less: usize) {
        self.0.fetch_sub(less as u64, Ordering::Relaxed);
    }

    /// The value of the counter.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
