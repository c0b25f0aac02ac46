'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const session = require('express-session')
const { useDynamoDB } = require('../support/dynamodb')
const { Browser } = require('../support/browser')
const { newSid, nowInSeconds } = require('../support/sessions')
const [{ start: startFastify }] = require('./frameworks/fastify')
const { call, native, openStore, setSessionCookie, sign, startApp, stores, useFakeDate } = require('./support/express')

const dynamodb = useDynamoDB()
const clock = useFakeDate()
const second = 1000
const hour = 3600 * second
const day = 24 * hour

describe('the cookie of a session that get returns', () => {
  for (const entry of stores) {
    test(`has the expiry of the last touch, ${entry.name}`, async () => {
      const { store, expiresOf } = await openStore(dynamodb, entry)
      const sid = newSid()
      await store.set(sid, { cookie: new session.Cookie({ maxAge: hour }), user: 'Ann' })
      const stored = await call(store, 'get', sid)
      assert.equal(stored.cookie.originalMaxAge, hour)
      for (const pause of [hour / 2, hour / 2, hour / 3]) {
        clock.tick(pause)
        const request = { sessionID: sid, sessionStore: store }
        const visit = store.createSession(request, await call(store, 'get', sid))
        visit.touch()
        await store.touch(sid, visit)
        const { cookie } = await call(store, 'get', sid)
        assert.equal(cookie.originalMaxAge, hour)
        assert.equal(cookie.expires, new Date((await expiresOf(sid)) * 1000).toISOString())
        assert.ok(Math.abs(Date.parse(cookie.expires) - Date.now() - hour) <= second)
        const loaded = await call(store, 'load', sid)
        assert.equal(loaded.cookie.expires.toISOString(), cookie.expires)
      }
    })
  }

  for (const [name, entry, options] of [
    ...stores.map((store) => [store.name, store]),
    ['dynamodb-session with a function as ttl', native, { ttl: ({ cookie }) => cookie.maxAge / 1000 }]
  ]) {
    test(`has the expiry of a touch that shortened the lifetime, ${name}`, async () => {
      const { store, expiresOf } = await openStore(dynamodb, entry, options)
      const load = async () =>
        store.createSession({ sessionID: 'a', sessionStore: store }, await call(store, 'get', 'a'))
      await call(store, 'set', 'a', { cookie: new session.Cookie({ maxAge: hour }) })
      clock.tick(10 * second)
      const visit = await load()
      visit.cookie.maxAge = 60 * second
      await call(store, 'touch', 'a', visit)
      const shortened = await expiresOf('a')
      const { cookie } = await call(store, 'get', 'a')
      // The stored expiry is rounded up.
      assert.ok(Math.abs(Date.parse(cookie.expires) - shortened * 1000) < second)
      await call(store, 'set', 'a', await load())
      assert.ok(Math.abs((await expiresOf('a')) - shortened) <= 1)
    })
  }

  test('has the expiry of the last touch in all() too', async () => {
    const { store, expiresOf } = await openStore(dynamodb, native, { touchAfter: 0 })
    await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
    clock.tick(hour / 2)
    await store.touch('a', { cookie: new session.Cookie({ maxAge: hour }) })
    const [{ cookie }] = await store.all()
    assert.equal(Date.parse(cookie.expires), (await expiresOf('a')) * 1000)
  })

  const cookies = {
    'has no expiry': { originalMaxAge: null, expires: null },
    'has expiry false': { originalMaxAge: false, expires: false },
    'has an expiry that is not a date': { originalMaxAge: hour, expires: 'soon' },
    'is empty': {}
  }
  for (const [name, cookie] of Object.entries(cookies)) {
    test(`is unchanged if it ${name}`, async () => {
      const { store } = await openStore(dynamodb, native, { touchAfter: 0 })
      await store.set('a', { cookie })
      clock.tick(hour)
      await store.touch('a', { cookie })
      assert.deepEqual(await store.get('a'), { cookie })
    })
  }

  for (const [name, ttl] of [
    ['longer', (7 * day) / second],
    ['shorter', 600],
    ['longer (function)', () => (7 * day) / second],
    ['shorter (function)', () => 600]
  ]) {
    test(`keeps its own lifetime with a ttl that is ${name}`, async () => {
      const { store } = await openStore(dynamodb, native, { ttl, touchAfter: 0 })
      await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
      const written = Date.now()
      assert.equal((await store.get('a')).cookie.expires, new Date(written + hour).toISOString())
      clock.tick(500 * second)
      const visit = store.createSession({ sessionID: 'a', sessionStore: store }, await store.get('a'))
      visit.touch()
      await store.touch('a', visit)
      clock.tick(100 * second)
      const { expires } = (await store.get('a')).cookie
      assert.ok(Math.abs(Date.parse(expires) - written - 500 * second - hour) <= second, expires)
    })
  }

  for (const ttl of [
    () => {
      throw new Error('thrown by ttl')
    },
    () => NaN,
    async () => 60
  ]) {
    test(`is unchanged if the ttl function fails: ${ttl}`, async () => {
      const { store, putItem } = await openStore(dynamodb, native, { ttl })
      const cookie = { originalMaxAge: hour, expires: new Date().toISOString() }
      await putItem('a', { sess: { S: JSON.stringify({ cookie }) }, expires: { N: `${nowInSeconds() + 3600}` } })
      assert.deepEqual(await store.get('a'), { cookie })
    })
  }

  test('has the last valid Date if the expiry of the item is out of range', async () => {
    const { store, putItem } = await openStore(dynamodb, native)
    const cookie = { originalMaxAge: hour, expires: new Date().toISOString() }
    await putItem('a', { sess: { S: JSON.stringify({ cookie }) }, expires: { N: '1e40' } })
    assert.equal((await store.get('a')).cookie.expires, new Date(8.64e15).toISOString())
  })

  test('allows Fastify to continue a session that Express has kept alive', async (t) => {
    const { store } = await openStore(dynamodb, native, { touchAfter: 0 })
    const sid = newSid()
    await store.set(sid, { cookie: new session.Cookie({ maxAge: hour }), user: 'Ann' })
    clock.tick(hour - second)
    await store.touch(sid, { cookie: new session.Cookie({ maxAge: hour }) })
    clock.tick(hour / 2)
    const app = await startFastify({ store, maxAge: hour })
    t.after(() => app.close())
    const browser = new Browser(app.url)
    browser.cookies.set('sessionId', encodeURIComponent(sign(sid)))
    assert.equal((await browser.get('/')).body.session.user, 'Ann')
  })
})

