//! DynamoDB's attribute values and JSON, each turned into the other as text, without a tree in between.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::json::string as json_string;

/// Levels of maps and lists that DynamoDB stores
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const DEEPEST: usize = 32;
/// Magnitudes that fit the type N, from the same page.
const MAGNITUDES: std::ops::Range<f64> = 1e-130..1e126;

/// A string, borrowed from the input where it has no escapes.
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

/// Puts a comma before every element but the first.
fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

/// A number as `String(value)` prints it (<https://tc39.es/ecma262/#sec-numeric-types-number-tostring>).
fn as_javascript(value: f64) -> String {
    let shortest = format!("{:e}", value.abs());
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits = digits.replace('.', "");
    // Where the decimal point is, counted from the first digit.
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

/// Appends the JSON that is deserialized as an attribute value: `{"a":[1]}` as
/// `{"M":{"a":{"L":[{"N":"1"}]}}}`.
pub struct ToAttribute<'o> {
    out: &'o mut Vec<u8>,
    depth: usize,
}

impl<'o> ToAttribute<'o> {
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, depth: 0 }
    }

    fn put(self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn descend<E: Error>(&self) -> Result<usize, E> {
        match self.depth {
            DEEPEST => Err(E::custom("it is nested deeper than the 32 levels of a map")),
            depth => Ok(depth + 1),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ToAttribute<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ToAttribute<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(r#"{"NULL":true}"#);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(if value { r#"{"BOOL":true}"# } else { r#"{"BOOL":false}"# });
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(&format!(r#"{{"N":"{value}"}}"#));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(&format!(r#"{{"N":"{value}"}}"#));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if value != 0.0 && !MAGNITUDES.contains(&value.abs()) {
            return Err(E::custom("a number is outside the range of DynamoDB's numbers, 1e-130 to 9.99e125"));
        }
        self.put(&format!(r#"{{"N":"{}"}}"#, as_javascript(value)));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.out.extend_from_slice(br#"{"S":"#);
        json_string::write(self.out, value);
        self.out.push(b'}');
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        struct Element<'o, 'f>(ToAttribute<'o>, &'f mut bool);
        impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                // Only here is it known that another element follows.
                separate(self.0.out, self.1);
                self.0.deserialize(deserializer)
            }
        }
        let depth = self.descend()?;
        let mut first = true;
        self.out.extend_from_slice(br#"{"L":["#);
        while items.next_element_seed(Element(ToAttribute { out: self.out, depth }, &mut first))?.is_some() {}
        self.out.extend_from_slice(b"]}");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let depth = self.descend()?;
        let mut first = true;
        self.out.extend_from_slice(br#"{"M":{"#);
        while let Some(Text(name)) = members.next_key()? {
            separate(self.out, &mut first);
            json_string::write(self.out, &name);
            self.out.push(b':');
            members.next_value_seed(ToAttribute { out: self.out, depth })?;
        }
        self.out.extend_from_slice(b"}}");
        Ok(())
    }
}

/// Appends the attribute value that is deserialized as JSON. Binary becomes what JSON makes of a
/// Buffer, sets become arrays.
pub struct ToJson<'o>(pub &'o mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for ToJson<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ToJson<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut tagged: A) -> Result<(), A::Error> {
        let Some(Text(tag)) = tagged.next_key()? else {
            return Err(A::Error::custom("an attribute value without a type"));
        };
        tagged.next_value_seed(Tagged { tag: &tag, out: self.0 })?;
        match tagged.next_key::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("an attribute value of two types")),
        }
    }
}

/// A number in JSON's form. DynamoDB Local returns numbers as they were written, which may be a form that JSON does not
/// have: `+5`, `.5`, `5.`, or `007`.
fn as_json(number: &str) -> Option<Cow<'_, str>> {
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

/// The value behind a type tag such as `S` or `M`.
pub struct Tagged<'t, 'o> {
    pub tag: &'t str,
    pub out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Tagged<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.tag {
            "S" | "N" | "B" => deserializer.deserialize_str(self),
            "BOOL" | "NULL" => deserializer.deserialize_bool(self),
            "M" => deserializer.deserialize_map(self),
            "L" | "SS" | "NS" | "BS" => deserializer.deserialize_seq(self),
            _ => Err(D::Error::custom("an attribute value of an unknown type")),
        }
    }
}

