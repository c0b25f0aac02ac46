'use strict'

const assert = require('node:assert/strict')
const { before, beforeEach, describe, test } = require('node:test')
const { callBothWays, collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** Loads a session as express-session does: through get, createSession and its own touch. */
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

describe('what touch does to the item', () => {
  test('it moves the expiry, in whole seconds, and nothing else', async () => {
    const sid = newSid()
    const store = dynamodb.store({ touchAfter: 0 })
    await dynamodb.putItem(sid, { sess: storedSession({ a: 1 }), expires: { N: '4000000000.5' }, other: { S: 'kept' } })
    const before = await dynamodb.item(sid)
    await store.touch(sid, newSession({ a: 2 }, 120_000))
    const after = await dynamodb.item(sid)
    assert.match(after.expires.N, /^\d+$/)
    assert.ok(Math.abs(Number(after.expires.N) - nowInSeconds() - 120) <= 1)
    assert.deepEqual({ ...after, expires: before.expires }, before)
  })

  test('a missing item stays missing, without an error, and is reported', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    const reported = collectEvents(store, 'missing')
    assert.deepEqual(await callBothWays(store, 'touch', sid, newSession()), { value: undefined })
    const [{ operation, tableName, sidHash }, ...others] = reported
    assert.equal(others.length, 1, 'one report of each call')
    assert.deepEqual([operation, tableName], ['touch', dynamodb.table])
    assert.match(sidHash, /^\w+$/)
    assert.equal(sidHash.includes(sid), false)
    assert.equal(await dynamodb.item(sid), undefined)
  })

  test('the report names one id alike and two ids apart', async () => {
    const store = dynamodb.store()
    const reported = collectEvents(store, 'missing')
    const [one, two] = [newSid(), newSid()]
    for (const sid of [one, one, two]) await store.touch(sid, newSession())
    const hashes = reported.map(({ sidHash }) => sidHash)
    assert.equal(hashes[0], hashes[1])
    assert.notEqual(hashes[0], hashes[2])
  })

  const past = nowInSeconds() - 100
  for (const expires of [{ N: `${past}` }, { N: `${past}.5` }, { S: `${past}` }, { S: `${past}.5` }, { N: '0' }]) {
    test(`an item expired at ${JSON.stringify(expires)} is not revived`, async () => {
      const sid = newSid()
      const store = dynamodb.store()
      await dynamodb.putItem(sid, { sess: storedSession(), expires })
      const reported = collectEvents(store, 'missing')
      assert.deepEqual(await callBothWays(store, 'touch', sid, newSession()), { value: undefined })
      assert.equal(reported.length, 2)
      assert.deepEqual((await dynamodb.item(sid)).expires, expires)
    })
  }

  const future = nowInSeconds() + 100
  for (const expires of [{ N: `${future}.5` }, { S: `${future}` }, { S: `${future}.5` }, { S: 'never' }, undefined]) {
    test(`an item that lives until ${JSON.stringify(expires)} is extended`, async () => {
      const sid = newSid()
      const store = dynamodb.store()
      const missing = collectEvents(store, 'missing')
      await dynamodb.putItem(sid, { sess: storedSession(), ...(expires && { expires }) })
      await store.touch(sid, newSession({}, 900_000))
      assert.ok(Math.abs((await expiresOf(sid)) - nowInSeconds() - 900) <= 1)
      assert.deepEqual(missing, [])
    })
  }

  test('a destroyed session is not brought back', async () => {
    const sid = newSid()
    const store = dynamodb.store({ touchAfter: 0 })
    await store.set(sid, newSession())
    const session = await visit(store, sid)
    await store.destroy(sid)
    await store.touch(sid, session)
    assert.equal(await dynamodb.item(sid), undefined)
  })

  test('a cookie without maxAge lives one more day', async () => {
    const sid = newSid()
    const store = dynamodb.store({ touchAfter: 0 })
    await store.set(sid, newSession({}, null))
    await dynamodb.setExpires(sid, nowInSeconds() + 5)
    await store.touch(sid, await visit(store, sid))
    assert.ok(Math.abs((await expiresOf(sid)) - nowInSeconds() - 86_400) <= 1)
  })
})