/** A value as a DynamoDB attribute. */
function attributeOf(value) {
  if (value === null) return { NULL: true }
  if (Array.isArray(value)) return { L: value.map(attributeOf) }
  if (typeof value === 'object') {
    return { M: Object.fromEntries(Object.entries(value).map(([name, member]) => [name, attributeOf(member)])) }
  }
  return typeof value === 'number' ? { N: `${value}` } : { S: value }
}

describe('a session stored without a valid cookie', () => {
  const bodies = {
    'no cookie': { user: 'Ann' },
    'a cookie that is null': { user: 'Ann', cookie: null },
    'a cookie that is a string': { user: 'Ann', cookie: 'x' },
    'a cookie that is an array': { user: 'Ann', cookie: [1] },
    'an empty cookie': { user: 'Ann', cookie: {} },
    'a maxAge that is a string': { user: 'Ann', cookie: { maxAge: '60000' } },
    'an originalMaxAge that is a string': { user: 'Ann', cookie: { originalMaxAge: '60000', path: '/' } }
  }
  for (const entry of stores) {
    for (const [name, body] of Object.entries(bodies)) {
      for (const form of ['S', 'M']) {
        test(`can be loaded, reloaded, and saved with ${name}, as ${form === 'S' ? 'JSON' : 'a map'}, ${entry.name}`, async (t) => {
          const { store, putItem } = await openStore(dynamodb, entry)
          const sid = newSid()
          const sess = form === 'S' ? { S: JSON.stringify(body) } : attributeOf(body)
          await putItem(sid, { sess, expires: { N: `${nowInSeconds() + 3600}` } })
          for (const cookie of [{}, { maxAge: hour }]) {
            const browser = setSessionCookie(await startApp(t, store, { cookie }), sid)
            for (const path of ['/', '/load']) {
              const { status, body } = await browser.get(path)
              assert.deepEqual([status, body.user], [200, 'Ann'], path)
            }
            for (const path of ['/reload-and-save', '/max-age?ms=60000']) {
              const { status, body } = await browser.post(path)
              assert.deepEqual([status, body.user], [200, 'Ann'], path)
            }
            await putItem(sid, { sess, expires: { N: `${nowInSeconds() + 3600}` } })
          }
        })
      }
    }

    test(`gets the cookie options of the app after the app has created a session, ${entry.name}`, async (t) => {
      const { store } = await openStore(dynamodb, entry)
      const sid = newSid()
      await call(store, 'set', sid, { user: 'Ann' })
      const cookie = { maxAge: hour, sameSite: 'strict', path: '/', httpOnly: false }
      const browser = setSessionCookie(await startApp(t, store, { cookie, rolling: true }), sid)
      const before = await browser.get('/')
      assert.deepEqual([before.status, before.body.user], [200, 'Ann'])
      await new Browser(browser.url).post('/login')
      const after = await browser.get('/')
      assert.deepEqual([after.body.user, after.body.maxAge, after.body.originalMaxAge], ['Ann', hour, hour])
      assert.match(after.setCookies[0], /SameSite=Strict/)
      assert.doesNotMatch(after.setCookies[0], /HttpOnly/)
    })
  }

  test('is returned by get without a cookie', async () => {
    const { store } = await openStore(dynamodb, native)
    await store.set('a', { user: 'ann' })
    assert.deepEqual(await store.get('a'), { user: 'ann' })
  })

  test('keeps the cookie of the request on reload', async () => {
    const { store } = await openStore(dynamodb, native)
    const sid = newSid()
    await store.set(sid, { user: 'Ann' })
    const request = { sessionID: sid, sessionStore: store }
    store.createSession(request, await store.get(sid))
    request.session.cookie.maxAge = hour
    request.session.cookie.domain = 'example.com'
    await call(request.session, 'reload')
    assert.equal(request.session.user, 'Ann')
    assert.deepEqual([request.session.cookie.maxAge, request.session.cookie.domain], [hour, 'example.com'])
  })
})