impl<'de> Visitor<'de> for Tagged<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of an attribute")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.tag {
            "S" => json_string::write(self.out, text),
            "N" => {
                // The digits stay as they are: JavaScript rounds a number of 38 digits.
                let number = as_json(text).ok_or_else(|| E::custom("an invalid number"))?;
                self.out.extend_from_slice(number.as_bytes());
            }
            _ => {
                let bytes = BASE64.decode(text).map_err(|_| E::custom("binary that is not base64"))?;
                self.out.extend_from_slice(br#"{"type":"Buffer","data":"#);
                let _ = serde_json::to_writer(&mut *self.out, &bytes);
                self.out.push(b'}');
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        let text = match (self.tag, value) {
            ("NULL", _) => "null",
            (_, true) => "true",
            (_, false) => "false",
        };
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        struct Element<'t, 'o, 'f>(&'t str, &'o mut Vec<u8>, &'f mut bool);
        impl<'de> DeserializeSeed<'de> for Element<'_, '_, '_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                separate(self.1, self.2);
                match self.0.strip_suffix('S') {
                    Some(tag) => Tagged { tag, out: self.1 }.deserialize(deserializer),
                    None => ToJson(self.1).deserialize(deserializer),
                }
            }
        }
        let mut first = true;
        self.out.push(b'[');
        while items.next_element_seed(Element(self.tag, self.out, &mut first))?.is_some() {}
        self.out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut first = true;
        self.out.push(b'{');
        while let Some(Text(name)) = members.next_key()? {
            separate(self.out, &mut first);
            json_string::write(self.out, &name);
            self.out.push(b':');
            members.next_value_seed(ToJson(self.out))?;
        }
        self.out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_attribute(json: &str) -> serde_json::Result<String> {
        let mut out = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        ToAttribute::new(&mut out).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn to_json(attribute: &str) -> serde_json::Result<String> {
        let mut out = Vec::new();
        ToJson(&mut out).deserialize(&mut serde_json::Deserializer::from_str(attribute))?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn writes_every_json_type() {
        assert_eq!(
            to_attribute(r#"{"a":[1,-2,1.5,"x",true,false,null],"b\"":{}}"#).unwrap(),
            concat!(
                r#"{"M":{"a":{"L":[{"N":"1"},{"N":"-2"},{"N":"1.5"},{"S":"x"},{"BOOL":true},"#,
                r#"{"BOOL":false},{"NULL":true}]},"b\"":{"M":{}}}}"#
            )
        );
    }

    #[test]
    fn reads_back_what_it_wrote() {
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
    fn numbers_keep_their_value() {
        for number in [0.1, 1e21, 1.797e125, 5e-130, f64::from(f32::MAX), 2f64.powi(53) + 2.0] {
            let attribute = to_attribute(&serde_json::to_string(&number).unwrap()).unwrap();
            assert_eq!(to_json(&attribute).unwrap().parse::<f64>().unwrap(), number);
        }
        for number in ["1e126", "-1e300", "5e-324"] {
            assert!(to_attribute(number).unwrap_err().to_string().contains("range"), "{number}");
        }
    }

    #[test]
    fn numbers_are_written_as_javascript_prints_them() {
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
        // Other forms than those of JavaScript.
        for (number, written) in [("1.50", "1.5"), ("1E2", "100"), ("-0.0", "0"), ("0.5e1", "5")] {
            assert_eq!(to_attribute(number).unwrap(), format!(r#"{{"N":"{written}"}}"#));
        }
    }

    #[test]
    fn numbers_longer_than_a_double_are_passed_on_as_they_stand() {
        let digits = "12345678901234567890123456789012345678";
        assert_eq!(to_json(&format!(r#"{{"N":"{digits}"}}"#)).unwrap(), digits);
    }

    #[test]
    fn numbers_are_read_in_every_form_that_dynamodb_takes() {
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

    #[test]
    fn reads_sets_and_binary() {
        assert_eq!(to_json(r#"{"SS":["a","b"]}"#).unwrap(), r#"["a","b"]"#);
        assert_eq!(to_json(r#"{"NS":["1","2.5"]}"#).unwrap(), "[1,2.5]");
        assert_eq!(to_json(r#"{"B":"AQI="}"#).unwrap(), r#"{"type":"Buffer","data":[1,2]}"#);
        assert_eq!(to_json(r#"{"BS":["AQ=="]}"#).unwrap(), r#"[{"type":"Buffer","data":[1]}]"#);
    }

    #[test]
    fn refuses_what_a_map_cannot_hold() {
        assert!(to_attribute(&nested(32)).is_ok());
        assert!(to_attribute(&nested(33)).unwrap_err().to_string().contains("32 levels"));
        assert!(to_attribute(r#""\ud800""#).is_err());
    }

    #[test]
    fn refuses_what_is_no_attribute_value() {
        for junk in [
            "{}",
            "5",
            r#"{"X":"1"}"#,
            r#"{"N":"1e"}"#,
            r#"{"N":"[1]"}"#,
            r#"{"S":"a","N":"1"}"#,
            r#"{"B":"*"}"#,
        ] {
            assert!(to_json(junk).is_err(), "{junk}");
        }
    }
}
