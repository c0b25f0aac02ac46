//! Numbers as text: JavaScript, JSON, and DynamoDB write them in different forms.

use std::borrow::Cow;

/// Magnitudes that fit the type N
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const MAGNITUDES: std::ops::Range<f64> = 1e-130..1e126;

/// Whether DynamoDB stores the number.
pub(super) fn is_in_range(value: f64) -> bool {
    value == 0.0 || MAGNITUDES.contains(&value.abs())
}

/// A number as `String(value)` prints it (<https://tc39.es/ecma262/#sec-numeric-types-number-tostring>).
pub(super) fn to_javascript(value: f64) -> String {
    let shortest = format!("{:e}", value.abs());
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits = digits.replace('.', "");
    // Position of the decimal point, counted from the first digit.
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    let length = digits.len() as i32;
    let sign = if value < 0.0 { "-" } else { "" };
    match point {
        1..=21 if point >= length => format!("{sign}{digits}{}", "0".repeat((point - length) as usize)),
        1..=21 => {
            let (whole, fraction) = digits.split_at(point as usize);
            format!("{sign}{whole}.{fraction}")
        }
        -5..=0 => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{sign}{first}{dot}{rest}e{:+}", point - 1)
        }
    }
}

/// A number in JSON's form. DynamoDB Local returns numbers as they were written, which may be invalid in JSON: `+5`,
/// `.5`, `5.`, or `007`.
pub(super) fn to_json(number: &str) -> Option<Cow<'_, str>> {
    let is_json = |text: &str| serde_json::from_str::<serde_json::Number>(text).is_ok();
    if is_json(number) {
        return Some(Cow::Borrowed(number));
    }
    let unsigned = number.strip_prefix(['+', '-']).unwrap_or(number);
    let (mantissa, exponent) = unsigned.split_at(unsigned.find(['e', 'E']).unwrap_or(unsigned.len()));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() || !whole.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let sign = if number.starts_with('-') { "-" } else { "" };
    let whole = Some(whole.trim_start_matches('0')).filter(|digits| !digits.is_empty()).unwrap_or("0");
    let dot = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{dot}{fraction}{exponent}")).filter(|text| is_json(text)).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use crate::item::attribute::tests::{to_attribute, to_json};

    #[test]
    fn numbers_are_encoded_in_the_form_of_javascript() {
        for number in [
            "0",
            "1.5",
            "-1.5",
            "0.1",
            "0.000001",
            "1e-7",
            "1.25e-7",
            "-1e-7",
            "123456.789",
            "9007199254740993000",
            "18446744073709552000",
            "-9223372036854775808",
            "-10000000000000000000",
            "100000000000000000000",
            "123456789012345680000",
            "1e+21",
            "1.2345678901234568e+29",
            "-1.5e+100",
            "1e-130",
        ] {
            assert_eq!(to_attribute(number).unwrap(), format!(r#"{{"N":"{number}"}}"#));
        }
        // JavaScript writes these numbers in a different form.
        for (number, written) in [("1.50", "1.5"), ("1E2", "100"), ("-0.0", "0"), ("0.5e1", "5")] {
            assert_eq!(to_attribute(number).unwrap(), format!(r#"{{"N":"{written}"}}"#));
        }
    }

    #[test]
    fn digits_beyond_the_precision_of_a_double_are_kept() {
        let digits = "12345678901234567890123456789012345678";
        assert_eq!(to_json(&format!(r#"{{"N":"{digits}"}}"#)).unwrap(), digits);
    }

    #[test]
    fn numbers_are_decoded_from_every_form_that_dynamodb_accepts() {
        for (number, json) in [
            ("+5", "5"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("007", "7"),
            ("-00.50", "-0.50"),
            ("000", "0"),
            ("1E+3", "1E+3"),
            ("+01.e2", "1e2"),
        ] {
            assert_eq!(to_json(&format!(r#"{{"N":"{number}"}}"#)).unwrap(), json);
        }
        for junk in ["", ".", "+", "+-5", "--5", "e5", ".e5", "1.2.3", "0x5", "NaN", "Infinity", "1e"] {
            assert!(to_json(&format!(r#"{{"N":"{junk}"}}"#)).is_err(), "{junk}");
        }
    }
}
