'use strict'

const assert = require('node:assert/strict')
const { before, beforeEach, describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { DynamoDBStore } = require('../..')
const { callBothWays, collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** Loads a session as express-session does: with get, createSession, and the session's own touch. */
async function visit(store, sid) {
  const request = { sessionID: sid, sessionStore: store }
  const session = store.createSession(request, await store.get(sid))
  session.touch()
  return session
}

const storedSession = (data, maxAge) => ({ S: JSON.stringify(newSession(data, maxAge)) })

async function expiresOf(sid) {
  return Number((await dynamodb.item(sid)).expires.N)
}

describe('touch', () => {
  test('updates only the expiry, in whole seconds', async () => {
    const sid = newSid()
    const store = dynamodb.store({ touchAfter: 0 })
    await dynamodb.putItem(sid, { sess: storedSession({ a: 1 }), expires: { N: '4000000000.5' }, other: { S: 'kept' } })
    const before = await dynamodb.item(sid)
    await store.touch(sid, newSession({ a: 2 }, 120_000))
    const after = await dynamodb.item(sid)
    assert.match(after.expires.N, /^\d+$/)
    assert.ok(Math.abs(Number(after.expires.N) - nowInSeconds() - 120) <= 12)
    assert.deepEqual({ ...after, expires: before.expires }, before)
  })

  test('does not create a missing item, and emits missing', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    const events = collectEvents(store, 'missing')
    assert.deepEqual(await callBothWays(store, 'touch', sid, newSession()), { value: undefined })
    const [{ operation, tableName, sidHash }, ...others] = events
    assert.equal(others.length, 1, 'each call emits one event')
    assert.deepEqual([operation, tableName], ['touch', dynamodb.table])
    assert.match(sidHash, /^\w+$/)
    assert.equal(sidHash.includes(sid), false)
    assert.equal(await dynamodb.item(sid), undefined)
  })

  test('emits missing with the same hash for the same ID, and a different hash for a different ID', async () => {
    const store = dynamodb.store()
    const events = collectEvents(store, 'missing')
    const [one, two] = [newSid(), newSid()]
    for (const sid of [one, one, two]) await store.touch(sid, newSession())
    const hashes = events.map(({ sidHash }) => sidHash)
    assert.equal(hashes[0], hashes[1])
    assert.notEqual(hashes[0], hashes[2])
  })

  const past = nowInSeconds() - 100
  for (const expires of [{ N: `${past}` }, { N: `${past}.5` }, { S: `${past}` }, { S: `${past}.5` }, { N: '0' }]) {
    test(`does not revive an item that expired at ${JSON.stringify(expires)}`, async () => {
      const sid = newSid()
      const store = dynamodb.store()
      await dynamodb.putItem(sid, { sess: storedSession(), expires })
      const events = collectEvents(store, 'missing')
      assert.deepEqual(await callBothWays(store, 'touch', sid, newSession()), { value: undefined })
      assert.equal(events.length, 2)
      assert.deepEqual((await dynamodb.item(sid)).expires, expires)
    })
  }

  const future = nowInSeconds() + 100
  for (const expires of [{ N: `${future}.5` }, { S: `${future}` }, { S: `${future}.5` }, { S: 'never' }, undefined]) {
    test(`extends an item ${expires ? `that expires at ${JSON.stringify(expires)}` : 'without an expiry'}`, async () => {
      const sid = newSid()
      const store = dynamodb.store()
      const missing = collectEvents(store, 'missing')
      await dynamodb.putItem(sid, { sess: storedSession(), ...(expires && { expires }) })
      await store.touch(sid, newSession({}, 900_000))
      assert.ok(Math.abs((await expiresOf(sid)) - nowInSeconds() - 900) <= 12)
      assert.deepEqual(missing, [])
    })
  }

  test('does not recreate a destroyed session', async () => {
    const sid = newSid()
    const store = dynamodb.store({ touchAfter: 0 })
    await store.set(sid, newSession())
    const session = await visit(store, sid)
    await store.destroy(sid)
    await store.touch(sid, session)
    assert.equal(await dynamodb.item(sid), undefined)
  })

  test('extends a session whose cookie has no maxAge by one day', async () => {
    const sid = newSid()
    const store = dynamodb.store({ touchAfter: 0 })
    await store.set(sid, newSession({}, null))
    await dynamodb.setExpires(sid, nowInSeconds() + 20)
    await store.touch(sid, await visit(store, sid))
    assert.ok(Math.abs((await expiresOf(sid)) - nowInSeconds() - 86_400) <= 12)
  })
})

test('a touchAfter that is not shorter than the lifetime does not end a session in use', async () => {
  const options = { ttl: 60, touchAfter: 60 }
  assert.throws(() => new DynamoDBStore(options), { code: 'ConfigError', message: /touchAfter/ })
  const store = dynamodb.store({ touchAfter: 60 })
  const sid = newSid()
  const session = { cookie: { maxAge: 4000 } }
  await store.set(sid, session)
  for (let i = 0; i < 6; i++) {
    await sleep(800)
    await store.touch(sid, session)
  }
  assert.notEqual(await store.get(sid), null)
})

describe('the requests of touch', needs('proxy'), () => {
  let proxy
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(() => proxy.reset())

  const newStore = (options) => dynamodb.store({ endpoint: proxy.endpoint, ...options })

  /** Puts a session of this lifetime into the table, as if it was written some seconds ago. */
  async function putSession(secondsAgo, lifetime = 1000) {
    const sid = newSid()
    const expires = { N: String(nowInSeconds() + lifetime - secondsAgo) }
    await dynamodb.putItem(sid, { sess: storedSession({ user: 'Ann' }, lifetime * 1000), expires })
    return sid
  }

  const updates = () => proxy.sent('UpdateItem').length

  const cases = [
    ['by default, no request is sent before 10% of the lifetime has passed', {}, 90, 1000, 0],
    ['by default, a request is sent after 10% of the lifetime', {}, 110, 1000, 1],
    ['by default, no request is sent within an hour if the lifetime is long', {}, 3500, 100_000, 0],
    ['by default, a request is sent after an hour if the lifetime is long', {}, 3700, 100_000, 1],
    ['no request is sent within touchAfter seconds', { touchAfter: 500 }, 490, 1000, 0],
    ['a request is sent after touchAfter seconds', { touchAfter: 500 }, 510, 1000, 1],
    ['a request is sent for every touch with touchAfter 0', { touchAfter: 0 }, 0, 1000, 1],
    ['no request is sent with disableTouch', { disableTouch: true }, 900, 1000, 0],
    ['no request is sent before 10% of ttl has passed if ttl is set', { ttl: 10_000 }, 500, 10_000, 0]
  ]
  for (const [name, options, secondsAgo, lifetime, expected] of cases) {
    test(name, async () => {
      const sid = await putSession(secondsAgo, lifetime)
      const store = newStore(options)
      const session = await visit(store, sid)
      assert.deepEqual(await callBothWays(store, 'touch', sid, session), { value: undefined })
      assert.ok(expected ? updates() >= 1 : updates() === 0, `${updates()} UpdateItem requests`)
    })
  }

  test('no request is sent right after a set of the same session', async () => {
    const sid = await putSession(900)
    const store = newStore()
    const session = await visit(store, sid)
    await store.set(sid, session)
    await store.touch(sid, session)
    assert.equal(updates(), 0)
  })

  test('repeated touches of a session send one request', async () => {
    const sid = await putSession(900)
    const store = newStore()
    const session = await visit(store, sid)
    for (let i = 0; i < 3; i++) await store.touch(sid, session)
    assert.equal(updates(), 1)
  })

  test('a request is sent again after a touch that failed', async () => {
    const sid = await putSession(900)
    const store = newStore({ maxAttempts: 1 })
    const session = await visit(store, sid)
    proxy.on('UpdateItem', ({ response }) => response.writeHead(400).end('{"__type":"AccessDeniedException"}'), 1)
    await assert.rejects(store.touch(sid, session))
    await store.touch(sid, session)
    assert.equal(updates(), 2)
  })

  test('a request is sent for a session that was not read before', async () => {
    const sid = await putSession(0)
    await newStore().touch(sid, newSession({}, 1_000_000))
    assert.equal(updates(), 1)
  })

  for (const [name, maxAge] of [
    ['lengthened', 5_000_000],
    ['shortened', 200_000]
  ]) {
    test(`the session is saved if maxAge was ${name}, even right after a write`, async () => {
      const sid = await putSession(0)
      const store = newStore()
      const session = await visit(store, sid)
      session.cookie.maxAge = maxAge
      await store.touch(sid, session)
      assert.deepEqual([updates(), proxy.sent('PutItem').length], [0, 1])
      assert.ok(Math.abs((await store.get(sid)).cookie.originalMaxAge - maxAge) < 1000)
      assert.ok(Math.abs((await expiresOf(sid)) - nowInSeconds() - maxAge / 1000) <= 12)
    })
  }

  test('the last writes of two sessions are tracked separately', async () => {
    const [fresh, old] = [await putSession(0), await putSession(900)]
    const store = newStore()
    const sessions = [await visit(store, fresh), await visit(store, old)]
    await store.touch(fresh, sessions[0])
    assert.equal(updates(), 0)
    await store.touch(old, sessions[1])
    assert.equal(updates(), 1)
  })

  test('after a set, a request is sent when touchAfter seconds have passed, and not before', async (t) => {
    const store = newStore({ touchAfter: 2 })
    const start = Math.ceil(Date.now() / 1000) * 1000
    t.mock.timers.enable({ apis: ['Date'], now: start })
    for (const offset of [0, 1, 400, 999]) {
      proxy.reset()
      const sid = newSid()
      const session = { cookie: { maxAge: 60_000 } }
      t.mock.timers.setTime(start + offset)
      await store.set(sid, session)
      t.mock.timers.setTime(start + offset + 1990)
      await store.touch(sid, session)
      assert.equal(updates(), 0)
      t.mock.timers.setTime(start + offset + 2010)
      await store.touch(sid, session)
      assert.equal(updates(), 1)
    }
  })

  test('neither get nor touch adds fields to a session', async () => {
    const sid = await putSession(10)
    const store = newStore()
    const read = await store.get(sid)
    const stored = JSON.parse((await dynamodb.item(sid)).sess.S)
    assert.deepEqual(Reflect.ownKeys(read), Reflect.ownKeys(stored))
    assert.deepEqual(read, stored)
    const session = await visit(store, sid)
    await store.touch(sid, session)
    assert.deepEqual(Object.keys(session), ['cookie', 'user'])
    assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(session))), ['cookie', 'user'])
  })
})
