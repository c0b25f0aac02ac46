'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { delayed, noResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')

const dynamodb = useDynamoDB()

/** Runs a script, which must exit on its own, without output on stderr and soon after its first line. */
async function assertExits(script, options = {}) {
  const result = await runScript(script, { options: dynamodb.options(options) })
  assert.deepEqual([result.code, result.signal, result.stderr], [0, null, ''])
  assert.ok(result.sinceFirstOutput < 1000, `it took ${result.sinceFirstOutput} ms to exit`)
  return result.stdout
}

describe('a process exits on its own', () => {
  test('with an unused store', async () => {
    await assertExits("new DynamoDBStore(options); console.log('created')")
  })

  test('if it only loads the package', async () => {
    await assertExits("console.log('loaded')")
  })

  test('while its store has idle connections', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      const gets = Array.from({ length: 20 }, (_, i) => store.get('sid' + i))
      Promise.all(gets).then(() => console.log('done'))
    `
    assert.equal(await assertExits(script), 'done\n')
  })

  test('after its last callback, without close()', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      store.set('lifecycle', { cookie: {} }, () => store.destroy('lifecycle', () => console.log('done')))
    `
    assert.equal(await assertExits(script), 'done\n')
  })

  test('after close()', async () => {
    assert.equal(await assertExits("new DynamoDBStore(options).close().then(() => console.log('done'))"), 'done\n')
  })

  test('although its credentials will be renewed later', async () => {
    const script = `
      const expiration = new Date(Date.now() + 3600000)
      const store = new DynamoDBStore({ ...options, credentials: async () => ({ ...options.credentials, expiration }) })
      store.get('sid').then(() => console.log('done'))
    `
    assert.equal(await assertExits(script), 'done\n')
  })

  test('with two unclosed stores', async () => {
    const script = `
      const stores = [new DynamoDBStore(options), new DynamoDBStore({ ...options, prefix: 'other:' })]
      Promise.all(stores.map((store) => store.get('sid'))).then(() => console.log('done'))
    `
    assert.equal(await assertExits(script), 'done\n')
  })
})

describe('an operation in progress', needs('proxy'), () => {
  async function faultyOptions(fault) {
    const proxy = await dynamodb.proxy()
    proxy.on('*', fault)
    return { endpoint: proxy.endpoint }
  }

  for (const [name, script] of [
    ['callback', "new DynamoDBStore(options).get('x', (error, value) => console.log('response', error, value))"],
    ['promise', "new DynamoDBStore(options).get('x').then((value) => console.log('response', null, value))"]
  ]) {
    test(`keeps the process alive until its ${name} ${name === 'callback' ? 'is called' : 'settles'}`, async () => {
      assert.equal(await assertExits(script, await faultyOptions(delayed(500))), 'response null null\n')
    })
  }

  test('keeps the process alive even if the store was idle before', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      store.get('x', () => setTimeout(() => store.get('y', () => console.log('second response')), 300))
    `
    assert.equal(await assertExits(script, await faultyOptions(delayed(300))), 'second response\n')
  })

  test('completes although its store is unreachable', async () => {
    const script = `
      (() => {
        for (let i = 0; i < 50; i++) new DynamoDBStore(options).get('sid' + i, () => console.log('response'))
      })()
      globalThis.gc?.()
    `
    const output = await assertExits(script, await faultyOptions(delayed(100)))
    assert.equal(output, 'response\n'.repeat(50))
  })

  test('does not delay process.exit()', async () => {
    const options = dynamodb.options(await faultyOptions(noResponse))
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
    assert.ok(sinceFirstOutput < 1000, `it took ${sinceFirstOutput} ms to exit`)
  })

  test('does not prevent an uncaught error from ending the process', async () => {
    const options = dynamodb.options(await faultyOptions(noResponse))
    const script = `
      new DynamoDBStore(options).get('x', () => {})
      setTimeout(() => { throw new Error('thrown by the app') }, 100)
    `
    const { code, signal, stderr } = await runScript(script, { options })
    assert.deepEqual([code, signal], [1, null])
    assert.match(stderr, /Error: thrown by the app/)
  })
})

describe('process.exit()', () => {
  test('works in a callback while other responses await delivery', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      for (let i = 0; i < 64; i++) store.get('sid' + i, () => process.exit(7))
    `
    const { code, signal, stderr } = await runScript(script, { options: dynamodb.options() })
    assert.deepEqual([code, signal, stderr], [7, null, ''])
  })

  test('works immediately after a call', async () => {
    const script = "new DynamoDBStore(options).get('x', () => {}); process.exit(7)"
    for (let i = 0; i < 5; i++) {
      const { code, signal, stderr } = await runScript(script, { options: dynamodb.options() })
      assert.deepEqual([code, signal, stderr], [7, null, ''])
    }
  })
})
