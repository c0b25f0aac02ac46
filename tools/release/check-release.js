'use strict'

// Checks a release before it is published: every platform package has its addon and the licenses, the main package lists
// exactly these platforms, and there are no other packages than these and those in `packages`.
//   node tools/release/check-release.js <folder with the tarballs>

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { parseTriple } = require('@napi-rs/cli')
const { extraPackages, manifestOf } = require('./extra-packages')
const { name, napi, version } = require('../../package.json')

const elf = { 0x3e: 'x64', 0xb7: 'arm64' }
const machO = { 0x01000007: 'x64', 0x0100000c: 'arm64' }
const pe = { 0x8664: 'x64', 0xaa64: 'arm64' }

// An addon is about 6 MB. One that is not optimized or not stripped is many times larger.
const LARGEST_ADDON = 12e6

const textFiles = ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'THIRD-PARTY-LICENSES.txt', 'package.json']

function checkRelease(folder, extras = extraPackages()) {
  // Without a scope, anyone could register the name of a platform package that is not published yet.
  assert.match(napi.packageName, /^@[^/]+\//, 'the platform packages have no scope')
  const platforms = napi.targets.map((target) => parseTriple(target).platformArchABI)
  const packages = platforms.map((platform) => `${napi.packageName}-${platform}`)
  const extraNames = extras.map((extra) => manifestOf(extra).name)
  const tarballs = [name, ...packages, ...extraNames].map(tarballOf)
  assert.deepEqual(fs.readdirSync(folder).sort(), tarballs.sort(), 'these are not the tarballs of a release')
  for (const platform of platforms) checkPlatform(new Tarball(folder, `${napi.packageName}-${platform}`), platform)
  checkRoot(new Tarball(folder, name), packages)
  for (const extra of extraNames) checkExtra(new Tarball(folder, extra))
}

function checkPlatform(tarball, platform) {
  const { manifest } = tarball
  const addon = `${napi.binaryName}.${platform}.node`
  assert.deepEqual(tarball.files, [...textFiles, addon].sort(), `files of ${manifest.name}`)
  assert.deepEqual([manifest.version, manifest.main], [version, addon], manifest.name)
  const bytes = tarball.read(addon)
  assert.ok(bytes.length < LARGEST_ADDON, `${addon} is too large: ${bytes.length} bytes`)
  const { os, cpu, libc } = systemOf(bytes, addon)
  assert.deepEqual([manifest.os, manifest.cpu, manifest.libc], [[os], [cpu], libc && [libc]], `system of ${addon}`)
  const licenses = tarball.read('THIRD-PARTY-LICENSES.txt').toString()
  for (const crate of ['ring', 'rustls', 'tokio', 'aws-sdk-dynamodb']) {
    assert.match(licenses, new RegExp(`^  ${crate} \\d`, 'm'), `licenses of ${manifest.name}`)
  }
  checkDependencies(manifest)
  checkManifest(manifest)
}

function checkRoot(tarball, packages) {
  const { manifest } = tarball
  const wanted = Object.fromEntries(packages.map((it) => [it, version]))
  assert.deepEqual(manifest.optionalDependencies, wanted, 'optionalDependencies of the main package')
  assert.ok(!tarball.files.some((file) => file.endsWith('.node')), 'the main package contains an addon')
  checkDependencies(manifest)
  checkManifest(manifest)
}

function checkExtra({ files, manifest }) {
  assert.equal(manifest.version, version, manifest.name)
  const missing = ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md'].filter((file) => !files.includes(file))
  assert.deepEqual(missing, [], `files of ${manifest.name}`)
  checkManifest(manifest)
}

function checkDependencies({ name: it, dependencies, bundleDependencies }) {
  assert.deepEqual([dependencies, bundleDependencies], [undefined, undefined], `${it} has dependencies`)
}

function checkManifest({ name: it, scripts = {}, repository }) {
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
    assert.equal(scripts[script], undefined, `${it} runs ${script}`)
  }
  const { GITHUB_REPOSITORY: source } = process.env
  if (source) assert.ok(repository?.url.includes(`/${source}.git`), `${it} does not name the repository ${source}`)
}

function tarballOf(packageName) {
  return `${packedName(packageName)}-${version}.tgz`
}

class Tarball {
  constructor(folder, it) {
    this.file = path.join(folder, tarballOf(it))
    this.files = this.#tar('-tzf', this.file)
      .toString()
      .trim()
      .split('\n')
      .filter((file) => !file.endsWith('/'))
      .map((file) => file.replace('package/', ''))
      .sort()
    this.manifest = JSON.parse(this.read('package.json'))
    assert.equal(this.manifest.name, it)
  }

  read(file) {
    return this.#tar('-xzOf', this.file, `package/${file}`)
  }

  #tar(...args) {
    return execFileSync('tar', args, { maxBuffer: 2 ** 27 })
  }
}

/** The system that an addon is built for, read from its header, in npm's terms. */
function systemOf(addon, name) {
  if (addon.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'))) {
    return { os: 'linux', cpu: elf[addon.readUInt16LE(18)], libc: addon.includes('libc.so.6\0') ? 'glibc' : 'musl' }
  }
  if (addon.readUInt32LE(0) === 0xfeedfacf) return { os: 'darwin', cpu: machO[addon.readUInt32LE(4)] }
  if (addon.toString('latin1', 0, 2) === 'MZ') {
    return { os: 'win32', cpu: pe[addon.readUInt16LE(addon.readUInt32LE(0x3c) + 4)] }
  }
  throw new Error(`${name} is not an addon`)
}

/** The name of a package in the file name that `npm pack` gives its tarball. */
function packedName(name) {
  return name.replace('@', '').replace('/', '-')
}

if (require.main === module) {
  checkRelease(process.argv[2])
  console.log('The release is complete.')
}

module.exports = { checkRelease, packedName, tarballOf }
