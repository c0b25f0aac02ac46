//! Which errors to retry, when, and how often.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::error::{Error, Kind};

/// Errors of DynamoDB, and general AWS errors, that ask the caller to slow down
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
/// Other errors that are temporary, although some have a 4xx status.
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

/// Why another attempt may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryReason {
    /// The service or the network has a temporary problem.
    Transient,
    /// The service throttles requests.
    Throttled,
    /// The service's clock and ours may differ.
    Clock,
    /// The service rejects the credentials.
    Credentials,
}

impl RetryReason {
    /// Whether the service rejected the signature. It did so before it did any work, so a retry with a different
    /// signature adds no load worth limiting.
    pub fn is_about_signature(self) -> bool {
        matches!(self, Self::Clock | Self::Credentials)
    }
}

/// Why another attempt may succeed after this error. None if the same request would fail the same way.
pub fn reason(error: &Error) -> Option<RetryReason> {
    match &error.kind {
        _ if error.is_permanent => None,
        Kind::Timeout | Kind::Network => Some(RetryReason::Transient),
        Kind::Service(name) => {
            let name: &str = name;
            if THROTTLING.contains(&name) || error.status == Some(429) {
                Some(RetryReason::Throttled)
            } else if TRANSIENT.contains(&name) || error.is_server_fault() {
                Some(RetryReason::Transient)
            } else if CLOCK.contains(&name) {
                Some(RetryReason::Clock)
            } else if CREDENTIALS.contains(&name) {
                Some(RetryReason::Credentials)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Whether the service rejects the keys, or what was signed with them.
///
/// A wrong secret and a wrong clock cause errors with the same names. The caller corrects the clock first. If the error
/// remains and its message is not about the time, the secret is wrong.
pub fn rejects_credentials(error: &Error) -> bool {
    match reason(error) {
        Some(RetryReason::Credentials) => true,
        Some(RetryReason::Clock) => {
            (error.is_service("InvalidSignatureException") || error.is_service("SignatureDoesNotMatch"))
                && !error.message.starts_with("Signature expired")
                && !error.message.starts_with("Signature not yet current")
        }
        _ => false,
    }
}

/// The pause before attempt number `next` (the first retry is number 2): full jitter below a bound that doubles.
pub fn pause(reason: RetryReason, next: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(2);
    let first = match reason {
        RetryReason::Throttled => Duration::from_millis(200),
        RetryReason::Transient => Duration::from_millis(50),
        RetryReason::Clock | RetryReason::Credentials => return Duration::ZERO,
    };
    let bound = first.saturating_mul(1 << next.saturating_sub(2).min(16)).min(LONGEST);
    bound.mul_f64(fastrand::f64())
}

/// Tokens that limit the retries of all operations of a store, so that a service that is down does not get three times
/// the load. The numbers are those of the standard retry mode of the AWS SDKs.
#[derive(Debug)]
pub struct RetryBudget(AtomicU32);

impl RetryBudget {
    const FULL: u32 = 500;
    const RETRY: u32 = 5;

    /// Spends the tokens for a retry, if there are enough.
    pub fn try_spend(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| tokens.checked_sub(Self::RETRY))
            .is_ok()
    }

    /// Refunds the tokens of the last retry of an operation that succeeded, or one token if it needed no retry.
    pub fn refund(&self, attempts: u32) {
        let tokens = if attempts > 1 { Self::RETRY } else { 1 };
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            (held < Self::FULL).then_some((held + tokens).min(Self::FULL))
        });
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_classified_by_name_and_status() {
        let of = |name: &'static str, status| reason(&Error::service(name, "", status));
        assert_eq!(of("ProvisionedThroughputExceededException", 400), Some(RetryReason::Throttled));
        assert_eq!(of("Anything", 429), Some(RetryReason::Throttled));
        assert_eq!(of("Anything", 503), Some(RetryReason::Transient));
        assert_eq!(of("TransactionConflictException", 400), Some(RetryReason::Transient));
        assert_eq!(of("RequestTimeTooSkewed", 400), Some(RetryReason::Clock));
        assert_eq!(of("ExpiredTokenException", 400), Some(RetryReason::Credentials));
        for name in [
            "ValidationException",
            "AccessDeniedException",
            "ResourceNotFoundException",
            "ConditionalCheckFailedException",
        ] {
            assert_eq!(of(name, 400), None, "{name}");
        }
        assert_eq!(of("SlowDown", 400), Some(RetryReason::Throttled));
        let permanent = Error::service("ExpiredTokenException", "", 400).permanent();
        assert_eq!(reason(&permanent), None);
        assert_eq!(reason(&Error::new(Kind::Network, "")), Some(RetryReason::Transient));
        assert_eq!(reason(&Error::new(Kind::Credentials, "")), None);
    }

    #[test]
    fn a_wrong_secret_is_distinguished_from_a_wrong_clock() {
        let rejects = |name: &'static str, message| rejects_credentials(&Error::service(name, message, 400));
        for name in ["InvalidSignatureException", "SignatureDoesNotMatch"] {
            assert!(rejects(
                name,
                "The request signature we calculated does not match the signature you provided."
            ));
            assert!(!rejects(
                name,
                "Signature expired: 20261121T000000Z is now earlier than 20261121T010000Z"
            ));
            assert!(!rejects(
                name,
                "Signature not yet current: 20261121T010000Z is still later than 20261121T000000Z"
            ));
        }
        assert!(rejects("UnrecognizedClientException", ""));
        assert!(!rejects("RequestTimeTooSkewed", "") && !rejects("ValidationException", ""));
    }

    #[test]
    fn pauses_stay_below_a_bound_that_doubles() {
        for next in 2..40 {
            let bound = Duration::from_millis(50 << (next - 2).min(10)).min(Duration::from_secs(2));
            assert!(pause(RetryReason::Transient, next) <= bound, "attempt {next}");
        }
        assert_eq!(pause(RetryReason::Clock, 2), Duration::ZERO);
    }

    #[test]
    fn the_budget_runs_out_and_is_refunded() {
        let budget = RetryBudget::default();
        assert_eq!((0..200).filter(|_| budget.try_spend()).count(), 100);
        budget.refund(2);
        assert!(budget.try_spend());
        (0..5).for_each(|_| budget.refund(1));
        assert!(budget.try_spend());
        assert!(!budget.try_spend());
    }
}
