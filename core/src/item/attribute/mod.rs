//! DynamoDB's attribute values. [`encode`] turns JSON into an attribute value, and [`decode`] does the opposite. Both
//! work on text, without a tree of values in between. [`value`] is such a tree, for tools.

mod decode;
mod encode;
mod number;
pub mod tree;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Visitor};

pub use decode::{decode, decode_map};
pub use encode::encode;

/// A string, borrowed from the input unless it has escapes.
struct Text<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Writes a comma before every element except the first.
fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn to_attribute(json: &str) -> serde_json::Result<String> {
        let mut out = Vec::new();
        encode(json, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    pub(super) fn to_json(attribute: &str) -> serde_json::Result<String> {
        let mut out = Vec::new();
        decode(attribute, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn decoding_reverses_encoding() {
        for json in [
            r#"{"a":[1,-2,"\u0001\"\\é😀",true,false,null,[],{}],"":{"__proto__":0}}"#,
            r#"[18446744073709551615,-9223372036854775808]"#,
            r#""""#,
        ] {
            let back = to_json(&to_attribute(json).unwrap()).unwrap();
            let [back, json]: [serde_json::Value; 2] =
                [&back, json].map(|text| serde_json::from_str(text).unwrap());
            assert_eq!(back, json);
        }
    }

    #[test]
    fn numbers_keep_their_value_within_the_range_of_dynamodb() {
        for number in [0.1, 1e21, 1.797e125, 5e-130, f64::from(f32::MAX), 2f64.powi(53) + 2.0] {
            let attribute = to_attribute(&serde_json::to_string(&number).unwrap()).unwrap();
            assert_eq!(to_json(&attribute).unwrap().parse::<f64>().unwrap(), number);
        }
        for number in ["1e126", "-1e300", "5e-324"] {
            assert!(to_attribute(number).unwrap_err().to_string().contains("range"), "{number}");
        }
    }
}
