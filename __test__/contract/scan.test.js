'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callBothWays } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { changedResponse, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** A store on its own table, which contains sessions with these IDs. */
async function storeWith(sids, { schema, data = () => ({}), ...options } = {}) {
  const table = await dynamodb.newTable(schema)
  const store = dynamodb.store({ table, ...schema, ...options })
  await Promise.all(sids.map((sid) => store.set(sid, newSession({ user: sid, ...data(sid) }))))
  return { store, table }
}

const names = (count) => Array.from({ length: count }, (_, i) => `sid-${i}`).sort()

const sorted = (list) => [...list].sort()

describe('table-wide methods', () => {
  test('all, ids, and length return the sessions, their IDs, and their number', async () => {
    const { store } = await storeWith(names(3))
    const { value: sessions } = await callBothWays(store, 'all')
    assert.deepEqual(sorted(sessions.map(({ user }) => user)), names(3))
    for (const session of sessions) {
      assert.equal(session.id, session.user)
      assert.equal(Object.keys(session).includes('id'), false)
      assert.equal(session.cookie.originalMaxAge, 60_000)
    }
    assert.deepEqual(sorted((await callBothWays(store, 'ids')).value), names(3))
    assert.deepEqual(await callBothWays(store, 'length'), { value: 3 })
  })

  test('clear deletes all sessions', async () => {
    const { store, table } = await storeWith(names(60))
    assert.deepEqual(await callBothWays(store, 'clear'), { value: undefined })
    assert.deepEqual(await dynamodb.raw.items(table), [])
    assert.equal(await store.length(), 0)
  })

  test("all does not overwrite a session's own field id", async () => {
    const { store } = await storeWith([])
    await store.set('a', newSession({ id: 7 }))
    await store.set('b', newSession())
    assert.deepEqual((await store.all()).map(({ id }) => id).sort(), [7, 'b'])
  })

  test('an empty table has no sessions', async () => {
    const { store } = await storeWith([])
    assert.deepEqual(await callBothWays(store, 'all'), { value: [] })
    assert.deepEqual(await callBothWays(store, 'ids'), { value: [] })
    assert.deepEqual(await callBothWays(store, 'length'), { value: 0 })
    assert.deepEqual(await callBothWays(store, 'clear'), { value: undefined })
  })

  test('all reads both formats in one table', async () => {
    const { store, table } = await storeWith(['one'])
    await dynamodb.store({ table, format: 'map' }).set('two', newSession({ user: 'two' }))
    assert.deepEqual(sorted((await store.all()).map(({ user }) => user)), ['one', 'two'])
  })

  test('ids and clear work on a table with a sort key', async () => {
    const { store, table } = await storeWith(names(30), { schema: { hashKey: 'pk', sortKey: 'sk' } })
    assert.deepEqual(sorted(await store.ids()), names(30))
    await store.clear()
    assert.deepEqual(await dynamodb.raw.items(table), [])
  })
})

describe('the sessions that table-wide methods include', () => {
  test('expired sessions are omitted, but clear deletes them', async () => {
    const { store, table } = await storeWith(['live'])
    const past = nowInSeconds() - 10
    const sess = { S: '{"user":"gone"}' }
    const expiries = [{ N: `${past}` }, { N: `${past}.5` }, { S: `${past}` }]
    for (const [i, expires] of expiries.entries()) await dynamodb.putItem(`gone-${i}`, { sess, expires }, { table })
    assert.deepEqual(await store.ids(), ['live'])
    assert.equal(await store.length(), 1)
    assert.deepEqual(
      (await store.all()).map(({ id }) => id),
      ['live']
    )
    await store.clear()
    assert.deepEqual(await dynamodb.raw.items(table), [])
  })

  test('sessions without an expiry are included', async () => {
    const { store, table } = await storeWith([])
    await dynamodb.putItem('forever', { sess: { S: '{}' } }, { table })
    assert.deepEqual(await store.ids(), ['forever'])
    assert.equal((await store.all()).length, 1)
  })

  test('corrupt items are omitted from all', async () => {
    const { store, table } = await storeWith(['live'])
    await dynamodb.putItem('corrupt', { sess: { S: '{' } }, { table })
    assert.deepEqual(
      (await store.all()).map(({ id }) => id),
      ['live']
    )
  })

  for (const prefix of ['app:', 'a.b#c$%(\'"):é🚀 ', ':p', '#k', '%_*?', '\\u0000"']) {
    test(`items without the prefix ${JSON.stringify(prefix)} are ignored`, async () => {
      const { store, table } = await storeWith(['one', 'two'], { prefix })
      const other = dynamodb.store({ table, prefix: `other ${prefix}` })
      await other.set('three', newSession())
      await dynamodb.raw.putItem(table, { id: { S: 'not a session' }, secret: { S: 'x' } })
      assert.deepEqual(sorted(await store.ids()), ['one', 'two'])
      assert.equal(await store.length(), 2)
      assert.equal((await store.all()).length, 2)
      await store.clear()
      assert.deepEqual(await other.ids(), ['three'])
      assert.equal((await dynamodb.raw.items(table)).length, 2)
    })
  }

  test('all items are included if the prefix is empty', async () => {
    const { store } = await storeWith(['one', 'two:x'], { prefix: '' })
    assert.deepEqual(sorted(await store.ids()), ['one', 'two:x'])
  })
})

