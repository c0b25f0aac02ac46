'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entries')
const { delayed, noResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')

const dynamodb = useDynamoDB()

/** Runs a script, which must end by itself, in silence on stderr and soon after its first line. */
async function assertEnds(script, options = {}) {
  const result = await runScript(script, { options: dynamodb.options(options) })
  assert.deepEqual([result.code, result.signal, result.stderr], [0, null, ''])
  assert.ok(result.sinceFirstOutput < 1000, `it took ${result.sinceFirstOutput} ms to end`)
  return result.stdout
}

describe('a process ends by itself', () => {
  test('with a store that did nothing', async () => {
    await assertEnds("new DynamoDBStore(options); console.log('made')")
  })

  test('without a store', async () => {
    await assertEnds("console.log('loaded')")
  })

  test('with idle connections', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      const gets = Array.from({ length: 20 }, (_, i) => store.get('sid' + i))
      Promise.all(gets).then(() => console.log('done'))
    `
    assert.equal(await assertEnds(script), 'done\n')
  })

  test('after callbacks, without close', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      store.set('lifecycle', { cookie: {} }, () => store.destroy('lifecycle', () => console.log('done')))
    `
    assert.equal(await assertEnds(script), 'done\n')
  })

  test('after close', async () => {
    assert.equal(await assertEnds("new DynamoDBStore(options).close().then(() => console.log('done'))"), 'done\n')
  })

  test('with credentials that will be renewed', async () => {
    const script = `
      const expiration = new Date(Date.now() + 3600000)
      const store = new DynamoDBStore({ ...options, credentials: async () => ({ ...options.credentials, expiration }) })
      store.get('sid').then(() => console.log('done'))
    `
    assert.equal(await assertEnds(script), 'done\n')
  })

  test('with two stores', async () => {
    const script = `
      const stores = [new DynamoDBStore(options), new DynamoDBStore({ ...options, prefix: 'other:' })]
      Promise.all(stores.map((store) => store.get('sid'))).then(() => console.log('done'))
    `
    assert.equal(await assertEnds(script), 'done\n')
  })
})

describe('an operation under way', needs('proxy'), () => {
  async function slowOptions(fault) {
    const proxy = await dynamodb.proxy()
    proxy.on('*', fault)
    return { endpoint: proxy.endpoint }
  }

  for (const [name, script] of [
    ['callback', "new DynamoDBStore(options).get('x', (error, value) => console.log('answer', error, value))"],
    ['promise', "new DynamoDBStore(options).get('x').then((value) => console.log('answer', null, value))"]
  ]) {
    test(`keeps the process alive until its ${name}`, async () => {
      assert.equal(await assertEnds(script, await slowOptions(delayed(500))), 'answer null null\n')
    })
  }

  test('keeps the process alive after the store has been idle', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      store.get('x', () => setTimeout(() => store.get('y', () => console.log('second answer')), 300))
    `
    assert.equal(await assertEnds(script, await slowOptions(delayed(300))), 'second answer\n')
  })

  test('does not outlive its store', async () => {
    const script = `
      (() => {
        for (let i = 0; i < 50; i++) new DynamoDBStore(options).get('sid' + i, () => console.log('answer'))
      })()
      globalThis.gc?.()
    `
    const output = await assertEnds(script, await slowOptions(delayed(100)))
    assert.equal(output, 'answer\n'.repeat(50))
  })

  test('does not hold up process.exit', async () => {
    const options = dynamodb.options(await slowOptions(noResponse))
    const script = `
      const store = new DynamoDBStore(options)
      for (let i = 0; i < 64; i++) store.get('sid' + i, () => {})
      setTimeout(() => {
        console.log('leaving')
        process.exit(7)
      }, 200)
    `
    const { code, signal, stderr, sinceFirstOutput } = await runScript(script, { options })
    assert.deepEqual([code, signal, stderr], [7, null, ''])
    assert.ok(sinceFirstOutput < 1000, `it took ${sinceFirstOutput} ms to end`)
  })

  test('does not hold up an uncaught error', async () => {
    const options = dynamodb.options(await slowOptions(noResponse))
    const script = `
      new DynamoDBStore(options).get('x', () => {})
      setTimeout(() => { throw new Error('of the app') }, 100)
    `
    const { code, signal, stderr } = await runScript(script, { options })
    assert.deepEqual([code, signal], [1, null])
    assert.match(stderr, /Error: of the app/)
  })
})

describe('process.exit', () => {
  test('in a callback, with answers that were not delivered yet', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      for (let i = 0; i < 64; i++) store.get('sid' + i, () => process.exit(7))
    `
    const { code, signal, stderr } = await runScript(script, { options: dynamodb.options() })
    assert.deepEqual([code, signal, stderr], [7, null, ''])
  })

  test('at once after a call', async () => {
    const script = "new DynamoDBStore(options).get('x', () => {}); process.exit(7)"
    for (let i = 0; i < 5; i++) {
      const { code, signal, stderr } = await runScript(script, { options: dynamodb.options() })
      assert.deepEqual([code, signal, stderr], [7, null, ''])
    }
  })
})

describe('close', () => {
  for (const { name, schema, create } of entries) {
    test(`lets the operations that have started finish, ${name}`, async () => {
      const store = create({ connection: dynamodb.connection, table: await dynamodb.newTable(schema) })
      const session = { cookie: { maxAge: 60_000 }, user: 'Ann' }
      await store.set('a', session, 60_000)
      const started = [store.get('a'), store.set('b', session, 60_000), store.destroy('c')]
      await store.close()
      const [read] = await Promise.all(started)
      assert.equal(read.user, 'Ann')
    })
  }
})
