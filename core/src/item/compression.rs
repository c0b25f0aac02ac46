//! Compresses sessions with deflate.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::item::MAX_ITEM_SIZE;

/// The level that takes the least time. Higher ones save a few percent.
const LEVEL: u8 = 1;

/// Compresses bytes.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, LEVEL)
}

/// Decompresses bytes. Returns `None` if they are not deflated, or are larger than a session can be: an item of 400 KB could
/// become 400 MB.
pub(crate) fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    decompress_to_vec_with_limit(bytes, MAX_ITEM_SIZE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflating_stops_at_the_size_of_an_item() {
        let zeros = |length| deflate(&vec![b'0'; length]);
        assert_eq!(inflate(&zeros(MAX_ITEM_SIZE)).map(|text| text.len()), Some(MAX_ITEM_SIZE));
        assert_eq!(inflate(&zeros(MAX_ITEM_SIZE + 1)), None);
        assert_eq!(inflate(&zeros(400_000_000)), None);
        for junk in [&[][..], &[7], &[0xff; 64]] {
            assert_eq!(inflate(junk), None);
        }
    }
}
