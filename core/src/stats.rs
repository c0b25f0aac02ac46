//! What a store has sent, received and tried again since it was made.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub struct Stats {
    /// Attempts after the first of an operation.
    pub retries: Counter,
    /// Answers that asked to slow down.
    pub throttles: Counter,
    /// Bytes of the bodies of requests.
    pub bytes_sent: Counter,
    /// Bytes of the bodies of responses.
    pub bytes_received: Counter,
    pub open_connections: Counter,
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
