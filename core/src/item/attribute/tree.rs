//! An attribute value as a tree, for tools that measure and compare items. The store itself works on text.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A map of attribute values, such as an item.
pub type Attributes = BTreeMap<String, AttributeValue>;

/// An attribute value in DynamoDB's JSON.
#[derive(Debug, Deserialize)]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number.
    N(String),
    /// Binary, in Base64.
    B(String),
    /// A Boolean.
    #[serde(rename = "BOOL")]
    Bool(bool),
    /// Null.
    #[serde(rename = "NULL")]
    Null(bool),
    /// A list.
    L(Vec<AttributeValue>),
    /// A map.
    M(Attributes),
    /// A set of strings.
    #[serde(rename = "SS")]
    Strings(Vec<String>),
    /// A set of numbers.
    #[serde(rename = "NS")]
    Numbers(Vec<String>),
    /// A set of binary values.
    #[serde(rename = "BS")]
    Binaries(Vec<String>),
}

/// The size of an item in bytes, as DynamoDB counts it
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
pub fn size(attributes: &Attributes) -> usize {
    attributes.iter().map(|(name, value)| name.len() + value.size()).sum()
}

/// Whether two items hold the same attributes: sets have no order, and numbers are compared by value.
pub fn is_same(one: &Attributes, other: &Attributes) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|((name, value), (other_name, other_value))| {
            name == other_name && value.is_same(other_value)
        })
}

impl AttributeValue {
    /// The size in bytes, as DynamoDB counts it.
    pub(crate) fn size(&self) -> usize {
        const CONTAINER: usize = 3;
        const ELEMENT: usize = 1;
        match self {
            Self::S(text) => text.len(),
            Self::N(digits) => number_size(digits),
            Self::B(base64) => binary_size(base64),
            Self::Bool(_) | Self::Null(_) => 1,
            Self::L(elements) => {
                CONTAINER + elements.iter().map(|element| ELEMENT + element.size()).sum::<usize>()
            }
            Self::M(members) => CONTAINER + members.len() * ELEMENT + size(members),
            Self::Strings(texts) => texts.iter().map(String::len).sum(),
            Self::Numbers(numbers) => numbers.iter().map(|digits| number_size(digits)).sum(),
            Self::Binaries(binaries) => binaries.iter().map(|base64| binary_size(base64)).sum(),
        }
    }

    /// Whether two values are the same: sets have no order, and numbers are compared by value.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::S(one), Self::S(other)) | (Self::B(one), Self::B(other)) => one == other,
            (Self::N(one), Self::N(other)) => number(one) == number(other),
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Null(_), Self::Null(_)) => true,
            (Self::L(one), Self::L(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same(other))
            }
            (Self::M(one), Self::M(other)) => is_same(one, other),
            (Self::Strings(one), Self::Strings(other)) | (Self::Binaries(one), Self::Binaries(other)) => {
                sorted(one) == sorted(other)
            }
            (Self::Numbers(one), Self::Numbers(other)) => sorted_numbers(one) == sorted_numbers(other),
            _ => false,
        }
    }
}

/// One byte per two significant digits, plus one. Zeros at both ends are not significant.
pub(crate) fn number_size(number: &str) -> usize {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let is_significant = |digit: &u8| *digit != b'0';
    let first = digits.iter().position(is_significant);
    let last = digits.iter().rposition(is_significant);
    first.zip(last).map_or(0, |(first, last)| last + 1 - first).div_ceil(2) + 1
}

fn binary_size(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// JavaScript numbers are doubles, so extra digits do not matter.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn sorted(values: &[String]) -> Vec<&String> {
    let mut values: Vec<_> = values.iter().collect();
    values.sort_unstable();
    values
}

fn sorted_numbers(values: &[String]) -> Vec<Option<f64>> {
    let mut values: Vec<_> = values.iter().map(|value| number(value)).collect();
    values.sort_unstable_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(json: &str) -> Attributes {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_size_of_an_item_is_that_of_its_names_and_values() {
        for (item, bytes) in [
            (r#"{"a":{"S":"é"}}"#, 1 + 2),
            (r#"{"n":{"N":"-123.5"}}"#, 1 + 3),
            (r#"{"n":{"N":"1.5e-100"}}"#, 1 + 2),
            (r#"{"n":{"N":"1812345000"}}"#, 1 + 5),
            (r#"{"n":{"N":"0.0120"}}"#, 1 + 2),
            (r#"{"n":{"N":"0"}}"#, 1 + 1),
            (r#"{"b":{"B":"YWJj"}}"#, 1 + 3),
            (r#"{"b":{"B":"YQ=="}}"#, 1 + 1),
            (r#"{"t":{"BOOL":true}}"#, 1 + 1),
            (r#"{"l":{"L":[{"S":"x"},{"NULL":true}]}}"#, 1 + 3 + 2 + 2),
            (r#"{"m":{"M":{"k":{"S":"vv"}}}}"#, 1 + 3 + 1 + 1 + 2),
            (
                r#"{"s":{"SS":["a","bc"]},"ns":{"NS":["1","234"]},"bs":{"BS":["YQ=="]}}"#,
                1 + 3 + 2 + 5 + 2 + 1,
            ),
        ] {
            assert_eq!(size(&attributes(item)), bytes, "{item}");
        }
    }

    #[test]
    fn sets_are_the_same_in_any_order_and_numbers_in_any_notation() {
        let same = |one: &str, other: &str| is_same(&attributes(one), &attributes(other));
        for (one, other) in [
            (r#"{"a":{"SS":["a","b"]},"b":{"S":"x"}}"#, r#"{"b":{"S":"x"},"a":{"SS":["b","a"]}}"#),
            (r#"{"a":{"M":{"n":{"NS":["2","10"]}}}}"#, r#"{"a":{"M":{"n":{"NS":["1e1","2.0"]}}}}"#),
            (r#"{"a":{"L":[{"BS":["YQ==","Yg=="]}]}}"#, r#"{"a":{"L":[{"BS":["Yg==","YQ=="]}]}}"#),
            (r#"{"a":{"N":"+1.50"},"b":{"NULL":true}}"#, r#"{"a":{"N":"15e-1"},"b":{"NULL":true}}"#),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            (r#"{"a":{"SS":["a","b"]}}"#, r#"{"a":{"SS":["c","b"]}}"#),
            (r#"{"a":{"L":[{"N":"1"},{"N":"2"}]}}"#, r#"{"a":{"L":[{"N":"2"},{"N":"1"}]}}"#),
            (r#"{"a":{"N":"1"}}"#, r#"{"a":{"S":"1"}}"#),
            (r#"{"a":{"N":"1"}}"#, r#"{"b":{"N":"1"}}"#),
            (r#"{"a":{"N":"1"}}"#, r#"{}"#),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
