//! The inputs that the fuzz targets have found worth keeping.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;

fn replay(target: fn(&[u8]), name: &str) {
    let folder = format!("{}/fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    let inputs: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(!inputs.is_empty());
    for input in inputs {
        target(&input);
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
