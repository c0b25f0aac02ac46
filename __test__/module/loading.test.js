'use strict'

const assert = require('node:assert/strict')
const path = require('node:path')
const { describe, test } = require('node:test')
const { root, runNode, runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { copyPackage, link, linkPackage, temporaryDirectory, write } = require('../support/temporary-packages')

const dynamodb = useDynamoDB()

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
