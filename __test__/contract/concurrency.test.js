'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callWithCallback, eventually } = require('../support/calls')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { assertStoreError } = require('../support/errors')
const { heldUntil } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const MANY = 10_000
const dynamodb = useDynamoDB()

describe('10,000 concurrent calls', needs('thousands'), () => {
  const timeout = 60_000

  test('each return their own session', async () => {
    const store = dynamodb.store({ timeout })
    const sids = Array.from({ length: 100 }, () => newSid())
    await Promise.all(sids.map((sid) => store.set(sid, newSession({ sid }))))
    const calls = Array.from({ length: MANY }, (_, i) => sids[i % sids.length])
    const sessions = await Promise.all(calls.map((sid) => store.get(sid)))
    assert.deepEqual(
      sessions.map((session) => session.sid),
      calls
    )
    assert.equal(store.stats().inFlight, 0)
  })

  test('are sent in the order in which they were made', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, maxConnections: 1, timeout })
    // Operations that wait for settings and credentials may be sent in another order.
    await store.get(newSid())
    proxy.reset()
    const sids = Array.from({ length: MANY }, (_, i) => `sid-${i}`)
    await Promise.all(sids.map((sid) => store.get(sid)))
    assert.deepEqual(
      proxy.sent('GetItem').map((body) => body.Key.id.S),
      sids.map((sid) => `sess:${sid}`)
    )
  })
})

test('bursts of 2,500 concurrent calls leak no memory', needs('thousands'), async () => {
  const script = `
    require('node:v8').setFlagsFromString('--expose-gc')
    const gc = require('node:vm').runInNewContext('gc')
    const store = new DynamoDBStore({ ...options, timeout: 60000 })
    const burst = async () => {
      await Promise.all(Array.from({ length: 2500 }, (_, i) => store.get('sid-' + i)))
      gc()
      const { rss, heapUsed } = process.memoryUsage()
      return { rss, heapUsed }
    }
    const run = async () => {
      const sizes = []
      for (let i = 0; i < 8; i++) sizes.push(await burst())
      console.log(JSON.stringify(sizes))
    }
    run()
  `
  const { stdout } = await runScript(script, { options: dynamodb.options() })
  const sizes = JSON.parse(stdout)
  for (const name of ['rss', 'heapUsed']) {
    // The first bursts warm up. With a subscriber, that takes three bursts.
    const before = sizes[3][name]
    const after = Math.min(...sizes.slice(-2).map((size) => size[name]))
    assert.ok(after < before * 1.1, `${name} grew from ${before} to ${after}`)
  }
})

describe('operations beyond maxPending', needs('proxy'), () => {
  /** Fills a store with operations whose responses wait until `release` is called. */
  async function fullStore(options) {
    const proxy = await dynamodb.proxy()
    let release
    proxy.on('*', heldUntil(new Promise((resolve) => (release = resolve))))
    const store = dynamodb.store({ endpoint: proxy.endpoint, timeout: 60_000, attemptTimeout: 60_000, ...options })
    const limit = options.maxPending ?? MANY
    const results = Promise.all(Array.from({ length: limit }, () => store.get(newSid())))
    return { proxy, store, release, results }
  }

  function assertOverloaded(error, limit) {
    assertStoreError(error, {
      code: 'OverloadedError',
      operation: 'GetItem',
      tableName: dynamodb.table,
      retryable: true
    })
    assert.match(error.message, new RegExp(`${limit} operations are in progress.*maxPending`))
    assert.equal(error.$metadata.attempts, 0)
  }

  test('fail immediately with OverloadedError, and the operations before them succeed', async () => {
    const { proxy, store, release, results } = await fullStore({ maxPending: 20, maxConnections: 5 })
    await eventually(() => proxy.requests.length === 5)
    assertOverloaded(await store.get(newSid()).catch((error) => error), 20)
    assertOverloaded((await callWithCallback(store, 'get', newSid())).error, 20)
    assert.equal(store.stats().inFlight, 20)
    assert.deepEqual(store.stats().errors, { OverloadedError: 2 })
    release()
    assert.deepEqual(await results, Array(20).fill(null))
    assert.equal(await store.get(newSid()), null)
  })

  test('are those beyond 10,000 by default', needs('thousands'), async () => {
    const { store, release, results } = await fullStore({})
    assertOverloaded(await store.get(newSid()).catch((error) => error), MANY)
    release()
    await results
    assert.equal(await store.get(newSid()), null)
  })
})
