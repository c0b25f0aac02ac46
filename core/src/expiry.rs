//! When a session ends: whole seconds since 1970 when written, anything numeric when read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
pub type Seconds = i64;

/// The whole seconds that have passed since 1970.
pub fn now() -> Seconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since.as_secs().try_into().unwrap_or(Seconds::MAX)
}

/// An expiry attribute's text as a number: older versions of peers wrote fractions, some tools strings.
pub fn parse(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite())
}

/// An item whose expiry has come is absent, whether DynamoDB has swept it or not; one without is alive.
pub fn is_dead(expires: Option<f64>, now: Seconds) -> bool {
    expires.is_some_and(|expires| expires <= now as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_fractional_and_padded_numbers() {
        assert_eq!(parse("1700000000"), Some(1_700_000_000.0));
        assert_eq!(parse("1700000000.25"), Some(1_700_000_000.25));
        assert_eq!(parse(" 17 "), Some(17.0));
        for junk in ["", "soon", "NaN", "inf", "12x"] {
            assert_eq!(parse(junk), None, "{junk:?}");
        }
    }

    #[test]
    fn an_item_dies_in_the_second_of_its_expiry() {
        assert!(is_dead(Some(100.0), 100));
        assert!(!is_dead(Some(100.5), 100));
        assert!(is_dead(Some(99.5), 100));
        assert!(!is_dead(Some(101.0), 100));
        assert!(!is_dead(None, 100));
    }
}
