//! The service's clock. A signature is valid for some minutes only, and the clock of this machine may be wrong.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A difference in seconds that can make a signature invalid.
const NOTICEABLE: u64 = 60;

/// How many seconds the service's clock is ahead of ours. It is 0 until the service rejects a signature for its time.
#[derive(Debug, Default)]
pub(super) struct ClockOffset(AtomicI64);

impl ClockOffset {
    pub(super) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adopts the service's time, in seconds since 1970. Returns whether the new offset differs enough from `clock_offset`
    /// that signing again may help.
    pub(super) fn adjust(&self, clock_offset: i64, service_time: Option<i64>) -> bool {
        let Some(service_time) = service_time else {
            return false;
        };
        let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let offset = service_time.saturating_sub_unsigned(ours);
        self.0.store(offset, Ordering::Relaxed);
        clock_offset.abs_diff(offset) >= NOTICEABLE
    }
}

/// The time on a clock that is `offset` seconds ahead of ours.
pub(super) fn now_with(offset: i64) -> SystemTime {
    let distance = Duration::from_secs(offset.unsigned_abs());
    let now = SystemTime::now();
    let shifted = if offset < 0 { now.checked_sub(distance) } else { now.checked_add(distance) };
    shifted.unwrap_or(now)
}
