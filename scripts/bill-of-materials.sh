#!/usr/bin/env bash
# Writes what a release is made of into a folder: two bills of materials and the licences of the crates.
# Needs `cargo install --locked cargo-cyclonedx cargo-about`.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-target/bill-of-materials}
mkdir -p "$folder"
npm sbom --sbom-format cyclonedx --omit dev > "$folder/npm.cdx.json"
cargo cyclonedx --format json --describe crate --override-filename bill-of-materials
mv bill-of-materials.json "$folder/crates.cdx.json"
rm -f tests/local-dynamodb/bill-of-materials.json
cargo about generate --fail --format json --output-file "$folder/licences.json"
