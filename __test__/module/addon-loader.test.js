'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { root, runNode } = require('../support/child')
const { copyPackage, temporaryDirectory, write } = require('../support/temporary-packages')

const { version } = require('../../package.json')
const localFile = fs.readdirSync(root).find((name) => name.endsWith('.node'))
const binary = path.join(root, localFile)
const build = localFile.split('.')[1]
const linux = process.platform === 'linux'
const onLinux = { skip: linux ? false : 'only Linux has more than one C library' }

/** An app that has the package but not the addon, like after a broken installation. */
function appWithoutAddon(t) {
  const directory = temporaryDirectory(t)
  const copy = path.join(directory, 'node_modules', 'dynamodb-session')
  copyPackage(copy)
  fs.rmSync(path.join(copy, localFile))
  return directory
}

/** Creates the addon package where npm would, with this content in its main file. */
function install(directory, content, { main = localFile, ...manifest } = {}) {
  const name = `@dynamodb-session/addon-${build}`
  const folder = path.join(directory, 'node_modules', name)
  write(path.join(folder, 'package.json'), JSON.stringify({ name, version, main, ...manifest }))
  write(path.join(folder, main), content)
}

const require_ = `
  try {
    const { DynamoDBStore } = require('dynamodb-session')
    console.log(JSON.stringify({ loaded: typeof DynamoDBStore }))
  } catch ({ message, code, cause }) {
    console.log(JSON.stringify({ message, code, cause: cause?.message }))
  }
`

async function load(directory, { script = require_, args = [], env } = {}) {
  const { code, stdout, stderr } = await runNode([...args, '-e', script], { cwd: directory, env })
  assert.deepEqual([code, stderr], [0, ''])
  return JSON.parse(stdout)
}

/** The addon, patched to require a glibc version that does not exist yet. */
function requiringNewerGlibc() {
  const bytes = fs.readFileSync(binary)
  const [required] = bytes.toString('latin1').match(/GLIBC_2\.\d\d/)
  const newer = required.replace('2.', '9.')
  for (const [from, to] of [
    [Buffer.from(required), Buffer.from(newer)],
    [hashOf(required), hashOf(newer)]
  ]) {
    for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + 1)) to.copy(bytes, at)
  }
  return { bytes, newer }
}

/** The hash of a symbol version in an ELF file. */
function hashOf(name) {
  let hash = 0
  for (const byte of Buffer.from(name)) {
    hash = (hash << 4) + byte
    const high = hash & 0xf0000000
    hash = (hash ^ (high >>> 24)) & ~high
  }
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(hash >>> 0)
  return bytes
}

describe('the addon', () => {
  test('is loaded from the platform package', async (t) => {
    const directory = appWithoutAddon(t)
    install(directory, fs.readFileSync(binary))
    assert.deepEqual(await load(directory), { loaded: 'function' })
  })

  test('is loaded from the file in NAPI_RS_NATIVE_LIBRARY_PATH', async (t) => {
    const directory = appWithoutAddon(t)
    const env = { NAPI_RS_NATIVE_LIBRARY_PATH: binary }
    assert.deepEqual(await load(directory, { env }), { loaded: 'function' })
  })

  test('missing at NAPI_RS_NATIVE_LIBRARY_PATH: the error names the variable', async (t) => {
    const env = { NAPI_RS_NATIVE_LIBRARY_PATH: path.join(root, 'nowhere.node') }
    const { message } = await load(appWithoutAddon(t), { env })
    assert.match(message, /nowhere\.node: not found\nIf NAPI_RS_NATIVE_LIBRARY_PATH is set, no other addon is tried/)
  })

  test('not installed: the error lists all locations and what to install', async (t) => {
    const { message, code } = await load(appWithoutAddon(t))
    assert.equal(code, 'MODULE_NOT_FOUND')
    assert.ok(message.includes(`(Node.js ${process.versions.node}, ${process.platform} ${process.arch}`))
    assert.ok(
      message.includes(
        `  - the file ${localFile}: not found\n  - the package @dynamodb-session/addon-${build}: not found\n`
      ),
      message
    )
    assert.match(message, /Delete node_modules and the lockfile, then run: npm install --include=optional/)
    assert.ok(message.includes(`npm install --save-optional @dynamodb-session/addon-${build}@${version}`), message)
  })

  test('of a different version is rejected', async (t) => {
    const directory = appWithoutAddon(t)
    install(directory, fs.readFileSync(binary), { version: '9.8.7' })
    const { message } = await load(directory)
    assert.ok(message.includes(`@dynamodb-session/addon-${build}: it has version 9.8.7`), message)
    assert.match(message, /must have the same version\. Reinstall: npm install --include=optional dynamodb-session@/)
  })

  test('that is damaged: the error quotes the dynamic loader', async (t) => {
    const directory = appWithoutAddon(t)
    install(directory, 'no addon')
    const { message, code, cause } = await load(directory)
    assert.equal(code, 'ERR_DLOPEN_FAILED')
    assert.ok(message.includes(`@dynamodb-session/addon-${build}: ${cause.split('\n')[0]}\n`), message)
  })

  test('that requires a newer glibc: the error names the version', onLinux, async (t) => {
    const directory = appWithoutAddon(t)
    const { bytes, newer } = requiringNewerGlibc()
    install(directory, bytes)
    const { message } = await load(directory)
    assert.ok(message.includes(`version \`${newer}' not found`), message)
    assert.match(message, /older than the addon needs: glibc 2\.17/)
  })

  test('for the other C library: the error says so', onLinux, async (t) => {
    const directory = appWithoutAddon(t)
    const reason = 'Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by x.node)'
    install(directory, `throw new Error(${JSON.stringify(reason)})`, { main: 'index.js' })
    const { message } = await load(directory)
    assert.ok(message.includes(`@dynamodb-session/addon-${build}: ${reason}\n`), message)
    assert.match(message, /is for a different C library: node_modules comes from a different Linux/)
  })

  test('disallowed by the permission model: the error names --allow-addons', async (t) => {
    const directory = fs.realpathSync(appWithoutAddon(t))
    install(directory, fs.readFileSync(binary))
    const permission = Number(process.versions.node.split('.')[0]) >= 24 ? '--permission' : '--experimental-permission'
    const args = [permission, '--allow-fs-read=*', '--no-warnings']
    const { message, code } = await load(directory, { args })
    assert.equal(code, 'ERR_DLOPEN_DISABLED')
    assert.match(message, /add --allow-addons/)
  })

  test('on an unsupported platform: the error says so', async (t) => {
    const script = `Object.defineProperty(process, 'platform', { value: 'sunos' })\n${require_}`
    const { message, code } = await load(appWithoutAddon(t), { script })
    assert.equal(code, 'ERR_UNSUPPORTED_PLATFORM')
    assert.match(
      message,
      /, sunos .*\nThere is no addon for this platform\.\nFor the supported platforms, see docs\/deployment\.md/
    )
  })
})
