'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callDuringFault, collectEvents, shortTimeouts } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { errorResponse, partialBody, hangUp, loseResponse, noResponse, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')
const { readOptions } = require('../../lib/options.js')
const { Sessions } = require('../../lib/sessions.js')

const dynamodb = useDynamoDB()

/** Ways to lose the response to a request that the service carried out. */
const faults = {
  'a closed connection': loseResponse(hangUp),
  'a partial response': partialBody,
  'an attempt timeout': loseResponse(noResponse),
  'a 503 response': loseResponse(textResponse(503, '')),
  'an InternalServerError': loseResponse(errorResponse(500, 'InternalServerError'))
}

async function proxyAndStore(options) {
  const proxy = await dynamodb.proxy()
  return { proxy, store: dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts, ...options }) }
}

for (const [name, fault] of Object.entries(faults)) {
  describe(`a write whose response is lost to ${name}`, { concurrency: true, ...needs('proxy') }, () => {
    test('set is retried, and the session is stored', async () => {
      const { proxy, store } = await proxyAndStore()
      const sid = newSid()
      proxy.on('PutItem', fault, 1)
      assert.deepEqual(await callDuringFault({ proxy, store }, 'set', sid, newSession({ user: 'Ann' })), {
        value: undefined
      })
      assert.equal((await dynamodb.store().get(sid)).user, 'Ann')
    })

    test('touch is retried, and emits no missing event', async () => {
      const { proxy, store } = await proxyAndStore({ touchAfter: 0 })
      const sid = newSid()
      await store.set(sid, newSession({}, 60_000))
      const missing = collectEvents(store, 'missing')
      proxy.on('UpdateItem', fault, 1)
      assert.deepEqual(await callDuringFault({ proxy, store }, 'touch', sid, newSession({}, 600_000)), {
        value: undefined
      })
      assert.deepEqual(missing, [])
      assert.ok(Number((await dynamodb.item(sid)).expires.N) > nowInSeconds() + 500)
    })

    test('destroy is retried, and the session is deleted', async () => {
      const { proxy, store } = await proxyAndStore()
      const sid = newSid()
      await store.set(sid, newSession())
      proxy.on('DeleteItem', fault, 1)
      assert.deepEqual(await callDuringFault({ proxy, store }, 'destroy', sid), { value: undefined })
      assert.equal(await dynamodb.item(sid), undefined)
    })

    test('a conditional delete whose retry finds no item counts as done', async (t) => {
      const proxy = await dynamodb.proxy()
      const options = dynamodb.options({ endpoint: proxy.endpoint, ...shortTimeouts })
      const sessions = new Sessions(readOptions(options), () => {})
      t.after(() => sessions.close())
      const [expired, alive, absent] = [newSid(), newSid(), newSid()]
      await dynamodb.putItem(expired, { sess: { S: '{}' }, expires: { N: `${nowInSeconds() - 10}` } })
      await dynamodb.putItem(alive, { sess: { S: '{}' }, expires: { N: `${nowInSeconds() + 1000}` } })
      proxy.on('DeleteItem', fault, 1)
      assert.equal(await sessions.destroyExpired(expired), true)
      assert.equal(await dynamodb.item(expired), undefined)
      proxy.on('DeleteItem', fault, 1)
      assert.equal(await sessions.destroyExpired(alive), false)
      assert.ok(await dynamodb.item(alive))
      assert.equal(await sessions.destroyExpired(absent), false)
      proxy.on('DeleteItem', errorResponse(400, 'ThrottlingException'), 1)
      assert.equal(await sessions.destroyExpired(absent), false)
    })
  })
}

describe('a lost response during table creation', needs('proxy', 'timeToLive'), () => {
  for (const operation of ['CreateTable', 'UpdateTimeToLive']) {
    test(`${operation} is retried, and the table has its time to live`, async (t) => {
      const table = dynamodb.newTableName()
      const { proxy, store } = await proxyAndStore({ table, createTable: true, attemptTimeout: 5000, timeout: 10_000 })
      const warnings = []
      const onWarning = (warning) => warnings.push(warning)
      process.on('warning', onWarning)
      t.after(() => process.off('warning', onWarning))
      proxy.on(operation, loseResponse(hangUp), 1)
      // Unlike DynamoDB, the in-memory server lets a client enable it twice.
      const enabled = errorResponse(400, 'ValidationException', 'TimeToLive is already enabled')
      if (operation === 'UpdateTimeToLive') proxy.on(operation, enabled, 1)
      await store.set(newSid(), newSession())
      assert.equal(proxy.sent(operation).length, 2)
      const { TimeToLiveDescription } = await store.describeTable()
      assert.equal(TimeToLiveDescription.TimeToLiveStatus, 'ENABLED')
      assert.deepEqual(warnings, [])
    })
  }
})
