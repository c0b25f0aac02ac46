//! The credentials that requests are signed with: fetched once for many, renewed before they expire.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future,
};
use tokio::time::timeout;

use crate::error::{Error, Kind, Result};
use crate::single_flight::SingleFlight;
use crate::sync::lock;

/// Credentials are renewed this long before they expire, or in the last tenth of a shorter life.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// How long a failed renewal rests while the old credentials last.
const RENEW_AGAIN: Duration = Duration::from_secs(5);

/// A provider, and what it gave last.
#[derive(Clone)]
pub struct CredentialsCache(Arc<Shared>);

struct Shared {
    provider: SharedCredentialsProvider,
    /// How long the provider may take.
    limit: Duration,
    /// Whether the provider may give other keys the next time, although it gives these without an expiration.
    may_change: bool,
    current: Mutex<Option<Current>>,
    fetching: SingleFlight<Arc<Credentials>>,
}

struct Current {
    credentials: Arc<Credentials>,
    renew_at: Option<SystemTime>,
}

impl Current {
    fn new(credentials: Arc<Credentials>) -> Self {
        let now = SystemTime::now();
        let renew_at = credentials.expiry().map(|expiry| {
            let life = expiry.duration_since(now).unwrap_or_default();
            expiry - RENEW_BEFORE.min(life / 10)
        });
        Self { credentials, renew_at }
    }

    fn is_expired(&self, now: SystemTime) -> bool {
        self.credentials.expiry().is_some_and(|expiry| expiry <= now)
    }
}

impl CredentialsCache {
    /// `limit` bounds a fetch, so that a provider that hangs is asked again. With `may_change`, the provider may give
    /// other keys the next time even if those it gives never expire.
    pub fn new(provider: SharedCredentialsProvider, limit: Duration, may_change: bool) -> Self {
        Self(Arc::new(Shared {
            provider,
            limit,
            may_change,
            current: Mutex::default(),
            fetching: SingleFlight::default(),
        }))
    }

    /// Valid credentials. Those that expire soon are renewed while they are still used.
    pub async fn get(&self) -> Result<Arc<Credentials>> {
        match self.cached() {
            Some(credentials) => Ok(credentials),
            None => self.fetch_in_full().await,
        }
    }

    /// A fetch that was already running when the caller joined it may time out long before the caller does. The caller
    /// then waits for another one.
    async fn fetch_in_full(&self) -> Result<Arc<Credentials>> {
        let was_running = self.0.fetching.is_running();
        match self.fetch().await {
            Err(error) if was_running && error.kind == Kind::Timeout => self.fetch().await,
            outcome => outcome,
        }
    }

    /// The credentials that are known to be valid now.
    pub fn cached(&self) -> Option<Arc<Credentials>> {
        let now = SystemTime::now();
        let mut current = self.current();
        let current = current.as_mut().filter(|current| !current.is_expired(now))?;
        if current.renew_at.is_some_and(|at| at <= now) {
            current.renew_at = Some(now + RENEW_AGAIN);
            drop(self.fetch());
        }
        Some(Arc::clone(&current.credentials))
    }

    /// Forgets `refused`, so that the next request fetches new ones. Credentials that were fetched since are kept.
    /// False when the provider can only give the same again.
    pub fn forget(&self, refused: &Credentials) -> bool {
        if !self.may_change(refused) {
            return false;
        }
        let mut current = self.current();
        if current.as_ref().is_some_and(|current| *current.credentials == *refused) {
            *current = None;
        }
        true
    }

    /// Forgets the current credentials, when it is not known which were refused. False when the provider can only give
    /// the same again.
    pub fn forget_all(&self) -> bool {
        let mut current = self.current();
        if current.as_ref().is_some_and(|current| !self.may_change(&current.credentials)) {
            return false;
        }
        *current = None;
        true
    }

    /// Keys of the options, of environment variables, and of profiles are read once and have no expiration.
    fn may_change(&self, credentials: &Credentials) -> bool {
        let is_of_process = |features: &Vec<_>| features.contains(&AwsCredentialFeature::CredentialsProcess);
        self.0.may_change
            || credentials.expiry().is_some()
            || credentials.get_property().is_some_and(is_of_process)
    }

    fn fetch(&self) -> impl Future<Output = Result<Arc<Credentials>>> + use<> {
        let shared = Arc::clone(&self.0);
        self.0.fetching.join(async move {
            let credentials = match timeout(shared.limit, shared.provider.provide_credentials()).await {
                Ok(fetched) => fetched.map_err(Error::from)?,
                Err(_) => {
                    return Err(Error::new(
                        Kind::Timeout,
                        format!("no credentials within {:?}", shared.limit),
                    ));
                }
            };
            refuse_unsendable(&credentials)?;
            let credentials = Arc::new(credentials);
            *lock(&shared.current) = Some(Current::new(Arc::clone(&credentials)));
            Ok(credentials)
        })
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        lock(&self.0.current)
    }
}

/// Keys that were read from a file may end in a newline, which no header can hold.
fn refuse_unsendable(credentials: &Credentials) -> Result<()> {
    let is_sendable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_sendable(credentials.access_key_id()) && credentials.session_token().is_none_or(is_sendable) {
        return Ok(());
    }
    let message =
        "the access key id or the session token has a character that no header can hold, such as a newline";
    Err(Error::new(Kind::Credentials, message))
}

