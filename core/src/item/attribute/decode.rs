//! Attribute values to JSON.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Text, number, separate};
use crate::json::string as json_string;

/// Appends the JSON value of an attribute value. Sets become arrays, and binary becomes the JSON of a `Buffer`.
pub fn decode(attribute: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(attribute);
    Decoder(out).deserialize(&mut json)?;
    json.end()
}

/// Appends the JSON object of a map attribute, whose `members` are a JSON object of attribute values.
pub fn decode_map(members: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(members);
    TypedValue { tag: "M", out }.deserialize(&mut json)?;
    json.end()
}

/// Appends the JSON value of the attribute value that is being deserialized.
struct Decoder<'o>(&'o mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Decoder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Decoder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut types: A) -> Result<(), A::Error> {
        let Some(Text(tag)) = types.next_key()? else {
            return Err(A::Error::custom("an attribute value has no type"));
        };
        types.next_value_seed(TypedValue { tag: &tag, out: self.0 })?;
        match types.next_key::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("an attribute value has two types")),
        }
    }
}

/// Appends the JSON value of an attribute value of one type, such as `S` or `M`.
struct TypedValue<'t, 'o> {
    tag: &'t str,
    out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for TypedValue<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.tag {
            "S" | "N" | "B" => deserializer.deserialize_str(self),
            "BOOL" | "NULL" => deserializer.deserialize_bool(self),
            "M" => deserializer.deserialize_map(self),
            "L" | "SS" | "NS" | "BS" => deserializer.deserialize_seq(self),
            _ => Err(D::Error::custom("an attribute value has an unknown type")),
        }
    }
}

impl<'de> Visitor<'de> for TypedValue<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of an attribute")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.tag {
            "S" => json_string::write(self.out, text),
            "N" => {
                // All 38 digits are kept; JavaScript rounds them.
                let number = number::to_json(text).ok_or_else(|| E::custom("a number is invalid"))?;
                self.out.extend_from_slice(number.as_bytes());
            }
            _ => {
                let bytes = BASE64.decode(text).map_err(|_| E::custom("a binary value is not Base64"))?;
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
                    Some(tag) => TypedValue { tag, out: self.1 }.deserialize(deserializer),
                    None => Decoder(self.1).deserialize(deserializer),
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
            members.next_value_seed(Decoder(self.out))?;
        }
        self.out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::item::attribute::tests::to_json;

    #[test]
    fn sets_and_binary_values_become_json() {
        assert_eq!(to_json(r#"{"SS":["a","b"]}"#).unwrap(), r#"["a","b"]"#);
        assert_eq!(to_json(r#"{"NS":["1","2.5"]}"#).unwrap(), "[1,2.5]");
        assert_eq!(to_json(r#"{"B":"AQI="}"#).unwrap(), r#"{"type":"Buffer","data":[1,2]}"#);
        assert_eq!(to_json(r#"{"BS":["AQ=="]}"#).unwrap(), r#"[{"type":"Buffer","data":[1]}]"#);
    }

    #[test]
    fn json_that_is_not_an_attribute_value_is_an_error() {
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
