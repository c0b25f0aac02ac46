//! Runs the fuzz targets on the inputs kept in their corpora.

#[allow(unreachable_pub, reason = "the fuzz crate exports these functions")]
#[path = "../../tools/fuzz/src/lib.rs"]
mod targets;

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Runs a target on its packed corpus, which has an input in Base64 on each line.
fn replay(target: fn(&[u8]), name: &str) {
    let file = format!("{}/../tools/fuzz/corpus/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let corpus = fs::read_to_string(file).unwrap();
    assert!(!corpus.is_empty());
    for input in corpus.lines() {
        target(&BASE64.decode(input).unwrap());
    }
}

#[test]
fn responses() {
    replay(targets::response, "response");
}

#[test]
fn items() {
    replay(targets::item, "item");
}

#[test]
fn options() {
    replay(targets::options, "options");
}
