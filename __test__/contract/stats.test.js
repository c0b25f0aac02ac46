'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { eventually } = require('../support/calls')
const { errorResponse, heldUntil } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

describe('stats()', () => {
  test('returns zeros before the first operation', async () => {
    assert.deepEqual(dynamodb.store().stats(), {
      operations: {},
      errors: {},
      inFlight: 0,
      retries: 0,
      backupReads: 0,
      plainReads: 0,
      throttles: 0,
      throttlingReasons: {},
      touchesSaved: 0,
      setsSaved: 0,
      merges: 0,
      conflicts: 0,
      missing: 0,
      bytes: { sent: 0, received: 0 },
      pool: { open: 0, idle: 0 },
      dns: { failures: 0, fallbacks: 0 }
    })
  })

  test('counts operations by the name of the DynamoDB operation', async () => {
    const store = dynamodb.store({ touchAfter: 0 })
    const sid = newSid()
    await store.set(sid, newSession())
    await store.get(sid)
    await store.get(newSid())
    await store.touch(sid, newSession())
    await store.touch(newSid(), newSession())
    await store.destroy(sid)
    await store.length()
    const { operations, errors } = store.stats()
    assert.deepEqual(operations, { PutItem: 1, GetItem: 2, UpdateItem: 2, DeleteItem: 1, Scan: 1 })
    assert.deepEqual(errors, {})
  })

  test('counts errors by code, including errors without a request', async () => {
    const store = dynamodb.store({ table: dynamodb.newTableName() })
    await assert.rejects(store.get(newSid()))
    await assert.rejects(store.destroy(newSid()))
    await assert.rejects(store.get(5))
    await assert.rejects(store.set(newSid(), 'text'))
    await store.close()
    await assert.rejects(store.get(newSid()))
    assert.deepEqual(store.stats().errors, {
      ResourceNotFoundException: 2,
      InvalidSessionIdError: 1,
      SerializationError: 1,
      ClosedError: 1
    })
    assert.deepEqual(store.stats().operations, { GetItem: 1, DeleteItem: 1 })
  })

  test('counts items that contain no session as CorruptItemError', async () => {
    const store = dynamodb.store()
    for (const sess of [{ N: '5' }, { S: 'no JSON' }]) {
      const sid = newSid()
      await dynamodb.putItem(sid, { sess })
      assert.equal(await store.get(sid), null)
    }
    assert.deepEqual(store.stats().errors, { CorruptItemError: 2 })
  })

  test('counts the touches that sent no request', async () => {
    const store = dynamodb.store()
    const sid = newSid()
    const session = newSession()
    await store.set(sid, session)
    for (let i = 0; i < 3; i++) await store.touch(sid, session)
    assert.equal(store.stats().touchesSaved, 3)
    assert.equal(store.stats().operations.UpdateItem, undefined)
  })

  test('counts retries and throttling errors', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy
      .on('GetItem', errorResponse(400, 'ThrottlingException'), 2)
      .on('PutItem', errorResponse(500, 'InternalServerError'), 1)
    const store = dynamodb.store({ endpoint: proxy.endpoint })
    await store.get(newSid())
    await store.set(newSid(), newSession())
    const { retries, throttles, errors } = store.stats()
    assert.deepEqual({ retries, throttles, errors }, { retries: 3, throttles: 2, errors: {} })
  })

  test('counts the bytes of request and response bodies', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint })
    const sid = newSid()
    await store.set(sid, newSession({ text: 'x'.repeat(10_000) }))
    const { bytes } = store.stats()
    assert.ok(bytes.sent > 10_000 && bytes.sent < 11_000, `${bytes.sent} sent`)
    await store.get(sid)
    const { received } = store.stats().bytes
    assert.ok(received - bytes.received > 10_000 && received < 11_000, `${received} received`)
  })

  test('counts operations in progress and open connections', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    let release
    proxy.on('*', heldUntil(new Promise((resolve) => (release = resolve))))
    const store = dynamodb.store({ endpoint: proxy.endpoint, maxConnections: 3 })
    const gets = Array.from({ length: 8 }, () => store.get(newSid()))
    await eventually(() => proxy.requests.length === 3)
    assert.equal(store.stats().inFlight, 8)
    assert.deepEqual(store.stats().pool, { open: 3, idle: 0 })
    release()
    await Promise.all(gets)
    assert.equal(store.stats().inFlight, 0)
    assert.deepEqual(store.stats().pool, { open: 3, idle: 3 })
    proxy.closeConnections()
    await eventually(() => store.stats().pool.open === 0)
    await store.get(newSid())
    await store.close()
    await eventually(() => store.stats().pool.open === 0)
  })
})

describe('stats() of a compatible store', () => {
  const compatible = entries.filter(({ name }) => name !== 'dynamodb-session')
  for (const { name, create } of compatible) {
    test(`counts the operations of ${name}`, async () => {
      const place = { connection: dynamodb.connection, table: dynamodb.newTableName() }
      const store = create(place, { createTable: false, initialized: true })
      await Promise.resolve(store.get(newSid())).catch(() => {})
      const { operations, touchesSaved } = store.stats()
      assert.deepEqual({ operations, touchesSaved }, { operations: { GetItem: 1 }, touchesSaved: 0 })
    })
  }

  for (const [name, newTimestamp] of [
    ['dynamodb-store', () => ({ updated: Date.now() })],
    ['pwrdrvr-dynamodb-session-store', () => ({ lastModified: new Date().toISOString() })]
  ]) {
    test(`counts touches skipped because of ${name}'s timestamp`, async () => {
      const { create } = compatible.find((entry) => entry.name === `dynamodb-session/${name}`)
      const store = create({ connection: dynamodb.connection, table: dynamodb.table })
      await store.touch(newSid(), { ...newSession(), ...newTimestamp() })
      assert.equal(store.stats().touchesSaved, 1)
    })
  }
})
