//! What is tried again, when, and how often.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::error::{Error, Kind};

/// Names of DynamoDB's and the general AWS errors that ask the caller to slow down
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>,
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
const THROTTLING: [&str; 13] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];
/// Other client errors that pass by themselves.
const TRANSIENT: [&str; 6] = [
    "InternalServerError",
    "ReplicatedWriteConflictException",
    "RequestTimeout",
    "RequestTimeoutException",
    "TransactionConflictException",
    "TransactionInProgressException",
];
const CLOCK: [&str; 5] = [
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];
const CREDENTIALS: [&str; 4] =
    ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"];

/// Why an attempt may be worth another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The service or the network failed for the moment.
    Transient,
    Throttled,
    /// The service's clock and ours differ, perhaps.
    Clock,
    /// The service refuses the credentials.
    Credentials,
    /// The same request would fail the same way.
    Never,
}

impl Cause {
    /// The service refused the request unread, so that repeating it, signed anew, is no load to save.
    pub fn is_of_the_signature(self) -> bool {
        matches!(self, Self::Clock | Self::Credentials)
    }
}

pub fn cause(error: &Error) -> Cause {
    match &error.kind {
        _ if error.is_permanent => Cause::Never,
        Kind::Timeout | Kind::Network => Cause::Transient,
        Kind::Service(name) => {
            let name: &str = name;
            if THROTTLING.contains(&name) || error.status == Some(429) {
                Cause::Throttled
            } else if TRANSIENT.contains(&name) || error.is_server_fault() {
                Cause::Transient
            } else if CLOCK.contains(&name) {
                Cause::Clock
            } else if CREDENTIALS.contains(&name) {
                Cause::Credentials
            } else {
                Cause::Never
            }
        }
        _ => Cause::Never,
    }
}

/// Whether the service refuses the keys or what was signed with them. A wrong secret and a wrong clock give errors of
/// the same names: unless the message speaks of the time, it is the secret, once the clock is known to be right.
pub fn blames_keys(error: &Error) -> bool {
    match cause(error) {
        Cause::Credentials => true,
        Cause::Clock => {
            (error.is_service("InvalidSignatureException") || error.is_service("SignatureDoesNotMatch"))
                && !error.message.starts_with("Signature expired")
                && !error.message.starts_with("Signature not yet current")
        }
        _ => false,
    }
}

/// The pause before attempt number `next` (2 is the first repetition): full jitter under a doubling bound.
pub fn pause(cause: Cause, next: u32) -> Duration {
    let first = match cause {
        Cause::Throttled => Duration::from_millis(200),
        Cause::Transient => Duration::from_millis(50),
        Cause::Clock | Cause::Credentials | Cause::Never => return Duration::ZERO,
    };
    const LONGEST: Duration = Duration::from_secs(2);
    let bound = first.saturating_mul(1 << next.saturating_sub(2).min(16)).min(LONGEST);
    bound.mul_f64(fastrand::f64())
}

/// Tokens shared by the operations of a store, so that a table that is down is not asked three times as
/// much. The figures are those of the AWS SDKs' standard retry mode.
#[derive(Debug)]
pub struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 500;
    const RETRY: u32 = 5;

    /// Takes the price of a repetition, if it is there.
    pub fn take(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| tokens.checked_sub(Self::RETRY))
            .is_ok()
    }

    /// Pays back for an operation that succeeded: what its repetition took, or a token.
    pub fn give(&self, attempts: u32) {
        let tokens = if attempts > 1 { Self::RETRY } else { 1 };
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            (held < Self::FULL).then_some((held + tokens).min(Self::FULL))
        });
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_by_name_and_status() {
        let of = |name: &'static str, status| cause(&Error::service(name, "", status));
        assert_eq!(of("ProvisionedThroughputExceededException", 400), Cause::Throttled);
        assert_eq!(of("Anything", 429), Cause::Throttled);
        assert_eq!(of("Anything", 503), Cause::Transient);
        assert_eq!(of("TransactionConflictException", 400), Cause::Transient);
        assert_eq!(of("RequestTimeTooSkewed", 400), Cause::Clock);
        assert_eq!(of("ExpiredTokenException", 400), Cause::Credentials);
        for name in [
            "ValidationException",
            "AccessDeniedException",
            "ResourceNotFoundException",
            "ConditionalCheckFailedException",
        ] {
            assert_eq!(of(name, 400), Cause::Never, "{name}");
        }
        assert_eq!(of("SlowDown", 400), Cause::Throttled);
        let permanent = Error::service("ExpiredTokenException", "", 400).permanent();
        assert_eq!(cause(&permanent), Cause::Never);
        assert_eq!(cause(&Error::new(Kind::Network, "")), Cause::Transient);
        assert_eq!(cause(&Error::new(Kind::Credentials, "")), Cause::Never);
    }

    #[test]
    fn a_wrong_secret_is_told_from_a_wrong_clock() {
        let blames = |name: &'static str, message| blames_keys(&Error::service(name, message, 400));
        for name in ["InvalidSignatureException", "SignatureDoesNotMatch"] {
            assert!(blames(
                name,
                "The request signature we calculated does not match the signature you provided."
            ));
            assert!(!blames(
                name,
                "Signature expired: 20261121T000000Z is now earlier than 20261121T010000Z"
            ));
            assert!(!blames(
                name,
                "Signature not yet current: 20261121T010000Z is still later than 20261121T000000Z"
            ));
        }
        assert!(blames("UnrecognizedClientException", ""));
        assert!(!blames("RequestTimeTooSkewed", "") && !blames("ValidationException", ""));
    }

    #[test]
    fn pauses_stay_under_a_doubling_bound() {
        for next in 2..40 {
            let bound = Duration::from_millis(50 << (next - 2).min(10)).min(Duration::from_secs(2));
            assert!(pause(Cause::Transient, next) <= bound, "attempt {next}");
        }
        assert_eq!(pause(Cause::Clock, 2), Duration::ZERO);
    }

    #[test]
    fn the_budget_ends_and_is_earned_back() {
        let budget = Budget::default();
        assert_eq!((0..200).filter(|_| budget.take()).count(), 100);
        budget.give(2);
        assert!(budget.take());
        (0..5).for_each(|_| budget.give(1));
        assert!(budget.take());
        assert!(!budget.take());
    }
}
