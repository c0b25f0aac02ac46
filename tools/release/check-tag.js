'use strict'

// Checks whether a tag may be released: it must match the version of the package, the crate, and the lockfiles, and the
// changelog must have a section with its date. Prints that section.
//   node tools/release/check-tag.js v1.2.3

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
const text = (file) => fs.readFileSync(path.join(root, file), 'utf8')

/** The changelog section of a version, and its date. */
function changesOf(version, changelog) {
  const section = changelog.split(/^## /m).find((it) => it.startsWith(`${version} - `))
  assert.ok(section, `the changelog has no section for ${version}`)
  const [heading, ...lines] = section.split('\n')
  return { day: heading.slice(version.length + 3), notes: lines.join('\n').trim() }
}

function checkTag(tag, { manifest, lock, cargo, cargoLock, changelog }) {
  const { name, version } = JSON.parse(manifest)
  assert.equal(tag, `v${version}`, 'the tag does not match the version in package.json')
  assert.equal(JSON.parse(lock).packages[''].version, version, 'package-lock.json has another version')
  assert.ok(cargo.includes(`[workspace.package]\nversion = "${version}"\n`), 'Cargo.toml has another version')
  assert.ok(cargoLock.includes(`name = "${name}"\nversion = "${version}"\n`), 'Cargo.lock has another version')
  const { day, notes } = changesOf(version, changelog)
  assert.match(day, /^\d{4}-\d\d-\d\d$/, `the changelog has no date for ${version}`)
  assert.ok(notes, `the changelog section for ${version} is empty`)
  return notes
}

if (require.main === module) {
  const files = {
    manifest: text('package.json'),
    lock: text('package-lock.json'),
    cargo: text('Cargo.toml'),
    cargoLock: text('Cargo.lock'),
    changelog: text('CHANGELOG.md')
  }
  console.log(checkTag(process.argv[2], files))
}

module.exports = { checkTag }
