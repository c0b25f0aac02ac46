//! What a store has sent, received and tried again since it was made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
