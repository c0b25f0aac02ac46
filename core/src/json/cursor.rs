//! A cursor that steps through JSON text and skips what the caller does not need. The store needs only
//! four strings from a response.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use crate::json::string as json_string;

/// The text is not the expected JSON.
#[derive(Debug, PartialEq)]
pub(crate) struct Unexpected;

/// What the cursor reads, if the text is as expected.
pub(crate) type Expected<T> = Result<T, Unexpected>;

/// A position in JSON text.
pub(crate) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(json: &'a str) -> Self {
        Self { rest: json }
    }

    /// The number of bytes after the cursor.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Steps through an object. `each` gets the name of a member and must take its value.
    pub(crate) fn object(&mut self, mut each: impl FnMut(&mut Self, &str) -> Expected<()>) -> Expected<()> {
        self.sequence(b'{', b'}', |cursor| {
            let name = cursor.text()?;
            cursor.take(b':')?;
            each(cursor, &name)
        })
    }

    /// Steps through an array. `each` must take the element.
    pub(crate) fn array(&mut self, each: impl FnMut(&mut Self) -> Expected<()>) -> Expected<()> {
        self.sequence(b'[', b']', each)
    }

    /// Takes a string.
    pub(crate) fn text(&mut self) -> Expected<Cow<'a, str>> {
        self.skip_space();
        let (text, length) = json_string::read(self.rest).ok_or(Unexpected)?;
        self.rest = &self.rest[length..];
        Ok(text)
    }

    /// Takes any value as text.
    pub(crate) fn raw(&mut self) -> Expected<&'a str> {
        self.skip_space();
        let mut values = Deserializer::from_str(self.rest).into_iter::<IgnoredAny>();
        values.next().and_then(Result::ok).ok_or(Unexpected)?;
        let (value, rest) = self.rest.split_at(values.byte_offset());
        self.rest = rest;
        Ok(value)
    }

    fn sequence(
        &mut self,
        open: u8,
        close: u8,
        mut each: impl FnMut(&mut Self) -> Expected<()>,
    ) -> Expected<()> {
        self.take(open)?;
        if self.peek() == Some(close) {
            return self.take(close);
        }
        loop {
            each(self)?;
            match self.peek() {
                Some(b',') => self.take(b',')?,
                _ => return self.take(close),
            }
        }
    }

    fn take(&mut self, byte: u8) -> Expected<()> {
        match self.peek() {
            Some(next) if next == byte => {
                self.rest = &self.rest[1..];
                Ok(())
            }
            _ => Err(Unexpected),
        }
    }

    /// The byte after any white space.
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.rest.bytes().next()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_through_objects_and_arrays() {
        let mut cursor = Cursor::new(r#" { "a\"" : [ 1 , "x\\" , {} ] , "b" : { "c" : [ ] } } rest"#);
        let mut seen = Vec::new();
        cursor
            .object(|cursor, name| {
                seen.push(name.to_owned());
                match name {
                    "b" => cursor.raw().map(|raw| seen.push(raw.to_owned())),
                    _ => cursor.array(|cursor| cursor.raw().map(|raw| seen.push(raw.to_owned()))),
                }
            })
            .unwrap();
        assert_eq!(seen, ["a\"", "1", r#""x\\""#, "{}", "b", r#"{ "c" : [ ] }"#]);
        assert_eq!(cursor.remaining(), " rest".len());
    }

    #[test]
    fn empty_objects_and_arrays_have_no_members() {
        for (json, remaining) in [("{}", 0), (" [ ] ,", 2)] {
            let mut cursor = Cursor::new(json);
            let outcome = match json {
                "{}" => cursor.object(|_, _| panic!("a member")),
                _ => cursor.array(|_| panic!("an element")),
            };
            assert_eq!((outcome, cursor.remaining()), (Ok(()), remaining));
        }
    }

    #[test]
    fn invalid_json_is_an_error() {
        let step = |json| Cursor::new(json).object(|cursor, _| cursor.raw().map(drop));
        assert_eq!(step(r#"{"a":1,"b":"c"}"#), Ok(()));
        for json in [
            "",
            "5",
            "{",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1"#,
            r#"{"a":1,}"#,
            r#"{"a":"b}"#,
            r#"{"a":"\"}"#,
            "{5:1}",
            "[1]",
            r#"{"a":[1}"#,
        ] {
            assert_eq!(step(json), Err(Unexpected), "{json}");
        }
    }
}
