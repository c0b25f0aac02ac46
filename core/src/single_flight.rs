//! Shares one run of some work among all callers that ask for it while it is running.

use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use crate::error::Result;
use crate::runtime::guard;
use crate::sync::lock;

type Flight<T> = Shared<BoxFuture<'static, Result<T>>>;

/// Shares the result of some work with every caller that joins before it ends.
pub(crate) struct SingleFlight<T: Clone>(Mutex<Option<Flight<T>>>);

impl<T: Clone> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// Whether a caller would join work that is already running.
    pub(crate) fn is_running(&self) -> bool {
        let flight = lock(&self.0);
        flight.as_ref().is_some_and(|running| running.peek().is_none())
    }

    /// Joins the running work, or starts it. The work continues even if all callers stop waiting. If it panics, the callers
    /// that wait get an error, and the next call starts it again.
    pub(crate) fn join(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Flight<T> {
        let mut flight = lock(&self.0);
        match &*flight {
            Some(running) if running.peek().is_none() => running.clone(),
            _ => {
                let started = guard(work).boxed().shared();
                tokio::spawn(started.clone());
                *flight = Some(started.clone());
                started
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn concurrent_callers_share_a_run_and_the_next_caller_starts_another() {
        let runs = Arc::new(AtomicU32::new(0));
        let work = || {
            let runs = Arc::clone(&runs);
            async move {
                tokio::task::yield_now().await;
                Ok(runs.fetch_add(1, Ordering::Relaxed))
            }
        };
        let flight = SingleFlight::default();
        let (first, second) = tokio::join!(flight.join(work()), flight.join(work()));
        assert_eq!((first.unwrap(), second.unwrap()), (0, 0));
        assert_eq!(flight.join(work()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_panic_fails_only_its_own_run() {
        let flight = SingleFlight::default();
        let outcome = flight.join(async { panic!("expected by this test") }).await;
        assert_eq!(outcome.unwrap_err().kind, Kind::Internal);
        assert_eq!(flight.join(async { Ok(1) }).await.unwrap(), 1);
    }
}
