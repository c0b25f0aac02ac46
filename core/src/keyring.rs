//! The keys that encrypt sessions. Keys that come from a function of the app are fetched when they are needed, and kept.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::{Error, Kind, Result};
use crate::item::encryption::Keys;
use crate::single_flight::SingleFlight;
use crate::sync::lock;

/// The pause between two calls of the function. It doubles while an unknown key remains unknown, so that junk in the table
/// does not cause a call for each read.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A function of the app that returns the keys.
pub type KeySource = Arc<dyn Fn() -> BoxFuture<'static, Result<Keys>> + Send + Sync>;

/// The known keys, and the function that they come from, if they do.
#[derive(Clone)]
pub(crate) struct Keyring(Arc<Shared>);

struct Shared {
    source: Option<KeySource>,
    /// The time that the function may take.
    limit: Duration,
    /// How old the keys get before the function is called again.
    refresh_after: Duration,
    state: Mutex<State>,
    fetching: SingleFlight<Arc<Keys>>,
}

/// Why the function is called.
#[derive(Clone, Copy, PartialEq)]
enum Cause {
    /// There are no keys, or they may have changed.
    Age,
    /// A session is encrypted under an unknown key.
    UnknownKey,
}

struct State {
    keys: Option<Arc<Keys>>,
    /// The error of the last call, if it failed.
    error: Option<Error>,
    /// When the function last returned keys.
    fetched_at: Option<Instant>,
    /// The function is not called again before this.
    next_call: Instant,
    pause: Duration,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").finish_non_exhaustive()
    }
}

impl Keyring {
    /// `keys` do not change. Without them, `source` returns the keys, in at most `limit`.
    pub(crate) fn new(
        keys: Option<Keys>,
        source: Option<KeySource>,
        limit: Duration,
        refresh_after: Duration,
    ) -> Self {
        let now = Instant::now();
        let keys = keys.map(Arc::new);
        let state = State { keys, error: None, fetched_at: None, next_call: now, pause: SHORTEST_PAUSE };
        let state = Mutex::new(state);
        Self(Arc::new(Shared { source, limit, refresh_after, state, fetching: SingleFlight::default() }))
    }

    /// The known keys. If they are old, this starts to fetch them again in the background.
    pub(crate) async fn keys(&self, deadline: Instant) -> Result<Arc<Keys>> {
        let (known, may_call) = {
            let state = self.state();
            let now = Instant::now();
            let may_call = self.0.source.is_some() && now >= state.next_call;
            let is_old = state.fetched_at.is_some_and(|time| now - time >= self.0.refresh_after);
            if is_old && may_call {
                drop(self.fetch(Cause::Age));
            }
            (state.keys.clone(), may_call)
        };
        match known {
            Some(keys) => Ok(keys),
            None if may_call || self.0.fetching.is_running() => self.wait(Cause::Age, deadline).await,
            None => Err(self.last_error()),
        }
    }

    /// The keys that the function returns now. Other processes may already use them.
    pub(crate) async fn newest_keys(&self, deadline: Instant) -> Result<Arc<Keys>> {
        match &self.0.source {
            Some(_) => self.wait(Cause::Age, deadline).await,
            None => self.keys(deadline).await,
        }
    }

    /// The known keys, which include the one with this ID. Calls the function if it is unknown, but not too often.
    pub(crate) async fn keys_with(&self, id: &str, deadline: Instant) -> Result<Arc<Keys>> {
        let keys = self.keys(deadline).await?;
        if keys.get(id).is_some() {
            return Ok(keys);
        }
        let may_call = self.0.source.is_some() && Instant::now() >= self.state().next_call;
        if may_call || self.0.fetching.is_running() {
            let fetched = self.wait(Cause::UnknownKey, deadline).await?;
            if fetched.get(id).is_some() {
                return Ok(fetched);
            }
        }
        Err(unknown_key(id))
    }

    async fn wait(&self, cause: Cause, deadline: Instant) -> Result<Arc<Keys>> {
        timeout_at(deadline, self.fetch(cause)).await.unwrap_or_else(|_| Err(late()))
    }

    fn last_error(&self) -> Error {
        self.state().error.clone().unwrap_or_else(late)
    }

