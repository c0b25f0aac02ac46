'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { DynamoDBStore } = require('../..')
const { callBothWays, callWithCallback } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { assertStoreError, failure } = require('../support/errors')
const { delayed } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

describe('close()', () => {
  for (const { name, schema, create } of entries) {
    test(`lets operations in progress finish, ${name}`, async () => {
      const store = create({ connection: dynamodb.connection, table: await dynamodb.newTable(schema) })
      const session = { cookie: { maxAge: 60_000 }, user: 'Ann' }
      await store.set('a', session, 60_000)
      const started = [store.get('a'), store.set('b', session, 60_000), store.destroy('c')]
      await store.close()
      const [read] = await Promise.all(started)
      assert.equal(read.user, 'Ann')
    })
  }

  for (const [source, options] of [
    ['an object', () => ({})],
    ['a function', () => ({ credentials: async () => dynamodb.connection.credentials })]
  ]) {
    test(`lets the first operations of a store with credentials from ${source} finish`, async () => {
      for (let round = 0; round < 20; round++) {
        const store = new DynamoDBStore(dynamodb.options(options()))
        const reads = Array.from({ length: 5 }, () => store.get(newSid()))
        const closed = store.close()
        assert.deepEqual(await Promise.all(reads), [null, null, null, null, null])
        await closed
        await assert.rejects(store.get(newSid()), { code: 'ClosedError' })
      }
    })
  }

  test('makes later operations fail with ClosedError, and can be called again', async () => {
    const store = dynamodb.store()
    assert.deepEqual(await callBothWays(store, 'close'), { value: undefined })
    const sid = newSid()
    const session = newSession({ secret: 'SECRET' })
    for (const [operation, ...call] of [
      ['GetItem', 'get', sid],
      ['PutItem', 'set', sid, session],
      ['UpdateItem', 'touch', sid, session],
      ['DeleteItem', 'destroy', sid]
    ]) {
      assertStoreError(await failure(store, ...call), { code: 'ClosedError', operation, secrets: [sid, 'SECRET'] })
    }
    for (const method of ['all', 'ids', 'length', 'clear', 'createTable', 'describeTable', 'warm']) {
      assertStoreError(await failure(store, method), { code: 'ClosedError' })
    }
    assert.deepEqual(await callBothWays(store, 'close'), { value: undefined })
  })

  test('lets an operation whose response is delayed finish', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', delayed(100))
    const store = dynamodb.store({ endpoint: proxy.endpoint })
    const getting = callWithCallback(store, 'get', newSid())
    await store.close()
    assert.deepEqual(await getting, { value: null })
  })

  test('does not affect other stores', async () => {
    const [one, two] = [dynamodb.store(), dynamodb.store()]
    await one.close()
    assert.equal(await two.get(newSid()), null)
  })
})
