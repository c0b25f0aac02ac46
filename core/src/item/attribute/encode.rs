//! JSON to attribute values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Text, number, separate};
use crate::json::string as json_string;

/// Maximum nesting depth of maps and lists
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const MAX_DEPTH: usize = 32;

/// Appends the attribute value of a JSON value: `{"M":{"a":{"L":[{"N":"1"}]}}}` for `{"a":[1]}`.
pub fn encode(json: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(json);
    Encoder { out, depth: 0 }.deserialize(&mut json)?;
    json.end()
}

/// Appends the attribute value of the JSON value that is being deserialized.
struct Encoder<'o> {
    out: &'o mut Vec<u8>,
    depth: usize,
}

impl<'o> Encoder<'o> {
    fn put(self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn descend<E: Error>(&self) -> Result<usize, E> {
        match self.depth {
            MAX_DEPTH => Err(E::custom("maps and lists are nested more than 32 levels deep")),
            depth => Ok(depth + 1),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Encoder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Encoder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
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
        if !number::is_in_range(value) {
            return Err(E::custom("a number is outside the range of DynamoDB's numbers, 1e-130 to 9.99e125"));
        }
        self.put(&format!(r#"{{"N":"{}"}}"#, number::to_javascript(value)));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.out.extend_from_slice(br#"{"S":"#);
        json_string::write(self.out, value);
        self.out.push(b'}');
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        struct Element<'o, 'f>(Encoder<'o>, &'f mut bool);
        impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                // Called only if there is another element.
                separate(self.0.out, self.1);
                self.0.deserialize(deserializer)
            }
        }
        let depth = self.descend()?;
        let mut first = true;
        self.out.extend_from_slice(br#"{"L":["#);
        while items.next_element_seed(Element(Encoder { out: self.out, depth }, &mut first))?.is_some() {}
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
            members.next_value_seed(Encoder { out: self.out, depth })?;
        }
        self.out.extend_from_slice(b"}}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::item::attribute::tests::to_attribute;

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn every_json_type_has_an_attribute_value() {
        assert_eq!(
            to_attribute(r#"{"a":[1,-2,1.5,"x",true,false,null],"b\"":{}}"#).unwrap(),
            concat!(
                r#"{"M":{"a":{"L":[{"N":"1"},{"N":"-2"},{"N":"1.5"},{"S":"x"},{"BOOL":true},"#,
                r#"{"BOOL":false},{"NULL":true}]},"b\"":{"M":{}}}}"#
            )
        );
    }

    #[test]
    fn json_that_cannot_be_stored_as_a_map_is_an_error() {
        assert!(to_attribute(&nested(32)).is_ok());
        assert!(to_attribute(&nested(33)).unwrap_err().to_string().contains("32 levels"));
        assert!(to_attribute(r#""\ud800""#).is_err());
    }
}
