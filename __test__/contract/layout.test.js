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

/** Sets, gets, touches, and destroys a session, and returns the item that `set` wrote. */
async function assertWorks(store, table, createKey) {
  const { sid, key } = createKey()
  const missing = collectEvents(store, 'missing')
  await store.set(sid, newSession({ user: 'Ann' }))
  const item = await dynamodb.raw.read(table, key)
  assert.ok(item, 'the item has the expected key')
  assert.equal((await store.get(sid)).user, 'Ann')
  await store.touch(sid, newSession({}, 900_000))
  assert.deepEqual(missing, [])
  assert.notDeepEqual(await dynamodb.raw.read(table, key), item)
  await store.destroy(sid)
  assert.equal(await dynamodb.raw.read(table, key), undefined)
  return item
}

/** For `assertWorks`: creates a session ID and the key of its item, with these key attributes. */
const keyOf =
  (prefix, ...attributes) =>
  () => {
    const sid = newSid()
    return { sid, key: Object.fromEntries(attributes.map((name) => [name, prefix + sid])) }
  }

describe('the key of an item', () => {
  test('uses the attribute named by hashKey', async () => {
    const table = await dynamodb.newTable({ hashKey: 'pk' })
    const item = await assertWorks(dynamodb.store({ table, hashKey: 'pk', touchAfter: 0 }), table, keyOf('sess:', 'pk'))
    assert.deepEqual(Object.keys(item).sort(), ['expires', 'pk', 'sess', 'type'])
  })

  test('has the same value in the sort key, if sortKey is set', async () => {
    const schema = { hashKey: 'pk', sortKey: 'sk' }
    const table = await dynamodb.newTable(schema)
    const item = await assertWorks(dynamodb.store({ table, ...schema }), table, keyOf('sess:', 'pk', 'sk'))
    assert.deepEqual(item.pk, item.sk)
  })

  for (const prefix of ['', 'app#', 'Ünï🚀:']) {
    test(`starts with the prefix ${JSON.stringify(prefix)}`, async () => {
      await assertWorks(dynamodb.store({ prefix }), dynamodb.table, keyOf(prefix, 'id'))
    })
  }
})

describe('the option attributes', () => {
  for (const [session, expires] of [
    ['data', 'ttl'],
    ['value', 'timestamp'],
    ['a.b-c#d', ':e f'],
    ['données', '🚀']
  ]) {
    test(`can name the session "${session}" and the expiry "${expires}"`, async () => {
      const store = dynamodb.store({ attributes: { session, expires } })
      const item = await assertWorks(store, dynamodb.table, keyOf('sess:', 'id'))
      assert.equal(JSON.parse(item[session].S).user, 'Ann')
      assert.match(item[expires].N, /^\d+$/)
      assert.deepEqual(Object.keys(item).sort(), [expires, 'id', session, 'type'].sort())
    })
  }

  test('can rename one attribute and keep the default of the other', async () => {
    const sid = newSid()
    const store = dynamodb.store({ attributes: { expires: 'ttl' } })
    await store.set(sid, newSession())
    assert.deepEqual(Object.keys(await dynamodb.item(sid)).sort(), ['id', 'sess', 'ttl', 'type'])
    await dynamodb.raw.setExpires(dynamodb.table, { id: `sess:${sid}` }, nowInSeconds() - 1, 'ttl')
    assert.equal(await store.get(sid), null)
  })
})

describe('the option specialKeys', () => {
  const specialKeys = [
    { name: 'user', type: 'S' },
    { name: 'age', type: 'N' },
    { name: 'admin', type: 'BOOL' },
    { name: 'photo', type: 'B' }
  ]

  /** A table with an index on each special key whose type is allowed for the key of an index. */
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
    test(`copies fields of the session to separate attributes, format ${format}`, async () => {
      const sid = newSid()
      const store = dynamodb.store({ specialKeys, format })
      await store.set(sid, newSession({ user: 'Ann', age: 33.5, admin: false, photo: Buffer.from('hello') }))
      const { user, age, admin, photo } = await dynamodb.item(sid)
      assert.deepEqual([user, age, admin], [{ S: 'Ann' }, { N: '33.5' }, { BOOL: false }])
      assert.equal(Buffer.from(photo.B).toString(), 'hello')
      assert.equal((await store.get(sid)).user, 'Ann')
    })
  }

  test('writes no attribute for a field that the session does not have', async () => {
    const sid = newSid()
    await dynamodb.store({ specialKeys }).set(sid, newSession({ age: 0, user: undefined }))
    const item = await dynamodb.item(sid)
    assert.deepEqual(Object.keys(item).sort(), ['age', 'expires', 'id', 'sess', 'type'])
    assert.deepEqual(item.age, { N: '0' })
  })

  test('writes only the bytes of a typed array view', async () => {
    const sid = newSid()
    const bytes = new Uint8Array([0, 1, 254, 255])
    await dynamodb.store({ specialKeys }).set(sid, newSession({ photo: bytes.subarray(1, 3) }))
    assert.deepEqual([...(await dynamodb.item(sid)).photo.B], [1, 254])
  })

  test('writes the value false', async () => {
    const sid = newSid()
    await dynamodb.store({ specialKeys }).set(sid, newSession({ admin: false }))
    assert.deepEqual((await dynamodb.item(sid)).admin, { BOOL: false })
  })

  for (const [name, values] of Object.entries({
    'empty strings': { user: '', photo: '', age: '' },
    'empty bytes': { user: null, photo: new Uint8Array() }
  })) {
    test(`omits ${name}, which index keys do not allow`, async () => {
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
    test(`rejects or omits the value ${JSON.stringify(value)} of ${name}, without revealing it`, async () => {
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

  test('keeps an attribute of type B when a session is read and written again', async () => {
    const store = dynamodb.store({ specialKeys: [{ name: 'key', type: 'B' }] })
    const sid = newSid()
    await store.set(sid, newSession({ key: Buffer.from('secret') }))
    await store.set(sid, await store.get(sid))
    assert.equal(Buffer.from((await dynamodb.item(sid)).key.B).toString(), 'secret')
  })

  test('writes no attribute for a field that JSON drops', async () => {
    const store = dynamodb.store({ specialKeys: [{ name: 'user', type: 'S' }] })
    for (const user of [() => 1, Symbol('s')]) {
      const sid = newSid()
      await store.set(sid, newSession({ user }))
      assert.equal((await dynamodb.item(sid)).user, undefined)
    }
  })

  test('is ignored by touch', async () => {
    const sid = newSid()
    const store = dynamodb.store({ specialKeys, touchAfter: 0 })
    await store.set(sid, newSession({ user: 'Ann' }))
    await store.touch(sid, newSession({ user: 'Bob' }, 120_000))
    assert.deepEqual((await dynamodb.item(sid)).user, { S: 'Ann' })
  })
})

describe('the option table', () => {
  test('is "sessions" by default', async () => {
    const store = dynamodb.store({ table: undefined, hashKey: newSid() })
    const error = await failure(store, 'get', 'x')
    assertOperationError(error, { code: /Exception$/, operation: 'GetItem', tableName: 'sessions' })
  })

  test('can be an ARN', needs('proxy'), async () => {
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

  test('as an ARN sets the Region in which requests are signed', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = `arn:aws:dynamodb:eu-central-2:123456789012:table/${dynamodb.table}`
    const store = dynamodb.store({ table, endpoint: proxy.endpoint, region: undefined, maxAttempts: 1 })
    await store.get(newSid()).catch(() => {})
    assert.match(proxy.requests[0].headers.authorization, /\/eu-central-2\/dynamodb\//)
  })
})