describe('scans of more than one page', needs('proxy'), () => {
  test('all, ids, length, and clear read every page', async () => {
    const proxy = await dynamodb.proxy()
    const data = () => ({ body: 'x'.repeat(150_000) })
    const { store, table } = await storeWith(names(30), { endpoint: proxy.endpoint, data })
    assert.deepEqual(sorted((await store.all()).map(({ id }) => id)), names(30))
    assert.ok(proxy.sent('Scan').length > 1, 'the table has more than one page')
    assert.deepEqual(sorted(await store.ids()), names(30))
    assert.equal(await store.length(), 30)
    await store.clear()
    assert.deepEqual(await dynamodb.raw.items(table), [])
  })

  test('ids, length, and clear do not read the session attribute', async () => {
    const proxy = await dynamodb.proxy()
    const { store } = await storeWith(names(3), { endpoint: proxy.endpoint })
    for (const method of ['ids', 'length', 'clear']) {
      proxy.reset()
      await store[method]()
      const [{ ProjectionExpression, ExpressionAttributeNames = {}, Select }] = proxy.sent('Scan')
      assert.ok(ProjectionExpression || Select === 'COUNT', `${method} requests whole items`)
      const attributes = ProjectionExpression?.split(/\s*,\s*/).map((name) => ExpressionAttributeNames[name] ?? name)
      assert.equal(attributes?.includes('sess') ?? false, false)
    }
  })

  test('a page without sessions does not end the scan', async () => {
    const { store, table } = await storeWith([])
    const body = { S: 'x'.repeat(300_000) }
    for (let i = 0; i < 20; i++) await dynamodb.raw.putItem(table, { id: { S: `other ${i}` }, body })
    await store.set('session', newSession())
    assert.deepEqual(await store.ids(), ['session'])
  })
})

describe('deletes that the service returns as unprocessed', needs('proxy'), () => {
  const allUnprocessed = ({ response, body }) => {
    textResponse(200, JSON.stringify({ UnprocessedItems: body.RequestItems }))({ response })
  }

  /** Carries out the request, but reports every second delete as unprocessed. */
  const halfUnprocessed = changedResponse((original, { RequestItems }) => {
    const [[table, requests]] = Object.entries(RequestItems)
    const UnprocessedItems = { [table]: requests.filter((_, i) => i % 2) }
    const { 'x-amz-crc32': _, ...headers } = original.headers
    return { headers, text: JSON.stringify({ ...JSON.parse(original.text), UnprocessedItems }) }
  })

  test('are retried until all are processed', async () => {
    const proxy = await dynamodb.proxy()
    const { store, table } = await storeWith(names(30), { endpoint: proxy.endpoint })
    proxy.on('BatchWriteItem', allUnprocessed, 3).on('BatchWriteItem', halfUnprocessed, 1)
    await store.clear()
    assert.deepEqual(await dynamodb.raw.items(table), [])
    assert.ok(proxy.sent('BatchWriteItem').every((body) => Object.values(body.RequestItems)[0].length <= 25))
  })
})
