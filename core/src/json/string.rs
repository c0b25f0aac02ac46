//! Escapes and unescapes JSON strings eight bytes at a time. A session's text is itself JSON and therefore full of quotes,
//! each of which stops a general writer.

use std::borrow::Cow;

type Word = [u8; 8];
const WORD: usize = size_of::<Word>();
const ONES: u64 = u64::from_le_bytes([1; WORD]);
const HIGHS: u64 = u64::from_le_bytes([0x80; WORD]);

/// Appends `text` as a JSON string.
pub(crate) fn write(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((word, after)) = rest.split_first_chunk::<WORD>() {
        let plain = plain_bytes(*word);
        out.extend_from_slice(word);
        rest = match plain {
            WORD => after,
            _ => {
                out.truncate(out.len() - (WORD - plain));
                match word[plain] {
                    byte @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', byte]),
                    byte => write_byte(out, byte),
                }
                &rest[plain + 1..]
            }
        };
    }
    rest.iter().for_each(|&byte| write_byte(out, byte));
    out.push(b'"');
}

fn write_byte(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        0..0x20 => {
            out.extend_from_slice(b"\\u00");
            return out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Reads the JSON string at the beginning of `json`. Returns its text, and its length with the quotes.
pub(crate) fn read(json: &str) -> Option<(Cow<'_, str>, usize)> {
    let inner = json.strip_prefix('"')?;
    let plain = plain_length(inner.as_bytes())?;
    if inner.as_bytes().get(plain) == Some(&b'"') {
        return Some((Cow::Borrowed(&inner[..plain]), plain + 2));
    }
    let (text, length) = unescape(inner).or_else(|| {
        // `\u` escapes are rare.
        let mut values = serde_json::Deserializer::from_str(json).into_iter();
        let text = values.next()?.ok()?;
        Some((text, values.byte_offset()))
    })?;
    Some((Cow::Owned(text), length))
}

/// The number of bytes before the first quote or backslash.
fn plain_length(mut bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    while let Some((word, after)) = bytes.split_first_chunk::<WORD>() {
        let plain = plain_in_string(*word);
        length += plain;
        if plain < WORD {
            return Some(length);
        }
        bytes = after;
    }
    Some(length + bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'))?)
}

/// Returns `None` if the string is not terminated, or contains `\u` escapes.
fn unescape(inner: &str) -> Option<(String, usize)> {
    /// Enough for most sessions. What follows the string may be much longer than the string.
    const ROOM: usize = 4096;
    let mut out = Vec::with_capacity(inner.len().min(ROOM));
    let mut rest = inner.as_bytes();
    loop {
        let plain = match rest.split_first_chunk::<WORD>() {
            Some((word, after)) => {
                let plain = plain_in_string(*word);
                out.extend_from_slice(word);
                if plain == WORD {
                    rest = after;
                    continue;
                }
                out.truncate(out.len() - (WORD - plain));
                plain
            }
            None => {
                let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
                out.extend_from_slice(&rest[..plain]);
                plain
            }
        };
        let (escape, after) = match &rest[plain..] {
            [b'"', after @ ..] => {
                out.shrink_to_fit();
                return Some((String::from_utf8(out).ok()?, inner.len() - after.len() + 1));
            }
            [_, escape, after @ ..] => (*escape, after),
            _ => return None,
        };
        out.push(match escape {
            b'"' | b'\\' | b'/' => escape,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 0x08,
            b'f' => 0x0c,
            _ => return None,
        });
        rest = after;
    }
}

/// The number of bytes in a word before a quote or a backslash.
fn plain_in_string(word: Word) -> usize {
    let word = u64::from_le_bytes(word);
    first(equal(word, b'"') | equal(word, b'\\'))
}

/// The number of bytes in a word before one that a JSON string must escape.
fn plain_bytes(word: Word) -> usize {
    let word = u64::from_le_bytes(word);
    let below_space = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
    first(equal(word, b'"') | equal(word, b'\\') | below_space)
}

/// Sets the high bit of the first byte that equals `byte`, and possibly of later bytes.
fn equal(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ (ONES * u64::from(byte));
    zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & HIGHS
}

fn first(high_bits: u64) -> usize {
    high_bits.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts with every byte that needs care, at every position in a word.
    fn texts() -> impl Iterator<Item = String> {
        let pieces = [
            "\"", "\\", "\n", "\r", "\t", "\u{8}", "\u{c}", "\0", "\u{1f}", " ", "!", "é", "\u{7f}", "😀",
            "\\u0041",
        ];
        (0..20).flat_map(move |before| {
            pieces.into_iter().flat_map(move |piece| {
                (0..10).map(move |after| format!("{}{piece}{piece}{}", "a".repeat(before), "/".repeat(after)))
            })
        })
    }

    #[test]
    fn strings_are_written_as_serde_writes_them() {
        for text in texts() {
            let mut out = Vec::new();
            write(&mut out, &text);
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn strings_that_serde_writes_are_read() {
        for text in texts() {
            let json = serde_json::to_string(&text).unwrap();
            assert_eq!(read(&format!("{json},\"{text}")), Some((text.as_str().into(), json.len())));
            assert_eq!(read(&json[..json.len() - 1]), None);
        }
        for (json, text) in [(r#""\u00e9\ud83d\ude00\/""#, "é😀/"), (r#""\\\\\"""#, r#"\\""#), (r#""""#, "")]
        {
            assert_eq!(read(json), Some((text.into(), json.len())));
        }
    }

    #[test]
    fn json_that_is_not_a_string_is_rejected() {
        for json in ["", "\"", "5", r#""\ud800""#, r#""\x""#, r#"{"a":"b"}"#, r#""abcdefg\"#, r#""abcdefg\""#]
        {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
