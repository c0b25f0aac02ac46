'use strict'

// Whether a tag may be released: it is the version of package, crate and lockfiles, and the changelog has its day. Prints
// what the changelog says of it.
//   node tools/release/check-tag.js v1.2.3

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
const text = (file) => fs.readFileSync(path.join(root, file), 'utf8')

/** What the changelog says of a version, and since when. */
function changesOf(version, changelog) {
  const section = changelog.split(/^## /m).find((it) => it.startsWith(`${version} - `))
  assert.ok(section, `the changelog has nothing on ${version}`)
  const [heading, ...lines] = section.split('\n')
  return { day: heading.slice(version.length + 3), notes: lines.join('\n').trim() }
}

function checkTag(tag, { manifest, lock, cargo, cargoLock, changelog }) {
  const { name, version } = JSON.parse(manifest)
  assert.equal(tag, `v${version}`, 'the tag is not the version of package.json')
  assert.equal(JSON.parse(lock).packages[''].version, version, 'package-lock.json has another version')
  assert.ok(cargo.includes(`[workspace.package]\nversion = "${version}"\n`), 'Cargo.toml has another version')
  assert.ok(cargoLock.includes(`name = "${name}"\nversion = "${version}"\n`), 'Cargo.lock has another version')
  const { day, notes } = changesOf(version, changelog)
  assert.match(day, /^\d{4}-\d\d-\d\d$/, `the changelog has no day for ${version}`)
  assert.ok(notes, `the changelog says nothing of ${version}`)
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

module.exports = { changesOf, checkTag }
