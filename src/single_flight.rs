//! One run of some work for all who ask for it while it is under way.

use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

/// Shares the outcome of work among those who join before it ends.
pub struct SingleFlight<T: Clone>(Mutex<Option<Shared<BoxFuture<'static, T>>>>);

impl<T: Clone> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// Joins the work under way, or starts it. It goes on when those who wait for it give up.
    pub fn join(&self, work: impl Future<Output = T> + Send + 'static) -> Shared<BoxFuture<'static, T>> {
        let mut flight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*flight {
            Some(running) if running.peek().is_none() => running.clone(),
            _ => {
                let started = work.boxed().shared();
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn those_who_wait_share_a_run_and_the_next_starts_another() {
        let runs = Arc::new(AtomicU32::new(0));
        let work = || {
            let runs = Arc::clone(&runs);
            async move {
                tokio::task::yield_now().await;
                runs.fetch_add(1, Ordering::Relaxed)
            }
        };
        let flight = SingleFlight::default();
        let (first, second) = tokio::join!(flight.join(work()), flight.join(work()));
        assert_eq!((first, second), (0, 0));
        assert_eq!(flight.join(work()).await, 1);
    }
}
