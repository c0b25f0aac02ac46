'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { root, runNode, runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { copyPackage, link, linkPackage, temporaryDirectory, write } = require('../support/temporary-packages')

const { version } = require('../../package.json')
const localFile = fs.readdirSync(root).find((name) => name.endsWith('.node'))
const binary = path.join(root, localFile)
const build = localFile.split('.')[1]
const linux = process.platform === 'linux'
const onLinux = { skip: linux ? false : 'only Linux has more than one C library' }

const dynamodb = useDynamoDB()

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

const optionsEnvironment = () => ({ OPTIONS: JSON.stringify(dynamodb.options()) })

/** Runs a program, and returns its output, parsed as JSON. */
async function resultOf(args, settings) {
  const { code, stdout, stderr } = await runNode(args, { ...settings, env: optionsEnvironment() })
  assert.deepEqual([code, stderr], [0, ''])
  return JSON.parse(stdout)
}

describe('the module', () => {
  test('can be imported with named imports', async (t) => {
    const directory = temporaryDirectory(t)
    copyPackage(path.join(directory, 'node_modules', 'dynamodb-session'))
    const app = write(
      path.join(directory, 'app.mjs'),
      `
        import { DynamoDBStore, DynamoDBStoreError } from 'dynamodb-session'
        import { createRequire } from 'node:module'
        const required = createRequire(import.meta.url)('dynamodb-session')
        const store = new DynamoDBStore(JSON.parse(process.env.OPTIONS))
        const same = required.DynamoDBStore === DynamoDBStore && required.DynamoDBStoreError === DynamoDBStoreError
        console.log(JSON.stringify([same, await store.get('x')]))
      `
    )
    assert.deepEqual(await resultOf([app], { cwd: directory }), [true, null])
  })

  test('can be loaded twice, from two locations', async (t) => {
    const directory = temporaryDirectory(t)
    const copies = ['one', 'two'].map((name) => path.join(directory, name))
    copies.forEach(copyPackage)
    const script = `
      const stores = ${JSON.stringify(copies)}.map((copy) => new (require(copy).DynamoDBStore)(options))
      stores.push(new DynamoDBStore(options))
      const classes = new Set(stores.map((store) => store.constructor))
      const run = async () => {
        await Promise.all(stores.map((store, i) => store.set('copy' + i, { cookie: {}, i })))
        const read = await Promise.all(stores.map((store, i) => store.get('copy' + ((i + 1) % 3))))
        await Promise.all(stores.map((store, i) => store.destroy('copy' + i)))
        console.log(JSON.stringify([classes.size, read.map(({ i }) => i)]))
      }
      run()
    `
    const { code, stdout, stderr } = await runScript(script, { options: dynamodb.options() })
    assert.deepEqual([code, stderr], [0, ''])
    assert.deepEqual(JSON.parse(stdout), [3, [1, 2, 0]])
  })

  test('can create several stores on one table', async () => {
    const [one, two] = [dynamodb.store({ prefix: 'one:' }), dynamodb.store({ prefix: 'two:', format: 'map' })]
    await Promise.all([one.set('same', { cookie: {}, which: 1 }), two.set('same', { cookie: {}, which: 2 })])
    assert.deepEqual([(await one.get('same')).which, (await two.get('same')).which], [1, 2])
    await one.destroy('same')
    assert.equal((await two.get('same')).which, 2)
  })
})

