'use strict'

const assert = require('node:assert/strict')
const net = require('node:net')
const { once } = require('node:events')
const { before, beforeEach, describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { delayed, errorResponse, heldUntil, noResponse } = require('../support/fault-proxy')
const { eventually } = require('../support/calls')
const { needs } = require('../support/features')
const { newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** The error of a get, and the milliseconds that it took. */
async function timedFailure(store) {
  const start = Date.now()
  const error = await store.get(newSid()).then(
    () => assert.fail('get must fail'),
    (error) => error
  )
  return { error, took: Date.now() - start }
}

function assertTimeout(error, attempts) {
  assertOperationError(error, {
    code: 'TimeoutError',
    operation: 'GetItem',
    tableName: dynamodb.table,
    retryable: true
  })
  if (attempts) assert.equal(error.$metadata.attempts, attempts)
}

function assertBetween(value, least, most) {
  assert.ok(value >= least && value <= most, `${value} ms is not between ${least} and ${most} ms`)
}

describe('limits of time and attempts', needs('proxy'), () => {
  let proxy
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(() => proxy.reset())

  const newStore = (options) => dynamodb.store({ endpoint: proxy.endpoint, ...options })

  test('attemptTimeout ends an attempt', async () => {
    proxy.on('*', noResponse)
    const { error, took } = await timedFailure(newStore({ attemptTimeout: 200, maxAttempts: 1 }))
    assertTimeout(error, 1)
    assertBetween(took, 190, 1000)
  })

  test('an attempt that timed out is retried', async () => {
    proxy.on('*', noResponse, 1)
    assert.equal(await newStore({ attemptTimeout: 200 }).get(newSid()), null)
    assert.equal(proxy.requests.length, 2)
  })

  test('timeout ends an operation even if attempts remain', async () => {
    proxy.on('*', noResponse)
    const { error, took } = await timedFailure(newStore({ attemptTimeout: 150, timeout: 400, maxAttempts: 50 }))
    assertTimeout(error)
    assert.ok(error.$metadata.attempts > 1)
    assertBetween(took, 200, 1200)
  })

  test('timeout ends an operation without attemptTimeout', async () => {
    proxy.on('*', noResponse)
    const { error, took } = await timedFailure(newStore({ timeout: 300 }))
    assertTimeout(error)
    assertBetween(took, 290, 1100)
  })

  test('connectTimeout ends a TLS handshake without a response', async (t) => {
    const server = net.createServer(() => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const endpoint = `https://127.0.0.1:${server.address().port}`
    const { error, took } = await timedFailure(newStore({ endpoint, connectTimeout: 200, maxAttempts: 1 }))
    assertTimeout(error, 1)
    assertBetween(took, 190, 1000)
  })

  test('a slow response within the limits is accepted', async () => {
    proxy.on('*', delayed(300))
    assert.equal(await newStore({ attemptTimeout: 1500, timeout: 2000 }).get(newSid()), null)
  })

  for (const maxAttempts of [1, 2, 4]) {
    test(`maxAttempts ${maxAttempts} sends a failing request ${maxAttempts} ${maxAttempts === 1 ? 'time' : 'times'}`, async () => {
      proxy.on('*', errorResponse(500, 'InternalServerError'))
      const { error } = await timedFailure(newStore({ maxAttempts }))
      assert.equal(error.$metadata.attempts, maxAttempts)
      assert.equal(proxy.requests.length, maxAttempts)
    })
  }

  test('maxAttempts is 3 by default', async () => {
    proxy.on('*', errorResponse(500, 'InternalServerError'))
    const { error } = await timedFailure(newStore())
    assert.equal(error.$metadata.attempts, 3)
  })
})

describe('connections', needs('proxy'), () => {
  /** Sends 80 gets to a proxy that does not respond until `release` is called. */
  async function manyGets(options) {
    const proxy = await dynamodb.proxy()
    let release
    proxy.on('*', heldUntil(new Promise((resolve) => (release = resolve))))
    const store = dynamodb.store({ endpoint: proxy.endpoint, ...options })
    const results = Promise.all(Array.from({ length: 80 }, () => store.get(newSid())))
    return { proxy, release, results }
  }

  for (const [options, limit] of [
    [{ maxConnections: 1 }, 1],
    [{ maxConnections: 3 }, 3],
    [{}, 50]
  ]) {
    test(`number at most ${limit} with the options ${JSON.stringify(options)}`, async () => {
      const { proxy, release, results } = await manyGets(options)
      await eventually(() => proxy.requests.length >= limit)
      await sleep(100)
      assert.equal(proxy.requests.length, limit)
      release()
      assert.deepEqual(new Set(await results), new Set([null]))
      assert.equal(proxy.requests.length, 80)
      assert.equal(proxy.mostConnections, limit)
    })
  }

  test('are reused by later operations', async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint })
    for (let i = 0; i < 10; i++) await store.get(newSid())
    assert.equal(proxy.connectionsMade, 1)
  })

  test('closed by the server cause no error', async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, maxAttempts: 2 })
    for (let i = 0; i < 10; i++) {
      await store.get(newSid())
      proxy.closeConnections()
    }
    assert.equal(proxy.sent('GetItem').length, 10)
  })
})
