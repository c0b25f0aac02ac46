//! Caches the credentials that sign requests, and renews them before they expire.

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

/// Credentials are renewed this long before they expire, or in the last tenth of their lifetime if that is shorter.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// The pause after a failed renewal, while the old credentials are still valid.
const RENEW_AGAIN: Duration = Duration::from_secs(5);

/// A provider, and the credentials that it returned last.
#[derive(Clone)]
pub(crate) struct CredentialsCache(Arc<Shared>);

struct Shared {
    provider: SharedCredentialsProvider,
    /// The time that the provider may take.
    limit: Duration,
    /// Whether the provider may return other keys next time, although the current ones do not expire.
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
    /// `limit` is the maximum time of one fetch; after it, a hung provider is called again. With `may_change`, the provider
    /// may return different keys next time even if the current ones do not expire.
    pub(crate) fn new(provider: SharedCredentialsProvider, limit: Duration, may_change: bool) -> Self {
        Self(Arc::new(Shared {
            provider,
            limit,
            may_change,
            current: Mutex::default(),
            fetching: SingleFlight::default(),
        }))
    }

    /// Returns valid credentials. If they expire soon, this starts to renew them in the background.
    pub(crate) async fn get(&self) -> Result<Arc<Credentials>> {
        match self.cached() {
            Some(credentials) => Ok(credentials),
            None => self.fetch_or_join().await,
        }
    }

    /// Fetches credentials. A fetch that was already running may time out long before the caller does. The caller then waits
    /// for another one.
    async fn fetch_or_join(&self) -> Result<Arc<Credentials>> {
        let was_running = self.0.fetching.is_running();
        match self.fetch().await {
            Err(error) if was_running && error.kind == Kind::Timeout => self.fetch().await,
            outcome => outcome,
        }
    }

    /// The cached credentials, if they are valid.
    pub(crate) fn cached(&self) -> Option<Arc<Credentials>> {
        let now = SystemTime::now();
        let mut current = self.current();
        let current = current.as_mut().filter(|current| !current.is_expired(now))?;
        if current.renew_at.is_some_and(|at| at <= now) {
            current.renew_at = Some(now + RENEW_AGAIN);
            drop(self.fetch());
        }
        Some(Arc::clone(&current.credentials))
    }

    /// Forgets credentials that the service rejected, so that the next request fetches new ones. Credentials that were
    /// fetched since then are kept. Returns false if the provider can only return the same ones again.
    pub(crate) fn forget(&self, rejected: &Credentials) -> bool {
        if !self.may_change(rejected) {
            return false;
        }
        let mut current = self.current();
        if current.as_ref().is_some_and(|current| *current.credentials == *rejected) {
            *current = None;
        }
        true
    }

    /// Forgets the current credentials. For callers that do not know which ones were rejected. Returns false if the
    /// provider can only return the same ones again.
    pub(crate) fn forget_all(&self) -> bool {
        let mut current = self.current();
        if current.as_ref().is_some_and(|current| !self.may_change(&current.credentials)) {
            return false;
        }
        *current = None;
        true
    }

    /// Whether the provider may return different credentials. Keys from options, environment variables, and profiles are read
    /// once and do not expire.
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
            check_sendable(&credentials)?;
            let credentials = Arc::new(credentials);
            *lock(&shared.current) = Some(Current::new(Arc::clone(&credentials)));
            Ok(credentials)
        })
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        lock(&self.0.current)
    }
}

/// Rejects credentials that cannot be sent in a header. Keys from a file often end with a newline.
fn check_sendable(credentials: &Credentials) -> Result<()> {
    let is_sendable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_sendable(credentials.access_key_id()) && credentials.session_token().is_none_or(is_sendable) {
        return Ok(());
    }
    let message = "the access key ID or the session token contains a character that is not allowed in a header, such as a newline";
    Err(Error::new(Kind::Credentials, message))
}

impl From<CredentialsError> for Error {
    fn from(error: CredentialsError) -> Self {
        Error::find_in(&error).unwrap_or_else(|| {
            Error::new(Kind::Credentials, "the credentials provider failed").with_source(error)
        })
    }
}

/// Provides the same credentials to the clients of the SDK.
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

    /// Returns numbered credentials with the given lifetime. If the lifetime is zero, the first call fails.
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
    fn keys_that_are_invalid_in_a_header_are_rejected() {
        let with = |id: &str, token: Option<&str>| {
            check_sendable(&Credentials::new(id, "secret", token.map(str::to_owned), None, "test"))
        };
        assert!(with("AKID", Some("to/ke+n==")).is_ok());
        for (id, token) in [("AKID\n", None), ("AK ID", None), ("AKID", Some("token\n")), ("é", None)] {
            assert_eq!(with(id, token).unwrap_err().kind, Kind::Credentials);
        }
    }

    #[tokio::test]
    async fn rejected_keys_that_cannot_change_are_kept() {
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
    async fn concurrent_callers_share_one_fetch() {
        let (cache, calls) = cache(None);
        let (a, b) = tokio::join!(cache.get(), cache.get());
        assert_eq!((key(&a.unwrap()), key(&b.unwrap())), ("0", "0"));
        cache.get().await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    /// Never returns from the first call.
    #[derive(Debug, Default)]
    struct HangsAtFirst(AtomicU32);

    impl ProvideCredentials for HangsAtFirst {
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
        let provider = SharedCredentialsProvider::new(HangsAtFirst::default());
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
    async fn credentials_are_renewed_in_the_last_tenth_of_their_lifetime() {
        let (cache, calls) = cache(Some(Duration::from_millis(300)));
        cache.get().await.unwrap();
        tokio::time::sleep(Duration::from_millis(275)).await;
        assert_eq!(key(&cache.get().await.unwrap()), "0");
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(key(&cache.get().await.unwrap()), "1");
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn rejected_credentials_are_fetched_again_and_failures_are_not_cached() {
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
