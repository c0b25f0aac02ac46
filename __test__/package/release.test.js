'use strict'

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { parseTriple } = require('@napi-rs/cli')
const { checkRelease, tarballOf } = require('../../tools/release/check-release')
const { checkTag } = require('../../tools/release/check-tag')
const { packRelease } = require('../../tools/release/pack-release')
const { root, run } = require('../support/child')
const { temporaryDirectory } = require('../support/temporary-packages')
const { napi, version } = require('../../package.json')

/** As many bytes of an addon as tell its system. */
const headers = {
  'linux-arm64-gnu': elf(0xb7, 'libc.so.6'),
  'linux-x64-gnu': elf(0x3e, 'libc.so.6'),
  'linux-arm64-musl': elf(0xb7, 'libc.so'),
  'linux-x64-musl': elf(0x3e, 'libc.so'),
  'darwin-arm64': machO(0x0100000c),
  'darwin-x64': machO(0x01000007),
  'win32-x64-msvc': pe(0x8664)
}

function elf(machine, library) {
  const bytes = Buffer.alloc(64)
  bytes.write('\x7fELF', 'latin1')
  bytes.writeUInt16LE(machine, 18)
  bytes.write(`${library}\0`, 30, 'latin1')
  return bytes
}

function machO(processor) {
  const bytes = Buffer.alloc(32)
  bytes.writeUInt32LE(0xfeedfacf)
  bytes.writeUInt32LE(processor, 4)
  return bytes
}

function pe(machine) {
  const bytes = Buffer.alloc(96)
  bytes.write('MZ', 'latin1')
  bytes.writeUInt32LE(64, 0x3c)
  bytes.writeUInt16LE(machine, 68)
  return bytes
}

