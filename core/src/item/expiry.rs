//! When a session expires. Expiries are written in whole seconds since 1970 and read in any numeric form.

/// Seconds since 1970.
pub type Seconds = i64;

/// Converts milliseconds, as JavaScript's `Date.now()` returns them, to whole seconds, rounding down. Every operation
/// gets the time from its caller, so that a test that replaces the clock affects all of them.
pub fn seconds_from_milliseconds(time: f64) -> Seconds {
    (time / 1000.0).floor() as Seconds
}

/// The number in an expiry attribute. Older versions of other packages wrote fractions, and some tools wrote strings.
pub fn parse(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite())
}

/// Whether an item has expired. It may still be in the table, because DynamoDB deletes expired items later. An item
/// without an expiry never expires.
pub fn is_expired(expires: Option<f64>, now: Seconds) -> bool {
    expires.is_some_and(|expires| expires <= now as f64)
}

/// DynamoDB's form of [`is_expired`]. `#e` is the expiry attribute, and [`condition_values`] are the values.
///
/// A comparison with a missing attribute, or with one of a different type, is false, so an item without an expiry has not
/// expired. An expiry that is stored as a string counts as expired if it sorts before the current time as text, or has
/// fewer digits.
pub const IS_EXPIRED: &str =
    "#e <= :now OR (#e >= :zero AND #e < :colon AND (#e <= :text OR size(#e) < :length))";

/// The values of [`IS_EXPIRED`]: name, type, and text.
pub fn condition_values(now: Seconds) -> [(&'static str, &'static str, String); 5] {
    let text = now.to_string();
    [
        (":zero", "S", "0".to_owned()),
        // `:` follows `9` in ASCII, so only strings that start with a digit match.
        (":colon", "S", ":".to_owned()),
        (":length", "N", text.len().to_string()),
        (":text", "S", text.clone()),
        (":now", "N", text),
    ]
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
        assert_eq!(seconds_from_milliseconds(1_700_000_000_999.0), 1_700_000_000);
        assert_eq!(seconds_from_milliseconds(-1.0), -1);
        assert_eq!(seconds_from_milliseconds(f64::NAN), 0);
    }

    #[test]
    fn an_item_expires_in_the_second_of_its_expiry() {
        assert!(is_expired(Some(100.0), 100));
        assert!(!is_expired(Some(100.5), 100));
        assert!(is_expired(Some(99.5), 100));
        assert!(!is_expired(Some(101.0), 100));
        assert!(!is_expired(None, 100));
    }
}
