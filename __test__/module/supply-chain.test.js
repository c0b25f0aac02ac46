'use strict'

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { parse } = require('yaml')
const { root } = require('../support/child')
const manifest = require('../../package.json')
const { packages: locked } = require('../../package-lock.json')

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8')

test('installing the package installs no dependency and runs no script', () => {
  assert.deepEqual([manifest.dependencies, manifest.optionalDependencies], [undefined, undefined])
  const peers = Object.keys(manifest.peerDependencies)
  assert.deepEqual(
    peers,
    Object.keys(manifest.peerDependenciesMeta),
    'npm installs peer dependencies that are not optional'
  )
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
    assert.ok(!(script in manifest.scripts), script)
})

// Otherwise, `npm ci` rejects the lockfile, and the development tools do not start on other systems.
test('the lockfile has the optional dependencies of every platform', () => {
  const names = new Set(Object.keys(locked).map((place) => place.split('node_modules/').pop()))
  const wanted = Object.values(locked).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
  assert.deepEqual([wanted.filter((name) => !names.has(name)), wanted.length > 50], [[], true])
})

test('no crate requires a newer Rust than Cargo.toml', () => {
  const arguments_ = ['metadata', '--locked', '--format-version', '1']
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 27, stdio: ['ignore', 'pipe', 'ignore'] }
  const { packages, resolve } = JSON.parse(execFileSync('cargo', arguments_, options))
  const crates = new Map(packages.map((crate) => [crate.id, crate]))
  const ours = packages.find(({ name }) => name === manifest.name)
  const built = builtFor(ours.id, new Map(resolve.nodes.map((node) => [node.id, node])))
  const newer = [...built].map((id) => crates.get(id)).filter((crate) => isNewer(crate.rust_version, ours.rust_version))
  assert.deepEqual([newer.map(({ name }) => name), built.size > 100], [[], true])
})

/** The crates that are compiled into the addon, without those for tests only. */
function builtFor(id, nodes, found = new Set()) {
  if (found.has(id)) return found
  found.add(id)
  const needed = nodes.get(id).deps.filter(({ dep_kinds: kinds }) => kinds.some(({ kind }) => kind !== 'dev'))
  for (const { pkg } of needed) builtFor(pkg, nodes, found)
  return found
}

function isNewer(version, than) {
  return version !== null && version.localeCompare(than, 'en', { numeric: true }) > 0
}

test('deny.toml and about.toml cover every target of a release', () => {
  for (const file of ['deny.toml', 'tools/release/about.toml']) {
    const targets = [...read(file).matchAll(/^ {2}"(\w+-\w+-[\w-]+)",$/gm)].map(([, target]) => target)
    assert.deepEqual(targets, manifest.napi.targets, file)
  }
})

test('deny.toml and about.toml allow the same licenses', () => {
  const list = (file, key) => JSON.parse(new RegExp(`^${key} = (\\[.*\\])$`, 'm').exec(read(file))[1])
  assert.deepEqual(list('tools/release/about.toml', 'accepted'), list('deny.toml', 'allow'))
})

test('workflows pin actions to commits and have read-only permissions', () => {
  const folder = path.join('.github', 'workflows')
  const jobs = fs.readdirSync(path.join(root, folder)).flatMap((file) => {
    const { permissions, jobs } = parse(read(path.join(folder, file)))
    assert.deepEqual(permissions, { contents: 'read' }, file)
    return Object.values(jobs)
  })
  const actions = jobs.flatMap(({ steps = [] }) => steps).flatMap(({ uses }) => uses ?? [])
  assert.deepEqual([actions.filter((action) => !/@[0-9a-f]{40}$/.test(action)), actions.length > 5], [[], true])
})

// npm trusts this job. A step that installs packages or runs their code could publish anything.
test('a release is published with provenance, in a protected environment, by a job that only publishes', () => {
  const { publish } = parse(read(path.join('.github', 'workflows', 'release.yml'))).jobs
  assert.deepEqual([publish.environment, publish.permissions], ['npm', { contents: 'read', 'id-token': 'write' }])
  const commands = publish.steps.flatMap(({ run }) => run ?? [])
  assert.deepEqual(commands, ['tools/release/publish-release.sh release --provenance --access public'])
})
