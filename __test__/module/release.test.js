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
const { extraPackages, manifestOf } = require('../../tools/release/extra-packages')
const { packRelease } = require('../../tools/release/pack-release')
const { placeholders, writePlaceholders } = require('../../tools/release/placeholder-addons')
const { root, run } = require('../support/child')
const { temporaryDirectory, write } = require('../support/temporary-packages')
const { napi, version } = require('../../package.json')

describe('check-release.js', () => {
  const directory = temporaryDirectory({ after })
  const release = path.join(directory, 'release')
  const extra = '@dynamodb-session/a-package-of-its-own'
  const extras = [path.join(directory, 'extra')]
  const check = (folder) => checkRelease(folder, extras)
  before(async () => {
    const [addons, bill] = ['addons', 'bill'].map((name) => path.join(directory, name))
    fs.mkdirSync(addons)
    writePlaceholders(addons)
    fs.mkdirSync(bill)
    const crates = ['ring', 'rustls', 'tokio', 'aws-sdk-dynamodb'].map((crate) => `  ${crate} 1.0.0\n`)
    fs.writeFileSync(path.join(bill, 'THIRD-PARTY-LICENSES.txt'), crates.join(''))
    const manifest = { name: extra, version, files: ['index.js'], dependencies: { express: '5' } }
    write(path.join(extras[0], 'package.json'), JSON.stringify(manifest))
    for (const file of ['index.js', 'README.md']) write(path.join(extras[0], file), '')
    await packRelease(addons, bill, release, extras)
  })

  /** A copy of the release with one changed package. */
  function changedRelease(name, change) {
    const copy = fs.mkdtempSync(path.join(directory, 'changed-'))
    fs.cpSync(release, copy, { recursive: true })
    const tarball = path.join(copy, tarballOf(name))
    const unpacked = fs.mkdtempSync(path.join(directory, 'unpacked-'))
    execFileSync('tar', ['-xzf', tarball, '-C', unpacked])
    change(path.join(unpacked, 'package'))
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

  test('accepts a package for each platform', () => {
    assert.equal(fs.readdirSync(release).length, napi.targets.length + 2)
    check(release)
  })

  test('rejects a package that the release should not have', () => {
    assert.throws(() => checkRelease(release, []), /these are not the tarballs of a release/)
  })

  test('rejects a release with a missing package', () => {
    const copy = fs.mkdtempSync(path.join(directory, 'missing-'))
    fs.cpSync(release, copy, { recursive: true })
    fs.rmSync(path.join(copy, tarballOf(platform)))
    assert.throws(() => check(copy), /these are not the tarballs of a release/)
  })

  for (const [what, name, change, message] of [
    ['without an addon', platform, (folder) => fs.rmSync(path.join(folder, addon)), /files of/],
    ['with the addon of another C library', platform, swap('linux-x64-musl'), /system of/],
    ['with the addon of another processor', platform, swap('linux-arm64-gnu'), /system of/],
    ['with the addon of another system', platform, swap('darwin-x64'), /system of/],
    [
      'with an addon that is not stripped',
      platform,
      (folder) => fs.truncateSync(path.join(folder, addon), 60e6),
      /is too large/
    ],
    ['with a package of another version', extra, editManifest((manifest) => (manifest.version = '9.9.9')), /9\.9\.9/],
    [
      'with a package without a license',
      extra,
      (folder) => fs.rmSync(path.join(folder, 'LICENSE-MIT')),
      /files of @dynamodb-session\/a-package/
    ],
    [
      'without the licenses',
      platform,
      (folder) => fs.rmSync(path.join(folder, 'THIRD-PARTY-LICENSES.txt')),
      /files of/
    ],
    ['with empty licenses', platform, (folder) => fs.writeFileSync(licensesOf(folder), ''), /licenses of/],
    ['of another version', platform, editManifest((manifest) => (manifest.version = '9.9.9')), /9\.9\.9/],
    [
      'whose main package has no optionalDependencies',
      'dynamodb-session',
      editManifest(withoutAddons),
      /optionalDependencies/
    ],
    [
      'with an addon in the main package',
      'dynamodb-session',
      (folder) => fs.writeFileSync(path.join(folder, addon), ''),
      /contains an addon/
    ],
    [
      'with a dependency',
      'dynamodb-session',
      editManifest((manifest) => (manifest.dependencies = { a: '1' })),
      /has dependencies/
    ],
    [
      'with an install script',
      platform,
      editManifest((manifest) => (manifest.scripts = { postinstall: 'x' })),
      /runs postinstall/
    ]
  ]) {
    test(`rejects a release ${what}`, () => assert.throws(() => check(changedRelease(name, change)), message))
  }

  describe('publish-release.sh', { skip: process.platform === 'win32' && 'a Bash script' }, () => {
    const platforms = napi.targets.map((target) => `${napi.packageName}-${parseTriple(target).platformArchABI}`)

    test('publishes the platform packages, then the main package, then the others', async (t) => {
      const registry = await startRegistry(t)
      const { code, stderr } = await publish(release, registry)
      assert.equal(code, 0, stderr)
      assert.deepEqual(registry.published, [...platforms.sort(), 'dynamodb-session', extra])
    })

    test('continues after an interrupted run', async (t) => {
      const registry = await startRegistry(t, { has: hashesOf(platforms) })
      const { code, stdout, stderr } = await publish(release, registry)
      assert.equal(code, 0, stderr)
      assert.ok(stdout.includes(`The registry has ${platform}@${version}.`), stdout)
      assert.deepEqual(registry.published, ['dynamodb-session', extra])
    })

    test('publishes nothing if the registry has different content for one of the packages', async (t) => {
      const registry = await startRegistry(t, { has: { [platforms.at(-1)]: 'sha512-c29tZWJvZHkgZWxzZQ==' } })
      const { code, stderr } = await publish(release, registry)
      assert.equal(code, 1)
      assert.match(stderr, /The registry has another @dynamodb-session\/addon-\S+@\S+\. Nothing was published\./)
      assert.deepEqual(registry.published, [])
    })

    test('does not publish the main package if publishing in the scope is forbidden', async (t) => {
      const registry = await startRegistry(t, { forbids: (name) => name.startsWith('@') })
      const { code, stderr } = await publish(release, registry)
      assert.notEqual(code, 0)
      assert.match(stderr, /403/)
      assert.deepEqual(registry.published, [])
    })

    test('claim-names.js publishes only the packages that do not exist', async (t) => {
      const registry = await startRegistry(t, { has: hashesOf(platforms.slice(1)) })
      const { code, stdout, stderr } = await runWith(registry, process.execPath, [
        'claim-names.js',
        '--access',
        'public'
      ])
      assert.equal(code, 0, stderr)
      assert.ok(stdout.includes(`The registry has ${platforms[1]}.`), stdout)
      const ours = extraPackages().map((folder) => manifestOf(folder).name)
      assert.deepEqual(registry.published, [platforms[0], 'dynamodb-session', ...ours])
    })

    test('claim-names.js publishes nothing while the registry is down', async (t) => {
      const registry = await startRegistry(t, { status: 503 })
      const { code, stderr } = await runWith(registry, process.execPath, ['claim-names.js'])
      assert.equal(code, 1, stderr)
      assert.deepEqual(registry.published, [])
    })

    function hashesOf(names) {
      const hash = (name) =>
        createHash('sha512')
          .update(fs.readFileSync(path.join(release, tarballOf(name))))
          .digest('base64')
      return Object.fromEntries(names.map((name) => [name, `sha512-${hash(name)}`]))
    }

    /** A registry with these packages (by integrity) that records what is published. */
    async function startRegistry(t, { has = {}, forbids = () => false, status } = {}) {
      const published = []
      const server = http.createServer((request, response) => {
        const name = decodeURIComponent(request.url.slice(1).split('?')[0])
        const respond = (status, body = {}) => response.writeHead(status).end(JSON.stringify(body))
        request.resume().on('end', () => {
          if (request.method === 'PUT') {
            if (forbids(name)) return respond(403, { error: 'Forbidden' })
            published.push(name)
            return respond(201)
          }
          if (!has[name]) return respond(status ?? 404)
          const dist = { integrity: has[name] }
          respond(200, { name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, dist } } })
        })
      })
      await once(server.listen(0, '127.0.0.1'), 'listening')
      t.after(() => server.close().closeAllConnections())
      return { published, host: `127.0.0.1:${server.address().port}` }
    }

    function publish(folder, registry) {
      return runWith(registry, 'bash', ['publish-release.sh', folder])
    }

    function runWith({ host }, program, [script, ...args]) {
      const userconfig = path.join(directory, `npmrc-${host.split(':')[1]}`)
      fs.writeFileSync(userconfig, `registry=http://${host}/\n//${host}/:_authToken=token-of-a-test\n`)
      const env = {
        npm_config_userconfig: userconfig,
        npm_config_registry: `http://${host}/`,
        npm_config_fetch_retries: '0'
      }
      return run(program, [path.join(root, 'tools', 'release', script), ...args], { env, timeLimit: 120_000 })
    }
  })

  function swap(other) {
    return (folder) => fs.writeFileSync(path.join(folder, addon), placeholders[other])
  }

  function withoutAddons(manifest) {
    delete manifest.optionalDependencies
  }

  function licensesOf(folder) {
    return path.join(folder, 'THIRD-PARTY-LICENSES.txt')
  }
})

describe('check-tag.js', () => {
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

  test('returns the changelog entry of the version', () => {
    assert.equal(checkTag(tag, files), '### Added\n\n- All.')
  })

  for (const [what, given, change, message] of [
    ['for another version', 'v9.9.9', {}, /the tag does not match the version/],
    ['that does not match Cargo.toml', tag, older('cargo'), /Cargo\.toml/],
    ['that does not match Cargo.lock', tag, older('cargoLock'), /Cargo\.lock/],
    ['that does not match package-lock.json', tag, older('lock'), /package-lock/],
    ['without an entry in the changelog', tag, { changelog: '# Changelog\n' }, /has no section for/],
    [
      'whose changelog entry has no date',
      tag,
      { changelog: files.changelog.replace('2026-11-21', 'Unreleased') },
      /has no date/
    ],
    ['whose changelog entry is empty', tag, { changelog: `## ${version} - 2026-11-21\n` }, /is empty/]
  ]) {
    test(`rejects a tag ${what}`, () => assert.throws(() => checkTag(given, { ...files, ...change }), message))
  }
})
