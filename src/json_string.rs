//! JSON strings, escaped and unescaped eight bytes at a time: a session's text, itself JSON, is full of quotes,
//! and a general writer stops at each of them.

use std::borrow::Cow;

type Word = [u8; 8];
const WORD: usize = size_of::<Word>();
const ONES: u64 = u64::from_le_bytes([1; WORD]);
const HIGHS: u64 = u64::from_le_bytes([0x80; WORD]);

/// Appends `text` as a JSON string.
pub fn write(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((word, after)) = rest.split_first_chunk::<WORD>() {
        let plain = plain_bytes(*word);
        out.extend_from_slice(word);
        rest = match plain {
            WORD => after,
            _ => {
                out.truncate(out.len() - (WORD - plain));
                write_byte(out, word[plain]);
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
    out.extend([b'\\', short]);
}

/// The text of a JSON string with its quotes, which must be valid JSON.
pub fn read(json: &str) -> serde_json::Result<Cow<'_, str>> {
    let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.as_bytes().contains(&b'\\') => Ok(Cow::Borrowed(inner)),
        _ => match inner.and_then(unescape) {
            Some(text) => Ok(Cow::Owned(text)),
            None => serde_json::from_str(json).map(Cow::Owned),
        },
    }
}

/// The length of the JSON string at the beginning of `json`, with its quotes; nothing when it does not end.
pub fn length(json: &str) -> Option<usize> {
    let bytes = json.as_bytes();
    let mut at = 1;
    loop {
        at += match bytes.get(at..)?.first_chunk::<WORD>() {
            Some(word) => {
                let word = u64::from_le_bytes(*word);
                first(equal(word, b'"') | equal(word, b'\\'))
            }
            None => bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\'))?,
        };
        match bytes.get(at) {
            Some(b'"') => return Some(at + 1),
            Some(b'\\') => at += 2,
            _ => {}
        }
    }
}

/// Nothing for escapes that stand for a code unit, which are rare.
fn unescape(inner: &str) -> Option<String> {
    let mut out = Vec::with_capacity(inner.len() + WORD);
    let mut rest = inner.as_bytes();
    loop {
        let plain = match rest.split_first_chunk::<WORD>() {
            Some((word, after)) => {
                let plain = first(equal(u64::from_le_bytes(*word), b'\\'));
                out.extend_from_slice(word);
                if plain == WORD {
                    rest = after;
                    continue;
                }
                out.truncate(out.len() - (WORD - plain));
                plain
            }
            None => {
                let plain = rest.iter().position(|&byte| byte == b'\\').unwrap_or(rest.len());
                out.extend_from_slice(&rest[..plain]);
                plain
            }
        };
        let (escape, after) = match &rest[plain..] {
            [] => return String::from_utf8(out).ok(),
            [_, escape, after @ ..] => (*escape, after),
            [_] => return None,
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

/// How many bytes of a word stand in a JSON string as they are.
fn plain_bytes(word: Word) -> usize {
    let word = u64::from_le_bytes(word);
    let below_space = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
    first(equal(word, b'"') | equal(word, b'\\') | below_space)
}

/// The high bit of the first byte that is `byte`, and perhaps of later ones.
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

    /// Every byte that needs care, in every place of a word.
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
    fn writes_what_serde_writes() {
        for text in texts() {
            let mut out = Vec::new();
            write(&mut out, &text);
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn reads_what_serde_writes() {
        for text in texts() {
            let json = serde_json::to_string(&text).unwrap();
            assert_eq!(read(&json).unwrap(), text);
            assert_eq!(length(&format!("{json},\"{text}")), Some(json.len()));
            assert_eq!(length(&json[..json.len() - 1]), None);
        }
        assert_eq!(read(r#""\u00e9\ud83d\ude00\/""#).unwrap(), "é😀/");
        assert_eq!(read(r#""\\\\\"""#).unwrap(), r#"\\""#);
    }

    #[test]
    fn refuses_what_is_no_string() {
        for json in ["", "\"", "5", r#""\ud800""#, r#""\x""#, r#"{"a":"b"}"#, r#""abcdefg\"#] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