describe('the packed release', () => {
  const directory = temporaryDirectory({ after })
  const release = path.join(directory, 'release')
  before(async () => {
    const [addons, bill] = ['addons', 'bill'].map((name) => path.join(directory, name))
    fs.mkdirSync(addons)
    for (const [platform, header] of Object.entries(headers)) {
      fs.writeFileSync(path.join(addons, `dynamodb-session.${platform}.node`), header)
    }
    fs.mkdirSync(bill)
    const crates = ['ring', 'rustls', 'tokio', 'aws-sdk-dynamodb'].map((crate) => `  ${crate} 1.0.0\n`)
    fs.writeFileSync(path.join(bill, 'THIRD-PARTY-LICENSES.txt'), crates.join(''))
    await packRelease(addons, bill, release)
  })

  /** The release with one of its packages changed. */
  function spoilt(name, spoil) {
    const copy = fs.mkdtempSync(path.join(directory, 'spoilt-'))
    fs.cpSync(release, copy, { recursive: true })
    const tarball = path.join(copy, tarballOf(name))
    const unpacked = fs.mkdtempSync(path.join(directory, 'unpacked-'))
    execFileSync('tar', ['-xzf', tarball, '-C', unpacked])
    spoil(path.join(unpacked, 'package'))
    execFileSync('tar', ['-czf', tarball, '-C', unpacked, 'package'])
    return copy
  }

  const platform = '@dynamodb-session/addon-linux-x64-gnu'
  const addon = 'dynamodb-session.linux-x64-gnu.node'

  function editManifest(change) {
    return (folder) => {
      const file = path.join(folder, 'package.json')
      const manifest = JSON.parse(fs.readFileSync(file, 'utf8'))
      change(manifest)
      fs.writeFileSync(file, JSON.stringify(manifest))
    }
  }

  test('has a package for each platform', () => {
    assert.equal(fs.readdirSync(release).length, napi.targets.length + 1)
    checkRelease(release)
  })

  test('is refused without one of them', () => {
    const copy = fs.mkdtempSync(path.join(directory, 'missing-'))
    fs.cpSync(release, copy, { recursive: true })
    fs.rmSync(path.join(copy, tarballOf(platform)))
    assert.throws(() => checkRelease(copy), /the tarballs are not those of a release/)
  })

  for (const [what, name, spoil, message] of [
    ['without an addon', platform, (folder) => fs.rmSync(path.join(folder, addon)), /files of/],
    ['with the addon of another C library', platform, swap('linux-x64-musl'), /system of/],
    ['with the addon of another processor', platform, swap('linux-arm64-gnu'), /system of/],
    ['with the addon of another system', platform, swap('darwin-x64'), /system of/],
    [
      'without the licences',
      platform,
      (folder) => fs.rmSync(path.join(folder, 'THIRD-PARTY-LICENSES.txt')),
      /files of/
    ],
    ['with empty licences', platform, (folder) => fs.writeFileSync(licencesOf(folder), ''), /licences of/],
    ['of another version', platform, editManifest((it) => (it.version = '9.9.9')), /9\.9\.9/],
    ['with a root that asks for no addons', 'dynamodb-session', editManifest(withoutAddons), /optionalDependencies/],
    [
      'with an addon in the root',
      'dynamodb-session',
      (folder) => fs.writeFileSync(path.join(folder, addon), ''),
      /has an addon/
    ],
    ['with a dependency', 'dynamodb-session', editManifest((it) => (it.dependencies = { a: '1' })), /has dependencies/],
    ['with an install script', platform, editManifest((it) => (it.scripts = { postinstall: 'x' })), /runs postinstall/]
  ]) {
    test(`is refused ${what}`, () => assert.throws(() => checkRelease(spoilt(name, spoil)), message))
  }

  describe('published by publish-release.sh', { skip: process.platform === 'win32' && 'it is a Bash script' }, () => {
    const platforms = napi.targets.map((target) => `${napi.packageName}-${parseTriple(target).platformArchABI}`)

    test('puts the platform packages first', async (t) => {
      const registry = await startRegistry(t)
      const { code, stderr } = await publish(release, registry)
      assert.equal(code, 0, stderr)
      assert.deepEqual(registry.published, [...platforms.sort(), 'dynamodb-session'])
    })

    test('goes on after an interrupted run', async (t) => {
      const registry = await startRegistry(t, { has: hashesOf(platforms) })
      const { code, stdout, stderr } = await publish(release, registry)
      assert.equal(code, 0, stderr)
      assert.ok(stdout.includes(`The registry has ${platform}@${version}.`), stdout)
      assert.deepEqual(registry.published, ['dynamodb-session'])
    })

    test('publishes nothing if the registry has other content under one of its names', async (t) => {
      const registry = await startRegistry(t, { has: { [platforms.at(-1)]: 'sha512-c29tZWJvZHkgZWxzZQ==' } })
      const { code, stderr } = await publish(release, registry)
      assert.equal(code, 1)
      assert.match(stderr, /The registry has another @dynamodb-session\/addon-\S+@\S+\. Nothing was published\./)
      assert.deepEqual(registry.published, [])
    })

    test('stops before the main package if it may not publish in the scope', async (t) => {
      const registry = await startRegistry(t, { forbids: (name) => name.startsWith('@') })
      const { code, stderr } = await publish(release, registry)
      assert.notEqual(code, 0)
      assert.match(stderr, /403/)
      assert.deepEqual(registry.published, [])
    })

    function hashesOf(names) {
      const hash = (name) =>
        createHash('sha512')
          .update(fs.readFileSync(path.join(release, tarballOf(name))))
          .digest('base64')
      return Object.fromEntries(names.map((name) => [name, `sha512-${hash(name)}`]))
    }

    /** A registry that has these packages, by their integrity, and notes what is published. */
    async function startRegistry(t, { has = {}, forbids = () => false } = {}) {
      const published = []
      const server = http.createServer((request, response) => {
        const name = decodeURIComponent(request.url.slice(1).split('?')[0])
        const answer = (status, body = {}) => response.writeHead(status).end(JSON.stringify(body))
        request.resume().on('end', () => {
          if (request.method === 'PUT') {
            if (forbids(name)) return answer(403, { error: 'Forbidden' })
            published.push(name)
            return answer(201)
          }
          if (!has[name]) return answer(404)
          const dist = { integrity: has[name] }
          answer(200, { name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, dist } } })
        })
      })
      await once(server.listen(0, '127.0.0.1'), 'listening')
      t.after(() => server.close().closeAllConnections())
      return { published, host: `127.0.0.1:${server.address().port}` }
    }

    function publish(folder, { host }) {
      const userconfig = path.join(directory, `npmrc-${host.split(':')[1]}`)
      fs.writeFileSync(userconfig, `registry=http://${host}/\n//${host}/:_authToken=token-of-a-test\n`)
      const env = {
        npm_config_userconfig: userconfig,
        npm_config_registry: `http://${host}/`,
        npm_config_fetch_retries: '0'
      }
      return run('bash', [path.join(root, 'tools', 'release', 'publish-release.sh'), folder], {
        env,
        timeLimit: 120_000
      })
    }
  })

  function swap(other) {
    return (folder) => fs.writeFileSync(path.join(folder, addon), headers[other])
  }

  function withoutAddons(manifest) {
    delete manifest.optionalDependencies
  }

  function licencesOf(folder) {
    return path.join(folder, 'THIRD-PARTY-LICENSES.txt')
  }
})

describe('a tag', () => {
  const read = (file) => fs.readFileSync(path.join(root, file), 'utf8')
  const files = {
    manifest: read('package.json'),
    lock: read('package-lock.json'),
    cargo: read('Cargo.toml'),
    cargoLock: read('Cargo.lock'),
    changelog: `# Changelog\n\n## ${version} - 2026-11-21\n\n### Added\n\n- All.\n\n## 0.0.1 - 2026-01-01\n\n- Less.\n`
  }
  const tag = `v${version}`
  const older = (file) => ({ [file]: files[file].replaceAll(`"${version}"`, '"0.0.1"') })

  test('of this version gives what the changelog says of it', () => {
    assert.equal(checkTag(tag, files), '### Added\n\n- All.')
  })

  for (const [what, given, change, message] of [
    ['of another version', 'v9.9.9', {}, /the tag is not the version/],
    ['that Cargo.toml does not have', tag, older('cargo'), /Cargo\.toml/],
    ['that Cargo.lock does not have', tag, older('cargoLock'), /Cargo\.lock/],
    ['that package-lock.json does not have', tag, older('lock'), /package-lock/],
    ['that the changelog does not have', tag, { changelog: '# Changelog\n' }, /has nothing on/],
    ['without a day', tag, { changelog: files.changelog.replace('2026-11-21', 'Unreleased') }, /has no day/],
    ['without a change', tag, { changelog: `## ${version} - 2026-11-21\n` }, /says nothing/]
  ]) {
    test(`${what} is refused`, () => assert.throws(() => checkTag(given, { ...files, ...change }), message))
  }
})