/// Serves the SDK's clients from the same cache.
impl ProvideCredentials for CredentialsCache {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let credentials = self.get().await.map_err(CredentialsError::provider_error)?;
            Ok(Credentials::clone(&credentials))
        })
    }
}

impl fmt::Debug for CredentialsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CredentialsCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Gives credentials of the given life, numbered; fails when the life is zero.
    #[derive(Debug, Default)]
    struct Numbered {
        calls: Arc<AtomicU32>,
        life: Option<Duration>,
    }

    impl ProvideCredentials for Numbered {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let number = self.calls.fetch_add(1, Ordering::Relaxed);
            let expiry = self.life.map(|life| SystemTime::now() + life);
            future::ProvideCredentials::new(async move {
                tokio::task::yield_now().await;
                match expiry {
                    Some(_) if number == 0 && self.life == Some(Duration::ZERO) => {
                        Err(CredentialsError::not_loaded("none"))
                    }
                    _ => Ok(Credentials::new(number.to_string(), "secret", None, expiry, "test")),
                }
            })
        }
    }

    fn cache(life: Option<Duration>) -> (CredentialsCache, Arc<AtomicU32>) {
        let calls = Arc::default();
        let provider = Numbered { calls: Arc::clone(&calls), life };
        (CredentialsCache::new(SharedCredentialsProvider::new(provider), Duration::from_secs(5), true), calls)
    }

    fn key(credentials: &Credentials) -> &str {
        credentials.access_key_id()
    }

    #[test]
    fn keys_that_no_header_can_hold_are_refused() {
        let with = |id: &str, token: Option<&str>| {
            refuse_unsendable(&Credentials::new(id, "secret", token.map(str::to_owned), None, "test"))
        };
        assert!(with("AKID", Some("to/ke+n==")).is_ok());
        for (id, token) in [("AKID\n", None), ("AK ID", None), ("AKID", Some("token\n")), ("é", None)] {
            assert_eq!(with(id, token).unwrap_err().kind, Kind::Credentials);
        }
    }

    #[tokio::test]
    async fn keys_that_cannot_change_are_kept_when_they_are_refused() {
        let keys = Credentials::new("AKID", "secret", None, None, "test");
        let cache = |keys: &Credentials, may_change| {
            let provider = SharedCredentialsProvider::new(keys.clone());
            CredentialsCache::new(provider, Duration::from_secs(5), may_change)
        };
        let fixed = cache(&keys, false);
        fixed.get().await.unwrap();
        assert!(!fixed.forget(&keys) && !fixed.forget_all());
        assert!(fixed.current().is_some());

        let mut expiring = keys.clone();
        *expiring.expiry_mut() = Some(SystemTime::now() + Duration::from_secs(60));
        let mut of_process = keys.clone();
        of_process
            .get_property_mut_or_default::<Vec<AwsCredentialFeature>>()
            .push(AwsCredentialFeature::CredentialsProcess);
        for (credentials, may_change) in [(&keys, true), (&expiring, false), (&of_process, false)] {
            let cache = cache(credentials, may_change);
            cache.get().await.unwrap();
            assert!(cache.forget(credentials) && cache.current().is_none());
        }
    }

    #[tokio::test]
    async fn many_waiters_share_one_fetch() {
        let (cache, calls) = cache(None);
        let (a, b) = tokio::join!(cache.get(), cache.get());
        assert_eq!((key(&a.unwrap()), key(&b.unwrap())), ("0", "0"));
        cache.get().await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    /// Does not answer the first call.
    #[derive(Debug, Default)]
    struct SilentAtFirst(AtomicU32);

    impl ProvideCredentials for SilentAtFirst {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            future::ProvideCredentials::new(async move {
                if number == 0 {
                    std::future::pending::<()>().await;
                }
                Ok(Credentials::new(number.to_string(), "secret", None, None, "test"))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_joins_a_fetch_near_its_limit_gets_another_one() {
        let provider = SharedCredentialsProvider::new(SilentAtFirst::default());
        let cache = CredentialsCache::new(provider, Duration::from_secs(5), true);
        let late = async {
            tokio::time::sleep(Duration::from_millis(4999)).await;
            cache.get().await
        };
        let (first, late) = tokio::join!(cache.get(), late);
        assert_eq!(first.unwrap_err().kind, Kind::Timeout);
        assert_eq!(key(&late.unwrap()), "1");
    }

    #[tokio::test]
    async fn renews_in_the_last_tenth_while_the_old_ones_serve() {
        let (cache, calls) = cache(Some(Duration::from_millis(300)));
        cache.get().await.unwrap();
        tokio::time::sleep(Duration::from_millis(275)).await;
        assert_eq!(key(&cache.get().await.unwrap()), "0");
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(key(&cache.get().await.unwrap()), "1");
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn refused_ones_are_fetched_anew_and_a_failure_is_not_kept() {
        let (cache, _) = cache(None);
        let first = cache.get().await.unwrap();
        cache.forget(&first);
        assert_eq!(key(&cache.get().await.unwrap()), "1");
        cache.forget(&first);
        assert_eq!(key(&cache.get().await.unwrap()), "1");

        let (cache, _) = self::cache(Some(Duration::ZERO));
        assert_eq!(cache.get().await.unwrap_err().kind, Kind::Credentials);
        assert_eq!(key(&cache.get().await.unwrap()), "1");
    }
}
