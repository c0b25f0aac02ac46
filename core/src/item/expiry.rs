//! When a session ends: whole seconds since 1970 when written, anything numeric when read.

/// Seconds since 1970.
pub type Seconds = i64;

/// The whole seconds of a time in milliseconds, as JavaScript's `Date.now()` returns it. Every operation takes
/// the time from its caller: a clock that a test replaces applies to all of them.
pub fn from_milliseconds(time: f64) -> Seconds {
    (time / 1000.0).floor() as Seconds
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
    fn times_are_rounded_down() {
        assert_eq!(from_milliseconds(1_700_000_000_999.0), 1_700_000_000);
        assert_eq!(from_milliseconds(-1.0), -1);
        assert_eq!(from_milliseconds(f64::NAN), 0);
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
