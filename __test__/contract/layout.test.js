'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callBothWays, collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, assertStoreError, failure } = require('../support/errors')
const { textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** Sets, gets, touches and destroys a session; gives the item as it was written. */
async function assertWorks(store, table, key) {
  const sid = key(newSid)
  const missing = collectEvents(store, 'missing')
  await store.set(sid.sid, newSession({ user: 'Ann' }))
  const item = await dynamodb.raw.read(table, sid.key)
  assert.ok(item, 'the item stands under the key')
  assert.equal((await store.get(sid.sid)).user, 'Ann')
  await store.touch(sid.sid, newSession({}, 900_000))
  assert.deepEqual(missing, [])
  assert.notDeepEqual(await dynamodb.raw.read(table, sid.key), item)
  await store.destroy(sid.sid)
  assert.equal(await dynamodb.raw.read(table, sid.key), undefined)
  return item
}

/** A key of these attribute names, for `assertWorks`. */
const keyOf =
  (prefix, ...attributes) =>
  (newSid) => {
    const sid = newSid()
    return { sid, key: Object.fromEntries(attributes.map((name) => [name, prefix + sid])) }
  }

describe('keys', () => {
  test('hashKey', async () => {
    const table = await dynamodb.newTable({ hashKey: 'pk' })
    const item = await assertWorks(dynamodb.store({ table, hashKey: 'pk', touchAfter: 0 }), table, keyOf('sess:', 'pk'))
    assert.deepEqual(Object.keys(item).sort(), ['expires', 'pk', 'sess', 'type'])
  })

  test('sortKey has the same value', async () => {
    const schema = { hashKey: 'pk', sortKey: 'sk' }
    const table = await dynamodb.newTable(schema)
    const item = await assertWorks(dynamodb.store({ table, ...schema }), table, keyOf('sess:', 'pk', 'sk'))
    assert.deepEqual(item.pk, item.sk)
  })

  for (const prefix of ['', 'app#', 'Ünï🚀:']) {
    test(`prefix ${JSON.stringify(prefix)}`, async () => {
      await assertWorks(dynamodb.store({ prefix }), dynamodb.table, keyOf(prefix, 'id'))
    })
  }
})

describe('attributes', () => {
  for (const [session, expires] of [
    ['data', 'ttl'],
    ['value', 'timestamp'],
    ['a.b-c#d', ':e f'],
    ['données', '🚀']
  ]) {
    test(`named ${session} and ${expires}`, async () => {
      const store = dynamodb.store({ attributes: { session, expires } })
      const item = await assertWorks(store, dynamodb.table, keyOf('sess:', 'id'))
      assert.equal(JSON.parse(item[session].S).user, 'Ann')
      assert.match(item[expires].N, /^\d+$/)
      assert.deepEqual(Object.keys(item).sort(), [expires, 'id', session, 'type'].sort())
    })
  }

  test('one renamed, the other as it was', async () => {
    const sid = newSid()
    const store = dynamodb.store({ attributes: { expires: 'ttl' } })
    await store.set(sid, newSession())
    assert.deepEqual(Object.keys(await dynamodb.item(sid)).sort(), ['id', 'sess', 'ttl', 'type'])
    await dynamodb.raw.setExpires(dynamodb.table, { id: `sess:${sid}` }, nowInSeconds() - 1, 'ttl')
    assert.equal(await store.get(sid), null)
  })
})

describe('specialKeys', () => {
  const specialKeys = [
    { name: 'user', type: 'S' },
    { name: 'age', type: 'N' },
    { name: 'admin', type: 'BOOL' },
    { name: 'photo', type: 'B' }
  ]

  /** A table with an index on each special key that can be the key of one. */
  async function newIndexedTable() {
    const table = dynamodb.newTableName()
    const keys = { user: 'S', age: 'N', photo: 'B' }
    await dynamodb.raw.sdk.createTable({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: Object.entries({ id: 'S', ...keys }).map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType
      })),
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: Object.keys(keys).map((AttributeName) => ({
        IndexName: AttributeName,
        KeySchema: [{ AttributeName, KeyType: 'HASH' }],
        Projection: { ProjectionType: 'KEYS_ONLY' }
      }))
    })
    return table
  }

  for (const format of ['json', 'map']) {
    test(`are attributes of their own, format ${format}`, async () => {
      const sid = newSid()
      const store = dynamodb.store({ specialKeys, format })
      await store.set(sid, newSession({ user: 'Ann', age: 33.5, admin: false, photo: Buffer.from('hello') }))
      const { user, age, admin, photo } = await dynamodb.item(sid)
      assert.deepEqual([user, age, admin], [{ S: 'Ann' }, { N: '33.5' }, { BOOL: false }])
      assert.equal(Buffer.from(photo.B).toString(), 'hello')
      assert.equal((await store.get(sid)).user, 'Ann')
    })
  }

  test('are not written when the session has none', async () => {
    const sid = newSid()
    await dynamodb.store({ specialKeys }).set(sid, newSession({ age: 0, user: undefined }))
    const item = await dynamodb.item(sid)
    assert.deepEqual(Object.keys(item).sort(), ['age', 'expires', 'id', 'sess', 'type'])
    assert.deepEqual(item.age, { N: '0' })
  })

  test('bytes of any view', async () => {
    const sid = newSid()
    const bytes = new Uint8Array([0, 1, 254, 255])
    await dynamodb.store({ specialKeys }).set(sid, newSession({ photo: bytes.subarray(1, 3) }))
    assert.deepEqual([...(await dynamodb.item(sid)).photo.B], [1, 254])
  })

  test('false is a value', async () => {
    const sid = newSid()
    await dynamodb.store({ specialKeys }).set(sid, newSession({ admin: false }))
    assert.deepEqual((await dynamodb.item(sid)).admin, { BOOL: false })
  })

  for (const [name, values] of Object.entries({
    'empty strings': { user: '', photo: '', age: '' },
    'empty bytes': { user: null, photo: new Uint8Array() }
  })) {
    test(`${name} are left out, since no key of an index can be empty`, async () => {
      const table = await newIndexedTable()
      const sid = newSid()
      const store = dynamodb.store({ table, specialKeys })
      await store.set(sid, newSession(values))
      assert.deepEqual(Object.keys(await dynamodb.item(sid, { table })).sort(), ['expires', 'id', 'sess', 'type'])
      assert.equal((await store.get(sid)).user, values.user)
    })
  }

  for (const [name, value] of [
    ['user', { nested: 'SECRET' }],
    ['user', ['SECRET']],
    ['age', 'SECRET'],
    ['age', NaN],
    ['age', '0x5EC2E7'],
    ['age', {}],
    ['admin', { nested: 'SECRET' }],
    ['photo', { nested: 'SECRET' }]
  ]) {
    test(`${name} with ${JSON.stringify(value)}: an error, or not written`, async () => {
      const sid = newSid()
      const store = dynamodb.store({ specialKeys })
      const { error } = await callBothWays(store, 'set', sid, newSession({ [name]: value }))
      if (error)
        assertStoreError(error, {
          code: /^(SerializationError|ValidationException)$/,
          secrets: ['SECRET', '0x5EC2E7', sid]
        })
      else assert.equal((await dynamodb.item(sid))[name], undefined)
    })
  }

  test('touch leaves them', async () => {
    const sid = newSid()
    const store = dynamodb.store({ specialKeys, touchAfter: 0 })
    await store.set(sid, newSession({ user: 'Ann' }))
    await store.touch(sid, newSession({ user: 'Bob' }, 120_000))
    assert.deepEqual((await dynamodb.item(sid)).user, { S: 'Ann' })
  })
})

describe('table', () => {
  test('is "sessions" by default', async () => {
    const store = dynamodb.store({ table: undefined, hashKey: newSid() })
    const error = await failure(store, 'get', 'x')
    assertOperationError(error, { code: /Exception$/, operation: 'GetItem', tableName: 'sessions' })
  })

  test('may be an ARN', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', textResponse(200, '{}'))
    const table = 'arn:aws:dynamodb:us-east-1:123456789012:table/sessions'
    const store = dynamodb.store({ table, endpoint: proxy.endpoint })
    await store.get('x')
    await store.set('x', newSession())
    await store.touch('x', newSession())
    await store.destroy('x')
    assert.deepEqual(new Set(proxy.requests.map(({ body }) => body.TableName)), new Set([table]))
  })
})