    fn fetch(&self, cause: Cause) -> impl Future<Output = Result<Arc<Keys>>> + use<> {
        let shared = Arc::clone(&self.0);
        self.0.fetching.join(async move {
            let fetched = match &shared.source {
                Some(source) => timeout(shared.limit, source()).await.unwrap_or_else(|_| Err(late())),
                None => Err(Error::new(Kind::EncryptionKey, "there are no keys")),
            };
            shared.remember(fetched, cause)
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

impl Shared {
    fn remember(&self, fetched: Result<Keys>, cause: Cause) -> Result<Arc<Keys>> {
        let now = Instant::now();
        let mut state = lock(&self.state);
        match fetched {
            Ok(keys) => {
                let is_fruitless = cause == Cause::UnknownKey && state.keys.as_deref() == Some(&keys);
                state.pause =
                    if is_fruitless { (state.pause * 2).min(LONGEST_PAUSE) } else { SHORTEST_PAUSE };
                state.next_call = now + state.pause;
                state.fetched_at = Some(now);
                state.error = None;
                let keys = Arc::new(keys);
                state.keys = Some(Arc::clone(&keys));
                Ok(keys)
            }
            Err(error) => {
                state.next_call = now + SHORTEST_PAUSE;
                state.error = Some(error.clone());
                Err(error)
            }
        }
    }
}

/// The error of a session that is encrypted under an unknown key. Another process may already have the key, so the session
/// exists.
pub(crate) fn unknown_key(id: &str) -> Error {
    let message = format!("the session is encrypted under the key {id:?}, which is not among the known keys");
    Error::new(Kind::EncryptionKey, message)
}

fn late() -> Error {
    Error::new(Kind::EncryptionKey, "the function that returns the encryption keys took too long")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::time::{advance, sleep};

    const SECOND: Duration = Duration::from_secs(1);

    /// A keyring whose function takes a second and then returns the next of these keys; without any, it fails. Also returns
    /// the number of calls.
    fn keyring(answers: &'static [&'static [&'static str]]) -> (Keyring, Arc<AtomicU32>) {
        let calls = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&calls);
        let source = move || {
            let call = counter.fetch_add(1, Ordering::Relaxed) as usize;
            let ids = answers[call.min(answers.len() - 1)];
            async move {
                sleep(SECOND).await;
                let keys: Vec<_> = ids.iter().map(|&id| (id, 1)).collect();
                let failed = || Error::new(Kind::EncryptionKey, "no key service");
                if keys.is_empty() { Err(failed()) } else { Ok(Keys::sample(&keys)) }
            }
            .boxed()
        };
        (Keyring::new(None, Some(Arc::new(source)), 5 * SECOND, 300 * SECOND), calls)
    }

    fn deadline() -> Instant {
        Instant::now() + 10 * SECOND
    }

    fn newest(keys: Result<Arc<Keys>>) -> String {
        keys.unwrap().newest().id().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_operations_share_a_call_and_later_ones_use_the_keys() {
        let (keyring, calls) = keyring(&[&["a"]]);
        let (one, other) = tokio::join!(keyring.keys(deadline()), keyring.keys_with("a", deadline()));
        assert_eq!([newest(one), newest(other)], ["a", "a"]);
        advance(100 * SECOND).await;
        assert_eq!(newest(keyring.keys(deadline()).await), "a");
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_key_causes_few_calls() {
        let (keyring, calls) = keyring(&[&["a"]]);
        for _ in 0..3_000 {
            let error = keyring.keys_with("junk", deadline()).await.unwrap_err();
            assert_eq!(error.kind, Kind::EncryptionKey);
            assert!(error.message.contains("\"junk\""), "{error}");
            advance(SECOND / 10).await;
        }
        let calls = calls.load(Ordering::Relaxed);
        assert!((5..15).contains(&calls), "{calls} calls in 300 seconds");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rotated_key_is_found_and_old_keys_are_renewed_in_the_background() {
        let (keyring, calls) = keyring(&[&["a"], &["b", "a"], &["c", "b"]]);
        assert_eq!(newest(keyring.keys(deadline()).await), "a");
        assert!(keyring.keys_with("b", deadline()).await.is_err(), "the function was called just now");
        advance(SECOND).await;
        assert_eq!(newest(keyring.keys_with("b", deadline()).await), "b");
        advance(301 * SECOND).await;
        assert_eq!(newest(keyring.keys(deadline()).await), "b", "not delayed by the renewal");
        sleep(2 * SECOND).await;
        assert_eq!(newest(keyring.keys(deadline()).await), "c");
        assert_eq!(calls.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_without_a_new_key_does_not_delay_the_next_unknown_key() {
        const OLD: &[&str] = &["a"];
        let (keyring, _) = keyring(&[OLD, OLD, OLD, OLD, OLD, OLD, OLD, OLD, &["b", "a"]]);
        for _ in 0..7 {
            keyring.keys(deadline()).await.unwrap();
            sleep(2 * SECOND).await;
            advance(300 * SECOND).await;
        }
        assert!(keyring.keys(deadline()).await.is_ok());
        sleep(3 * SECOND).await;
        assert_eq!(newest(keyring.keys_with("b", deadline()).await), "b");
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_keys_are_those_that_the_function_returns_now() {
        let (keyring, _) = keyring(&[&["a"], &["b", "a"], &[]]);
        assert_eq!(newest(keyring.keys(deadline()).await), "a");
        assert_eq!(newest(keyring.newest_keys(deadline()).await), "b");
        assert!(keyring.newest_keys(deadline()).await.is_err());
        assert_eq!(newest(keyring.keys(deadline()).await), "b");
        let fixed = Keyring::new(Some(Keys::sample(&[("c", 1)])), None, SECOND, SECOND);
        assert_eq!(newest(fixed.newest_keys(deadline()).await), "c");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_function_is_called_once_per_second_and_known_keys_stay() {
        let (failing, calls) = keyring(&[&[], &["a"], &[]]);
        for _ in 0..10 {
            assert_eq!(failing.keys(deadline()).await.unwrap_err().message, "no key service");
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        advance(SECOND).await;
        assert_eq!(newest(failing.keys(deadline()).await), "a");
        advance(400 * SECOND).await;
        assert_eq!(newest(failing.keys(deadline()).await), "a");
        sleep(2 * SECOND).await;
        assert_eq!(newest(failing.keys_with("a", deadline()).await), "a");
        assert!(calls.load(Ordering::Relaxed) >= 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_that_never_settles_ends_with_the_operation() {
        let source: KeySource = Arc::new(|| std::future::pending().boxed());
        let keyring = Keyring::new(None, Some(source), 5 * SECOND, 300 * SECOND);
        let started = Instant::now();
        let error = keyring.keys(started + 2 * SECOND).await.unwrap_err();
        assert_eq!((error.kind, started.elapsed()), (Kind::EncryptionKey, 2 * SECOND));
        assert!(keyring.keys(deadline()).await.is_err());
        assert_eq!(started.elapsed(), 5 * SECOND, "the limit of the call");
    }
}