describe('when touch costs a request', needs('proxy'), () => {
  let proxy
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(() => proxy.reset())

  const newStore = (options) => dynamodb.store({ endpoint: proxy.endpoint, ...options })

  /** Plants a session of this lifetime that was written so many seconds ago. */
  async function written(secondsAgo, lifetime = 1000) {
    const sid = newSid()
    const expires = { N: String(nowInSeconds() + lifetime - secondsAgo) }
    await dynamodb.putItem(sid, { sess: storedSession({ user: 'Ann' }, lifetime * 1000), expires })
    return sid
  }

  const updates = () => proxy.sent('UpdateItem').length

  const cases = [
    ['the default is 10 % of the lifetime: not yet', {}, 90, 1000, 0],
    ['the default is 10 % of the lifetime: now', {}, 110, 1000, 1],
    ['the default is an hour at most: not yet', {}, 3500, 100_000, 0],
    ['the default is an hour at most: now', {}, 3700, 100_000, 1],
    ['touchAfter 500: not yet', { touchAfter: 500 }, 490, 1000, 0],
    ['touchAfter 500: now', { touchAfter: 500 }, 510, 1000, 1],
    ['touchAfter 0: always', { touchAfter: 0 }, 0, 1000, 1],
    ['disableTouch: never', { disableTouch: true }, 900, 1000, 0],
    ['ttl takes the place of the lifetime', { ttl: 10_000 }, 500, 10_000, 0]
  ]
  for (const [name, options, secondsAgo, lifetime, expected] of cases) {
    test(name, async () => {
      const sid = await written(secondsAgo, lifetime)
      const store = newStore(options)
      const session = await visit(store, sid)
      assert.deepEqual(await callBothWays(store, 'touch', sid, session), { value: undefined })
      assert.ok(expected ? updates() >= 1 : updates() === 0, `${updates()} UpdateItem requests`)
    })
  }

  test('after set', async () => {
    const sid = await written(900)
    const store = newStore()
    const session = await visit(store, sid)
    await store.set(sid, session)
    await store.touch(sid, session)
    assert.equal(updates(), 0)
  })

  test('after touch', async () => {
    const sid = await written(900)
    const store = newStore()
    const session = await visit(store, sid)
    for (let i = 0; i < 3; i++) await store.touch(sid, session)
    assert.equal(updates(), 1)
  })

  test('again after a touch that failed', async () => {
    const sid = await written(900)
    const store = newStore({ maxAttempts: 1 })
    const session = await visit(store, sid)
    proxy.on('UpdateItem', ({ response }) => response.writeHead(400).end('{"__type":"AccessDeniedException"}'), 1)
    await assert.rejects(store.touch(sid, session))
    await store.touch(sid, session)
    assert.equal(updates(), 2)
  })

  test('at once for a session of which nothing was read', async () => {
    const sid = await written(0)
    await newStore().touch(sid, newSession({}, 1_000_000))
    assert.equal(updates(), 1)
  })

  for (const [name, maxAge] of [
    ['lengthened', 5_000_000],
    ['shortened', 200_000]
  ]) {
    test(`at once when maxAge was ${name}`, async () => {
      const sid = await written(0)
      const store = newStore()
      const session = await visit(store, sid)
      session.cookie.maxAge = maxAge
      await store.touch(sid, session)
      assert.equal(updates(), 1)
      assert.ok(Math.abs((await expiresOf(sid)) - nowInSeconds() - maxAge / 1000) <= 1)
    })
  }

  test('two visits at a time keep what each has read', async () => {
    const [fresh, old] = [await written(0), await written(900)]
    const store = newStore()
    const sessions = [await visit(store, fresh), await visit(store, old)]
    await store.touch(fresh, sessions[0])
    assert.equal(updates(), 0)
    await store.touch(old, sessions[1])
    assert.equal(updates(), 1)
  })

  test('the session of the app has nothing added', async () => {
    const sid = await written(10)
    const store = newStore()
    const read = await store.get(sid)
    const planted = JSON.parse((await dynamodb.item(sid)).sess.S)
    assert.deepEqual(Reflect.ownKeys(read), Reflect.ownKeys(planted))
    assert.deepEqual(read, planted)
    const session = await visit(store, sid)
    await store.touch(sid, session)
    assert.deepEqual(Object.keys(session), ['cookie', 'user'])
    assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(session))), ['cookie', 'user'])
  })
})
