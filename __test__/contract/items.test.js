'use strict'

const assert = require('node:assert/strict')
const { before, beforeEach, describe, test } = require('node:test')
const session = require('express-session')
const connectDynamoDB = require('connect-dynamodb')
const { callBothWays, callWithCallback, collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertStoreError } = require('../support/errors')
const { textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds, throughJSON } = require('../support/sessions')

const dynamodb = useDynamoDB()

const jsonAttribute = (value) => ({ S: JSON.stringify(value) })

function assertNear(attribute, seconds) {
  assert.match(attribute.N, /^\d+$/)
  assert.ok(Math.abs(Number(attribute.N) - seconds) <= 12, `${attribute.N} is not about ${seconds}`)
}

describe('writing an item', () => {
  test('set writes the item format of connect-dynamodb', async () => {
    const sid = newSid()
    const sess = newSession({ user: 'Ann', cart: [{ id: 5, price: 1.5 }] })
    await dynamodb.store().set(sid, sess)
    const { expires, ...rest } = await dynamodb.item(sid)
    assert.deepEqual(rest, { id: { S: `sess:${sid}` }, type: { S: 'connect-session' }, sess: jsonAttribute(sess) })
    assertNear(expires, nowInSeconds() + 60)
  })

  test('set replaces the whole item', async () => {
    const sid = newSid()
    await dynamodb.putItem(sid, { sess: jsonAttribute({ old: true }), other: { S: 'old' } })
    await dynamodb.store().set(sid, newSession())
    assert.deepEqual(Object.keys(await dynamodb.item(sid)).sort(), ['expires', 'id', 'sess', 'type'])
  })

  test('format map writes native DynamoDB types', async () => {
    const sid = newSid()
    const sess = {
      cookie: { originalMaxAge: null, expires: null },
      text: 'a',
      empty: '',
      number: -1.5,
      yes: true,
      nothing: null,
      list: [1, 'b', [], {}],
      map: { inner: { deep: 'er' } }
    }
    const store = dynamodb.store({ format: 'map' })
    await store.set(sid, sess)
    const item = await dynamodb.item(sid)
    assert.deepEqual(item.type, { S: 'connect-session' })
    assert.deepEqual(item.sess, {
      M: {
        cookie: { M: { originalMaxAge: { NULL: true }, expires: { NULL: true } } },
        text: { S: 'a' },
        empty: { S: '' },
        number: { N: '-1.5' },
        yes: { BOOL: true },
        nothing: { NULL: true },
        list: { L: [{ N: '1' }, { S: 'b' }, { L: [] }, { M: {} }] },
        map: { M: { inner: { M: { deep: { S: 'er' } } } } }
      }
    })
    assert.deepEqual(await store.get(sid), sess)
  })

  test('format map writes numbers as JavaScript prints them', needs('proxy'), async () => {
    const numbers = [
      0,
      -1.5,
      0.1,
      1e-6,
      1e-7,
      -1.25e-7,
      2 ** 53,
      2 ** 64,
      -(2 ** 63),
      1e20,
      1e21,
      1.5e100,
      1e-130,
      1e125
    ]
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, format: 'map' })
    const sid = newSid()
    await store.set(sid, newSession({ numbers }))
    const [{ Item }] = proxy.sent('PutItem')
    assert.deepEqual(
      Item.sess.M.numbers.L,
      numbers.map((number) => ({ N: String(number) }))
    )
    assert.deepEqual((await store.get(sid)).numbers, numbers)
  })

  test('set stores the session as it is at the time of the call', async () => {
    const sid = newSid()
    const sess = newSession({ step: 1 })
    const saving = dynamodb.store().set(sid, sess)
    sess.step = 2
    await saving
    assert.equal((await dynamodb.store().get(sid)).step, 1)
  })

  test('destroy deletes the item, and a second destroy succeeds', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    await store.set(sid, newSession())
    assert.deepEqual(await callBothWays(store, 'destroy', sid), { value: undefined })
    assert.equal(await dynamodb.item(sid), undefined)
  })

  test('get returns the session or null, and set, touch, and destroy return undefined', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    assert.deepEqual(await callBothWays(store, 'get', sid), { value: null })
    assert.deepEqual(await callBothWays(store, 'set', sid, newSession({ a: 1 })), { value: undefined })
    assert.equal((await callBothWays(store, 'get', sid)).value.a, 1)
    assert.deepEqual(await callBothWays(store, 'touch', sid, newSession()), { value: undefined })
    assert.deepEqual(await callBothWays(store, 'destroy', sid), { value: undefined })
  })
})

