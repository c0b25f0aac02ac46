'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { errorResponse, passThrough } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')
const { shortTimeouts, callDuringFault } = require('../support/call-during-fault')

const dynamodb = useDynamoDB()
const minute = 60_000

/** The time that a request was signed for. */
function signedAt({ headers }) {
  return Date.parse(headers['x-amz-date'].replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'))
}

/** Does what DynamoDB does with a signature that is more than 5 minutes off its own clock. */
function serverWhoseClockIs(ahead) {
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

describe('a clock that is off', { concurrency: true, ...needs('proxy') }, () => {
  async function proxyAndStore(ahead, options) {
    const proxy = await dynamodb.proxy()
    proxy.on('*', serverWhoseClockIs(ahead))
    return { proxy, store: dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts, ...options }) }
  }

  for (const [name, ahead] of [
    ['20 minutes behind', 20 * minute],
    ['20 minutes ahead', -20 * minute],
    ['a year behind', 365 * 24 * 60 * minute]
  ]) {
    test(`by being ${name} is set by the service, once for all`, async () => {
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

  test('is set under load without one failed operation', async () => {
    const { store } = await proxyAndStore(20 * minute, { attemptTimeout: 5000, timeout: 10_000 })
    const answers = await Promise.all(Array.from({ length: 300 }, () => store.get(newSid())))
    assert.deepEqual(new Set(answers), new Set([null]))
  })

  test('is set again when it was put right', async () => {
    const { proxy, store } = await proxyAndStore(20 * minute)
    await store.get(newSid())
    proxy.reset()
    proxy.on('*', serverWhoseClockIs(0))
    assert.equal(await store.get(newSid()), null)
    assert.equal(proxy.requests.length, 2)
  })

  test('is set for the operations of the whole table too', async () => {
    const { store } = await proxyAndStore(20 * minute)
    assert.equal(typeof (await store.length()), 'number')
  })

  test('with a service that tells no time is an error, at once', async () => {
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
