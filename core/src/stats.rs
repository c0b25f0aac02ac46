//! What a store has sent, received and tried again since it was made.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::error::Error;
use crate::sync::lock;

/// Names of reasons that are counted; DynamoDB has 16.
const MOST_REASONS: usize = 64;

#[derive(Debug, Default)]
pub struct Stats {
    /// Attempts after the first of an operation.
    pub retries: Counter,
    /// Those of them that were sent while the first read was still unanswered.
    pub backup_reads: Counter,
    /// Answers that asked to slow down.
    pub throttles: Counter,
    /// Bytes of the bodies of requests.
    pub bytes_sent: Counter,
    /// Bytes of the bodies of responses.
    pub bytes_received: Counter,
    pub open_connections: Counter,
    /// Lookups of host names that failed or returned nothing.
    pub dns_failures: Counter,
    /// Connection attempts to the last addresses that worked, because DNS failed.
    pub dns_fallbacks: Counter,
    /// Reasons that came with throttling errors, by their names.
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

    pub fn throttling_reasons(&self) -> BTreeMap<String, u64> {
        lock(&self.throttling_reasons).clone()
    }
}

/// Counts an open connection until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<Stats>);

impl OpenConnection {
    pub fn new(stats: &Arc<Stats>) -> Self {
        stats.open_connections.add(1);
        Self(Arc::clone(stats))
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open_connections.subtract(1);
    }
}

/// A number that the runtime thread changes and a JavaScript thread reads.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub fn subtract(&self, less: usize) {
        self.0.fetch_sub(less as u64, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