describe('the base class', () => {
  const report = `
    const store = new DynamoDBStore(JSON.parse(process.env.OPTIONS))
    let Store
    try {
      Store = require('express-session').Store
    } catch {}
    store.once('missing', () => {
      store.get('x', (error, value) => {
        console.log(JSON.stringify({ extendsStore: Store ? store instanceof Store : null, error, value }))
      })
    })
    store.touch('x', { cookie: {} }, () => {})
  `
  const commonJS = `const { DynamoDBStore } = require('dynamodb-session')\n${report}`
  const module = `
    import { createRequire } from 'node:module'
    import { DynamoDBStore } from 'dynamodb-session'
    const require = createRequire(import.meta.url)
    ${report}
  `
  const extendsStore = { extendsStore: true, error: null, value: null }

  test('is EventEmitter without express-session', async (t) => {
    const directory = temporaryDirectory(t)
    copyPackage(path.join(directory, 'node_modules', 'dynamodb-session'))
    const app = write(path.join(directory, 'app.js'), commonJS)
    assert.deepEqual(await resultOf([app], { cwd: directory }), { ...extendsStore, extendsStore: null })
  })

  test('is the Store class of the adjacent express-session', async (t) => {
    const directory = temporaryDirectory(t)
    copyPackage(path.join(directory, 'node_modules', 'dynamodb-session'))
    linkPackage('express-session', path.join(directory, 'node_modules', 'express-session'))
    const app = write(path.join(directory, 'app.js'), commonJS)
    assert.deepEqual(await resultOf([app], { cwd: directory }), extendsStore)
  })

  /** An app in a monorepo where each package can load only its own dependencies. */
  function pnpmLayout(directory) {
    const copy = path.join(directory, 'node_modules', '.pnpm', 'dynamodb-session@1', 'node_modules', 'dynamodb-session')
    const app = path.join(directory, 'packages', 'web')
    copyPackage(copy)
    link(copy, path.join(app, 'node_modules', 'dynamodb-session'))
    return { app, sibling: path.join(path.dirname(copy), 'express-session') }
  }

  test('is the Store class of the adjacent express-session in a pnpm layout', async (t) => {
    const { app, sibling } = pnpmLayout(temporaryDirectory(t))
    linkPackage('express-session', sibling)
    linkPackage('express-session', path.join(app, 'node_modules', 'express-session'))
    const file = write(path.join(app, 'app.js'), commonJS)
    assert.deepEqual(await resultOf([file], { cwd: app }), extendsStore)
  })

  for (const [name, file, text] of [
    ['a CommonJS app', 'app.js', commonJS],
    ['an ES module app', 'app.mjs', module]
  ]) {
    for (const place of ['its own directory', 'the root of the monorepo']) {
      test(`is the Store class of the express-session that only ${name} has, started from ${place}`, async (t) => {
        const directory = temporaryDirectory(t)
        const { app } = pnpmLayout(directory)
        linkPackage('express-session', path.join(app, 'node_modules', 'express-session'))
        write(path.join(app, 'src', file), text)
        const cwd = place === 'its own directory' ? app : directory
        assert.deepEqual(await resultOf([path.join(app, 'src', file)], { cwd }), extendsStore)
      })
    }
  }

  test('has all methods that express-session calls', () => {
    const store = dynamodb.store()
    for (const name of [
      'get',
      'set',
      'destroy',
      'touch',
      'all',
      'length',
      'clear',
      'on',
      'regenerate',
      'load',
      'createSession'
    ]) {
      assert.equal(typeof store[name], 'function', name)
    }
  })
})

/** The entry points, and the files that they share. */
const compatibleStores = {
  'connect-dynamodb': [],
  'dynamodb-store': [],
  'pwrdrvr-dynamodb-session-store': [],
  'koa-session-dynamodb-store': ['koa'],
  'baseline-koa-session-dynamodb-store': ['koa']
}
const compatibleFiles = [...Object.keys(compatibleStores), 'koa']

for (const [name, shared] of Object.entries(compatibleStores)) {
  test(`dynamodb-session/${name} does not load the other compatible stores`, async () => {
    const program = `
      require('dynamodb-session/${name}')
      console.log(JSON.stringify(Object.keys(require.cache)))
    `
    const { stdout, stderr } = await runNode(['-e', program])
    assert.equal(stderr, '')
    const compat = path.join(root, 'lib', 'compat') + path.sep
    const loaded = JSON.parse(stdout)
      .filter((file) => file.startsWith(compat))
      .map((file) => path.basename(file, '.js'))
      .filter((file) => compatibleFiles.includes(file))
    assert.deepEqual(loaded.sort(), [name, ...shared].sort())
  })
}