describe('reading the expiry of an item', () => {
  const future = nowInSeconds() + 1000
  const past = nowInSeconds() - 1000
  const cases = {
    'an item without an expiry does not expire': [undefined, true],
    'an integer in the future has not expired': [{ N: `${future}` }, true],
    'a fraction in the future has not expired': [{ N: `${future}.75` }, true],
    'a string in the future has not expired': [{ S: `${future}` }, true],
    'a string with a fraction in the future has not expired': [{ S: `${future}.25` }, true],
    'a string that is not a number does not expire': [{ S: 'never' }, true],
    'an attribute of another type does not expire': [{ BOOL: true }, true],
    'an integer in the past has expired': [{ N: `${past}` }, false],
    'a fraction in the past has expired': [{ N: `${past}.75` }, false],
    'a string in the past has expired': [{ S: `${past}` }, false],
    'a string with a fraction in the past has expired': [{ S: `${past}.25` }, false],
    'zero has expired': [{ N: '0' }, false],
    'a negative number has expired': [{ N: '-5' }, false]
  }
  for (const [name, [expires, alive]] of Object.entries(cases)) {
    test(name, async () => {
      const sid = newSid()
      const store = dynamodb.store()
      await dynamodb.putItem(sid, { sess: jsonAttribute({ user: 'Ann' }), ...(expires && { expires }) })
      assert.deepEqual(await callBothWays(store, 'get', sid), { value: alive ? { user: 'Ann' } : null })
      assert.ok(await dynamodb.item(sid), 'get does not delete the item')
    })
  }

  test('the current second has expired', async () => {
    const sid = newSid()
    await dynamodb.putItem(sid, { sess: jsonAttribute({}), expires: { N: `${nowInSeconds()}` } })
    assert.equal(await dynamodb.store().get(sid), null)
  })

  test('a session expires when its lifetime ends', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    await store.set(sid, newSession({}, 1000))
    assert.ok(await store.get(sid))
    const expires = Number((await dynamodb.item(sid)).expires.N)
    await new Promise((resolve) => setTimeout(resolve, expires * 1000 - Date.now() + 20))
    assert.equal(await store.get(sid), null)
  })
})

describe('reading the session attribute of an item', () => {
  const readable = {
    'JSON text': [jsonAttribute({ a: 1 }), { a: 1 }],
    'JSON text with surrounding whitespace': [{ S: ' {"a": 1}\n' }, { a: 1 }],
    'a map': [{ M: { a: { N: '1' }, b: { L: [{ S: 'x' }, { NULL: true }] } } }, { a: 1, b: ['x', null] }],
    'a map with sets': [{ M: { s: { SS: ['a'] }, n: { NS: ['5'] } } }, { s: ['a'], n: [5] }],
    'an empty map': [{ M: {} }, {}],
    'an empty object': [jsonAttribute({}), {}]
  }
  for (const [name, [sess, expected]] of Object.entries(readable)) {
    for (const format of ['json', 'map']) {
      test(`${name} is read by a store with format ${format}`, async () => {
        const sid = newSid()
        await dynamodb.putItem(sid, { sess })
        assert.deepEqual(await callBothWays(dynamodb.store({ format }), 'get', sid), { value: expected })
      })
    }
  }

  test('a map with binary data is read', async () => {
    const sid = newSid()
    await dynamodb.putItem(sid, { sess: { M: { bytes: { B: Buffer.from('hello') }, user: { S: 'Ann' } } } })
    const { bytes, user } = await dynamodb.store().get(sid)
    assert.equal(user, 'Ann')
    const decoded = typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : Buffer.from(bytes)
    assert.equal(decoded.toString(), 'hello')
  })

  const corrupt = {
    'an empty string': { S: '' },
    'broken JSON': { S: '{"user":"Ann SECRET' },
    'JSON with a number': { S: '5' },
    'JSON with a string': { S: '"SECRET"' },
    'JSON null': { S: 'null' },
    'JSON with an array': { S: '[]' },
    'JSON followed by text': { S: '{} SECRET' },
    'a number': { N: '5' },
    'a list': { L: [] },
    NULL: { NULL: true },
    'a set': { SS: ['SECRET'] }
  }
  for (const [name, sess] of Object.entries(corrupt)) {
    test(`${name} is not a session, and emits corrupt`, async () => {
      const sid = newSid()
      const store = dynamodb.store()
      await dynamodb.putItem(sid, { sess })
      const events = collectEvents(store, 'corrupt')
      assert.deepEqual(await callWithCallback(store, 'get', sid), { value: null })
      assert.equal(events.length, 1)
      assertStoreError(events[0], {
        code: 'CorruptItemError',
        operation: 'GetItem',
        tableName: dynamodb.table,
        secrets: [sid, 'SECRET']
      })
    })
  }

  test('an item without a session attribute is not a session', async () => {
    const sid = newSid()
    await dynamodb.putItem(sid, { expires: { N: `${nowInSeconds() + 1000}` } })
    assert.deepEqual(await callBothWays(dynamodb.store(), 'get', sid), { value: null })
  })

  test('a corrupt item without a listener of corrupt causes no exception', async () => {
    const sid = newSid()
    await dynamodb.putItem(sid, { sess: { S: '{' } })
    assert.deepEqual(await callBothWays(dynamodb.store(), 'get', sid), { value: null })
  })
})

