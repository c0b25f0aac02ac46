'use strict'

// What npm would publish: every entry of `files` is there, nothing else is, and all versions agree.

const assert = require('node:assert/strict')
const { execSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
const { files, version } = require('../../package.json')
const always = ['package.json', 'README.md']

for (const entry of files) assert.ok(fs.existsSync(path.join(root, entry)), `files names ${entry}, which is not there`)

const [{ files: packed }] = JSON.parse(execSync('npm pack --dry-run --json --ignore-scripts', { cwd: root }))
const names = packed.map((file) => file.path)
const strangers = names.filter(
  (name) => !always.includes(name) && !files.some((entry) => name === entry || name.startsWith(`${entry}/`))
)
assert.deepEqual(strangers, [], 'the tarball has what files does not name')
assert.deepEqual(
  names.filter((name) => !/\.(js|ts|md|json)$|^LICENSE-/.test(name)),
  [],
  'the tarball has odd files'
)
const tracked = execSync('git ls-files', { cwd: root, encoding: 'utf8' }).split('\n')
assert.deepEqual(
  names.filter((name) => !tracked.includes(name)),
  [],
  'the tarball has what is not in the repository'
)
assert.deepEqual(
  always.filter((name) => !names.includes(name)),
  []
)

const [, cargoVersion] = /^version = "(.*)"$/m.exec(fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8'))
assert.equal(cargoVersion, version, 'Cargo.toml and package.json are of different versions')
const changelog = fs.readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8')
assert.ok(changelog.includes(`\n## ${version} `), `the changelog has nothing on ${version}`)
console.log(`The package has ${names.length} files.`)
