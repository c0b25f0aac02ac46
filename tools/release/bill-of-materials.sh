#!/usr/bin/env bash
# Writes the bills of materials of a release to a folder: one for the npm package and one for the crates in the addons, both
# in CycloneDX format, and the licenses of these crates.
# Needs `cargo install --locked cargo-cyclonedx` and `cargo install --locked --features cli cargo-about`.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/bill-of-materials}
mkdir -p "$folder"

npm sbom --sbom-format cyclonedx --sbom-type library --omit dev --package-lock-only > "$folder/npm.cdx.json"

# cargo-cyclonedx writes a file for each workspace member, next to its Cargo.toml.
cargo cyclonedx --quiet --format json --spec-version 1.5 --target all --no-build-deps --override-filename crates.cdx
mv crates.cdx.json "$folder"
rm {core,tools/benchmark/server,tools/local-dynamodb}/crates.cdx.json

cargo about generate --config tools/release/about.toml --locked --fail --output-file "$folder/THIRD-PARTY-LICENSES.txt" tools/release/licenses.hbs
node tools/release/tidy-bills.js "$folder"
