'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { assertStoreError } = require('../../support/errors')
const { collectEvents } = require('../../support/calls')
const { RandomJSON } = require('../../support/random-json')
const { newSid, nowInSeconds } = require('../../support/sessions')

const ONE_DAY = 86_400

const random = new RandomJSON(20)
const sessions = [
  {},
  { user: 'Ann', views: 1, _expire: 1795214304992, _maxAge: 86400000 },
  { user: 'Ann', _session: true },
  { empty: '', list: [], map: {}, nothing: null, yes: true, no: false, emoji: '🚀', quote: '"\\' },
  { deep: { a: [{ b: [1, [2, [3]]] }] }, half: 0.5, minus: -12.25, big: 2 ** 53 - 1, small: 1e-20, large: 1.5e100 },
  { absent: undefined, kept: 1 },
  ...Array.from({ length: 20 }, () => random.object())
]

/** An item without its key. Numbers are converted from text. */
function comparable(item, key) {
  const others = Object.fromEntries(Object.entries(item).filter(([name]) => !(name in key)))
  return JSON.parse(JSON.stringify(others), (name, value) => (name === 'N' ? Number(value) : value))
}

function testItems(compatible, dynamodb) {
  const read = (table, id, keyOf = compatible.keyOf) => dynamodb.raw.read(table, keyOf(id))

  async function assertSameItems(
    { table, original, ours },
    session,
    { keyOf = compatible.keyOf, ttlKey = 'expires' } = {}
  ) {
    const [theirId, ourId] = [newSid(), newSid()]
    assert.deepEqual(await original.set(theirId, session, 60_000), {})
    assert.deepEqual(await ours.set(ourId, session, 60_000), {})
    const { [ttlKey]: theirEnd, ...their } = comparable(await read(table, theirId, keyOf), keyOf(''))
    const { [ttlKey]: ourEnd, ...our } = comparable(await read(table, ourId, keyOf), keyOf(''))
    assert.deepEqual(our, their)
    assert.ok(Math.abs(ourEnd.N - theirEnd.N) <= 12, `${ourEnd.N} is not ${theirEnd.N}`)
    assert.ok(Number.isInteger(ourEnd.N))
    const expected = JSON.parse(JSON.stringify(session))
    assert.deepEqual(await ours.get(theirId), expected)
    assert.deepEqual(await original.get(ourId), expected)
    assert.deepEqual(await ours.get(ourId), expected)
  }

  describe('the items of the koa-session store', () => {
    test('items are the same as those of the original, and each store reads both', async () => {
      const pair = await compatible.pair()
      for (const session of sessions) await assertSameItems(pair, session)
    })

    for (const layout of compatible.layouts) {
      test(`items are the same as those of the original with ${JSON.stringify(layout)}`, async () => {
        const { hashKey, sortKey } = { ...compatible.schema, ...layout }
        const pair = await compatible.pair(layout, { hashKey, sortKey })
        const prefix = layout.hasValuePrefix ?? pair.ours.hasValuePrefix ?? ''
        const keyOf = (id) => ({ [hashKey]: prefix + id, ...(sortKey && { [sortKey]: prefix + id }) })
        await assertSameItems(pair, { user: 'Ann' }, { keyOf, ttlKey: layout.ttlKey })
      })
    }

    /** The response, without the capacity that DynamoDB Local always reports. */
    async function destroy(store, id) {
      const response = await store.destroy(id)
      delete response.ConsumedCapacity
      return response
    }

    test('one store changes and destroys a session of the other', async () => {
      const { table, original, ours } = await compatible.pair()
      for (const [one, other] of [
        [original, ours],
        [ours, original]
      ]) {
        const id = newSid()
        await one.set(id, { user: 'Ann', cart: ['tea'] }, 60_000)
        await other.set(id, { ...(await other.get(id)), cart: ['tea', 'milk'] }, 120_000)
        assert.deepEqual(await one.get(id), { user: 'Ann', cart: ['tea', 'milk'] })
        assert.ok(Math.abs(Number((await read(table, id)).expires.N) - nowInSeconds() - 120) <= 12)
        assert.deepEqual(await destroy(other, id), {})
        assert.equal(await one.get(id), undefined)
        assert.equal(await other.get(id), undefined)
        assert.deepEqual(await destroy(one, id), {})
      }
    })

    test('items expire when those of the original do', async () => {
      const { table, original, ours } = await compatible.pair()
      for (const maxAge of [1000, 1500, 86_400_000, 1e11, 0, -5000, null]) {
        const [theirId, ourId] = [newSid(), newSid()]
        await Promise.all([original.set(theirId, { a: 1 }, maxAge), ours.set(ourId, { a: 1 }, maxAge)])
        const ends = await Promise.all([theirId, ourId].map(async (id) => Number((await read(table, id)).expires.N)))
        assert.ok(Math.abs(ends[0] - ends[1]) <= 12, `${maxAge}: ${ends}`)
      }
    })

    test("items expire after one day for maxAge 'session' and values that are not a number", async () => {
      const { table, original, ours } = await compatible.pair()
      for (const maxAge of ['session', undefined, NaN, Infinity, '1000']) {
        const id = newSid()
        await assert.rejects(original.set(id, { a: 1 }, maxAge))
        assert.deepEqual(await ours.set(id, { a: 1 }, maxAge), {})
        assert.ok(Math.abs(Number((await read(table, id)).expires.N) - nowInSeconds() - ONE_DAY) <= 12)
        assert.deepEqual(await original.get(id), { a: 1 })
      }
    })

    test('a maxAge beyond the range of Date is accepted', async () => {
      const { ours } = await compatible.pair()
      await ours.set('a', { a: 1 }, Number.MAX_SAFE_INTEGER)
      assert.deepEqual(await ours.get('a'), { a: 1 })
    })

    test('items keep dates and array elements, which the original loses', async () => {
      const { original, ours } = await compatible.pair()
      const session = { at: new Date(0), list: [1, undefined, 3] }
      await original.set('theirs', session, 60_000)
      await ours.set('ours', session, 60_000)
      assert.deepEqual(await original.get('theirs'), { at: {}, list: [1, 3] })
      assert.deepEqual(await ours.get('ours'), { at: '1970-01-01T00:00:00.000Z', list: [1, null, 3] })
      assert.deepEqual(await original.get('ours'), await ours.get('ours'))
    })

    test('set writes the session as it was at the call', async () => {
      const { ours } = await compatible.pair()
      const session = { user: 'Ann' }
      const setting = ours.set('a', session, 60_000)
      session.user = 'Bob'
      await setting
      assert.deepEqual(await ours.get('a'), { user: 'Ann' })
    })
  })

  describe('get of the koa-session store', () => {
    test('get resolves to undefined for a session ID without a session', async () => {
      const { original, ours } = await compatible.pair()
      assert.equal(await original.get('nobody'), undefined)
      assert.equal(await ours.get('nobody'), undefined)
      assert.equal(await ours.get('x'.repeat(3000)), undefined)
    })

    test('get resolves to undefined for an expired session, which the original returns', async () => {
      const { original, ours } = await compatible.pair()
      await original.set('a', { user: 'Ann' }, -2000)
      assert.deepEqual(await original.get('a'), { user: 'Ann' })
      assert.equal(await ours.get('a'), undefined)
    })

    test('get resolves to undefined for an item without a session, whose keys the original returns', async () => {
      const { table, original, ours } = await compatible.pair()
      const key = Object.fromEntries(Object.entries(compatible.keyOf('a')).map(([name, S]) => [name, { S }]))
      for (const more of [{}, { session: { NULL: true } }, { session: { S: '' } }]) {
        await dynamodb.raw.putItem(table, { ...key, ...more })
        assert.equal(typeof (await original.get('a')), 'object')
        assert.equal(await ours.get('a'), undefined)
      }
    })

    test('get reads JSON text and emits corrupt if the text is invalid', async () => {
      const { table, ours } = await compatible.pair()
      const key = Object.fromEntries(Object.entries(compatible.keyOf('a')).map(([name, S]) => [name, { S }]))
      await dynamodb.raw.putItem(table, { ...key, session: { S: '{"user":"Ann"}' } })
      assert.deepEqual(await ours.get('a'), { user: 'Ann' })
      const corrupt = collectEvents(ours, 'corrupt')
      await dynamodb.raw.putItem(table, { ...key, session: { S: '{"user":' } })
      assert.equal(await ours.get('a'), undefined)
      await new Promise(setImmediate)
      assertStoreError(corrupt[0], { code: 'CorruptItemError' })
    })

    test('get rejects with the message of the original, and with a code and a cause', async () => {
      const options = compatible.options({ name: dynamodb.newTableName() })
      const { message } = await new compatible.Original(options).get('a').catch((error) => error)
      const error = await new compatible.Store(options).get('a').catch((thrown) => thrown)
      assert.equal(message, 'Unable to get session.')
      assert.equal(error.message, message)
      assert.equal(error.name, 'Error')
      assert.equal(error.code, 'ResourceNotFoundException')
      assert.equal(error.operation, 'GetItem')
      assertStoreError(error.cause, { code: 'ResourceNotFoundException', tableName: options.table.name })
      assert.equal('statusCode' in error, false)
    })
  })

  describe('set and destroy of the koa-session store', () => {
    test('set and destroy reject with a DynamoDBStoreError', async () => {
      const ours = new compatible.Store(compatible.options({ name: dynamodb.newTableName() }))
      const missing = await ours.set('a', { user: 'Ann' }, 1000).catch((error) => error)
      assertStoreError(missing, { code: 'ResourceNotFoundException', operation: 'PutItem' })
      const gone = await ours.destroy('a').catch((error) => error)
      assertStoreError(gone, { code: 'ResourceNotFoundException', operation: 'DeleteItem' })
      const circular = {}
      circular.circular = circular
      const unreadable = await ours.set('a', circular, 1000).catch((error) => error)
      assertStoreError(unreadable, { code: 'SerializationError', operation: 'PutItem' })
    })
  })

  describe('the requests of the koa-session store', () => {
    test('each operation sends one request, and get sends a second, consistent request if it finds no item', async () => {
      const proxy = await dynamodb.proxy()
      const { ours } = await compatible.pair()
      ours.setOptions(compatible.options({ name: ours.tableName, endpoint: proxy.endpoint }))
      assert.deepEqual(proxy.operations, [])
      await ours.set('a', { user: 'Ann' }, 60_000, { changed: true, rolling: false, ctx: {} })
      await ours.get('a', 60_000, { rolling: false, ctx: {} })
      await ours.destroy('a', { ctx: {} })
      assert.deepEqual(proxy.operations, ['PutItem', 'GetItem', 'DeleteItem'])
      proxy.reset()
      await ours.get('a')
      const consistent = proxy.sent('GetItem').map(({ ConsistentRead }) => ConsistentRead ?? false)
      assert.deepEqual(consistent, [false, true])
    })

    test('option consistentRead sets the consistency of reads', async () => {
      const proxy = await dynamodb.proxy()
      const { table } = await compatible.pair()
      for (const [consistentRead, expected] of [
        [true, [true]],
        [false, [false]]
      ]) {
        proxy.reset()
        const ours = new compatible.Store({
          ...compatible.options({ name: table, endpoint: proxy.endpoint }),
          consistentRead
        })
        await ours.get('nobody')
        assert.deepEqual(
          proxy.sent('GetItem').map(({ ConsistentRead }) => ConsistentRead ?? false),
          expected
        )
      }
    })
  })
}

module.exports = { testItems }