describe('the option consistentRead', needs('proxy'), () => {
  let proxy
  let sid
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(async () => {
    sid = newSid()
    await dynamodb.store().set(sid, newSession({ user: 'Ann' }))
    proxy.reset()
  })

  const newStore = (options) => dynamodb.store({ endpoint: proxy.endpoint, ...options })
  const reads = () => proxy.sent('GetItem').map(({ ConsistentRead = false }) => ConsistentRead)

  for (const [consistentRead, expected] of [
    [undefined, true],
    [true, true],
    [false, false]
  ]) {
    test(`${consistentRead} reads ${expected ? 'with strong consistency' : 'with eventual consistency'}`, async () => {
      const store = newStore({ consistentRead })
      assert.equal((await store.get(sid)).user, 'Ann')
      assert.equal(await store.get(newSid()), null)
      assert.deepEqual(reads(), [expected, expected])
    })
  }

  test('on-miss reads an existing session once', async () => {
    assert.equal((await newStore({ consistentRead: 'on-miss' }).get(sid)).user, 'Ann')
    assert.deepEqual(reads(), [false])
  })

  test('on-miss reads a missing session again with strong consistency', async () => {
    assert.deepEqual(await callBothWays(newStore({ consistentRead: 'on-miss' }), 'get', newSid()), { value: null })
    assert.deepEqual(reads(), [false, true, false, true])
  })

  test('on-miss finds a session that the first read missed', async () => {
    proxy.on('GetItem', textResponse(200, '{}'), 1)
    assert.equal((await newStore({ consistentRead: 'on-miss' }).get(sid)).user, 'Ann')
    assert.deepEqual(reads(), [false, true])
  })
})

describe('sharing a table with connect-dynamodb', () => {
  const ConnectDynamoDB = connectDynamoDB(session)
  const withCookie = (data) => ({ cookie: new session.Cookie({ maxAge: 60_000 }), ...data })
  const pair = (options) => ({
    theirs: new ConnectDynamoDB({ client: dynamodb.raw.sdk, table: dynamodb.table, initialized: true, ...options }),
    ours: dynamodb.store(options)
  })

  test('the store reads sessions that connect-dynamodb wrote', async () => {
    const sid = newSid()
    const { theirs, ours } = pair()
    const sess = withCookie({ user: 'Ann', text: '日本 🚀' })
    await callWithCallback(theirs, 'set', sid, sess)
    assert.deepEqual(await ours.get(sid), throughJSON(sess))
  })

  test('connect-dynamodb reads sessions that the store wrote', async () => {
    const sid = newSid()
    const { theirs, ours } = pair()
    const sess = withCookie({ user: 'Ann', text: '日本 🚀' })
    await ours.set(sid, sess)
    assert.deepEqual((await callWithCallback(theirs, 'get', sid)).value, throughJSON(sess))
  })

  test('both stores write the same item', async () => {
    const [one, two] = [newSid(), newSid()]
    const { theirs, ours } = pair({
      prefix: 'both:',
      specialKeys: [
        { name: 'user', type: 'S' },
        { name: 'age', type: 'N' }
      ]
    })
    const sess = withCookie({ user: 'Ann', age: 33 })
    await callWithCallback(theirs, 'set', one, sess)
    await ours.set(two, sess)
    const [theirItem, ourItem] = [
      await dynamodb.item(one, { prefix: 'both:' }),
      await dynamodb.item(two, { prefix: 'both:' })
    ]
    assertNear(ourItem.expires, Number(theirItem.expires.N))
    assert.deepEqual({ ...ourItem, id: theirItem.id, expires: theirItem.expires }, theirItem)
  })

  test('each store touches and destroys sessions that the other one wrote', async () => {
    const [one, two] = [newSid(), newSid()]
    const { theirs, ours } = pair({ touchAfter: 0 })
    await callWithCallback(theirs, 'set', one, withCookie())
    await ours.touch(one, withCookie())
    assertNear((await dynamodb.item(one)).expires, nowInSeconds() + 60)
    await ours.set(two, withCookie())
    await callWithCallback(theirs, 'touch', two, withCookie({}))
    assert.ok(await ours.get(two))
    await ours.destroy(one)
    await callWithCallback(theirs, 'destroy', two)
    assert.equal((await callWithCallback(theirs, 'get', one)).value, null)
    assert.equal(await ours.get(two), null)
  })
})
