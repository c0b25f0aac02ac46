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

test('an installation brings no other package and runs no script', () => {
  assert.deepEqual([manifest.dependencies, manifest.optionalDependencies], [undefined, undefined])
  const peers = Object.keys(manifest.peerDependencies)
  assert.deepEqual(peers, Object.keys(manifest.peerDependenciesMeta), 'a peer that is not optional would be installed')
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
    assert.ok(!(script in manifest.scripts), script)
})

// Without them `npm ci` refuses the lockfile, and the tools do not start on the other systems.
test('the lockfile has the tools for every system', () => {
  const names = new Set(Object.keys(locked).map((place) => place.split('node_modules/').pop()))
  const wanted = Object.values(locked).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
  assert.deepEqual([wanted.filter((name) => !names.has(name)), wanted.length > 50], [[], true])
})

test('no crate wants a newer Rust than Cargo.toml says', () => {
  const arguments_ = ['metadata', '--locked', '--format-version', '1']
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 27, stdio: ['ignore', 'pipe', 'ignore'] }
  const { packages, resolve } = JSON.parse(execFileSync('cargo', arguments_, options))
  const crates = new Map(packages.map((crate) => [crate.id, crate]))
  const ours = packages.find(({ name }) => name === manifest.name)
  const built = builtFor(ours.id, new Map(resolve.nodes.map((node) => [node.id, node])))
  const newer = [...built].map((id) => crates.get(id)).filter((crate) => isNewer(crate.rust_version, ours.rust_version))
  assert.deepEqual([newer.map(({ name }) => name), built.size > 100], [[], true])
})

/** All that is compiled for the addon, and not for the tests alone. */
function builtFor(id, nodes, found = new Set()) {
  if (found.has(id)) return found
  found.add(id)
  const needed = nodes.get(id).deps.filter(({ dep_kinds: kinds }) => kinds.some(({ kind }) => kind !== 'dev'))
  for (const { pkg } of needed) builtFor(pkg, nodes, found)
  return found
}

function isNewer(wanted, than) {
  return wanted !== null && wanted.localeCompare(than, 'en', { numeric: true }) > 0
}

test('the rules for crates look at every target of a release', () => {
  for (const file of ['deny.toml', 'about.toml']) {
    const targets = [...read(file).matchAll(/^ {2}"(\w+-\w+-[\w-]+)",$/gm)].map(([, target]) => target)
    assert.deepEqual(targets, manifest.napi.targets, file)
  }
})

test('licences that deny.toml allows can be written down', () => {
  const list = (file, key) => JSON.parse(new RegExp(`^${key} = (\\[.*\\])$`, 'm').exec(read(file))[1])
  assert.deepEqual(list('about.toml', 'accepted'), list('deny.toml', 'allow'))
})

test('workflows name actions by commit', () => {
  const folder = path.join('.github', 'workflows')
  const jobs = fs.readdirSync(path.join(root, folder)).flatMap((file) => {
    const { permissions, jobs } = parse(read(path.join(folder, file)))
    assert.deepEqual(permissions, { contents: 'read' }, file)
    return Object.values(jobs)
  })
  const actions = jobs.flatMap(({ steps = [] }) => steps).flatMap(({ uses }) => uses ?? [])
  assert.deepEqual([actions.filter((action) => !/@[0-9a-f]{40}$/.test(action)), actions.length > 5], [[], true])
})
