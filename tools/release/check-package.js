'use strict'

// Checks what npm would publish: all entries of `files` and nothing else, with the same version everywhere.

const assert = require('node:assert/strict')
const { execSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { extraPackages, manifestOf } = require('./extra-packages')

const root = path.join(__dirname, '..', '..')
const { files, version } = require('../../package.json')
const always = ['package.json', 'README.md']

for (const entry of files)
  assert.ok(fs.existsSync(path.join(root, entry)), `package.json lists ${entry} under files, but it does not exist`)

const [{ files: packed }] = JSON.parse(execSync('npm pack --dry-run --json --ignore-scripts', { cwd: root }))
const names = packed.map((file) => file.path)
const unlisted = names.filter(
  (name) => !always.includes(name) && !files.some((entry) => name === entry || name.startsWith(`${entry}/`))
)
assert.deepEqual(unlisted, [], 'the tarball has files that package.json does not list')
assert.deepEqual(
  names.filter((name) => !/\.(js|ts|md|json)$|^LICENSE-/.test(name)),
  [],
  'the tarball has unexpected files'
)
const tracked = execSync('git ls-files', { cwd: root, encoding: 'utf8' }).split('\n')
assert.deepEqual(
  names.filter((name) => !tracked.includes(name)),
  [],
  'the tarball has files that are not in the repository'
)
assert.deepEqual(
  always.filter((name) => !names.includes(name)),
  []
)

const [, cargoVersion] = /^version = "(.*)"$/m.exec(fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8'))
assert.equal(cargoVersion, version, 'Cargo.toml and package.json have different versions')
for (const extra of extraPackages().map(manifestOf))
  assert.equal(extra.version, version, `${extra.name} and the main package have different versions`)
const changelog = fs.readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8')
assert.ok(changelog.includes(`\n## ${version} `), `the changelog has no section for ${version}`)
console.log(`The package has ${names.length} files.`)
