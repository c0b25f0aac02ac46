'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { errorResponse, passThrough } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')
const { shortTimeouts, callDuringFault } = require('../support/calls')

const dynamodb = useDynamoDB()
const minute = 60_000

/** The time in a request's signature. */
function signedAt({ headers }) {
  return Date.parse(headers['x-amz-date'].replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'))
}

/** Like DynamoDB, rejects a signature whose time differs from the server's clock by more than 5 minutes. */
function serverWithClock(ahead) {
  return (exchange) => {
    const now = Date.now() + ahead
    const date = new Date(now).toUTCString()
    if (Math.abs(now - signedAt(exchange.request)) > 5 * minute) {
      return errorResponse(400, 'InvalidSignatureException', 'Signature expired', { date })(exchange)
    }
    exchange.response.setHeader('date', date)
    return passThrough(exchange)
  }
}

describe('a wrong clock', { concurrency: true, ...needs('proxy') }, () => {
  async function proxyAndStore(ahead, options) {
    const proxy = await dynamodb.proxy()
    proxy.on('*', serverWithClock(ahead))
    return { proxy, store: dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts, ...options }) }
  }

  for (const [name, ahead] of [
    ['20 minutes behind', 20 * minute],
    ['20 minutes ahead', -20 * minute],
    ['a year behind', 365 * 24 * 60 * minute]
  ]) {
    test(`${name} is corrected by one extra attempt, for all later operations`, async () => {
      const { proxy, store } = await proxyAndStore(ahead)
      const sid = newSid()
      await store.set(sid, newSession({ user: 'Ann' }))
      assert.equal(proxy.requests.length, 2)
      assert.equal((await store.get(sid)).user, 'Ann')
      await store.touch(sid, newSession({}, 120_000))
      await store.destroy(sid)
      assert.deepEqual(proxy.operations, ['PutItem', 'PutItem', 'GetItem', 'UpdateItem', 'DeleteItem'])
    })
  }

  test('is corrected under load without a failed operation', async () => {
    const { store } = await proxyAndStore(20 * minute, { attemptTimeout: 5000, timeout: 10_000 })
    const values = await Promise.all(Array.from({ length: 300 }, () => store.get(newSid())))
    assert.deepEqual(new Set(values), new Set([null]))
  })

  test('is corrected again after the system clock changes', async () => {
    const { proxy, store } = await proxyAndStore(20 * minute)
    await store.get(newSid())
    proxy.reset()
    proxy.on('*', serverWithClock(0))
    assert.equal(await store.get(newSid()), null)
    assert.equal(proxy.requests.length, 2)
  })

  test('is corrected for table-wide operations too', async () => {
    const { store } = await proxyAndStore(20 * minute)
    assert.equal(typeof (await store.length()), 'number')
  })

  test('without a Date header in the response, the operation fails at once', async () => {
    const { proxy, store } = await proxyAndStore(0)
    proxy.reset()
    proxy.on('*', (exchange) => {
      exchange.response.sendDate = false
      return errorResponse(400, 'InvalidSignatureException')(exchange)
    })
    const { error } = await callDuringFault({ proxy, store }, 'get', newSid())
    assertOperationError(error, { code: 'InvalidSignatureException', operation: 'GetItem', tableName: dynamodb.table })
    assert.equal(error.$metadata.attempts, 1)
  })
})
