'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const session = require('express-session')
const { collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { native, openStore, original, startApp, stores, useFakeDate } = require('./support/express')

const dynamodb = useDynamoDB()
const clock = useFakeDate()
const second = 1000
const hour = 3600 * second
const day = 24 * hour

describe('a session that read-only requests have kept alive', () => {
  const maxAge = 3 * second
  const cases = [
    ...stores.map((store) => [store.name, store]),
    ['dynamodb-session with maps', native, { format: 'map' }],
    ['dynamodb-session with a ttl that is longer than the cookie', native, { ttl: 20 }],
    ['dynamodb-session with a ttl that is shorter than the cookie', native, { ttl: 2 }],
    ['dynamodb-session with a function as ttl', native, { ttl: ({ cookie }) => cookie.maxAge / 1000 }],
    [original.name, original]
  ]
  for (const [name, entry, options] of cases) {
    for (const rolling of [true, false]) {
      for (const path of ['/save', '/reload-and-save']) {
        test(`survives a request to ${path}, rolling ${rolling}, ${name}`, async (t) => {
          const { store } = await openStore(dynamodb, entry, options)
          const browser = await startApp(t, store, { cookie: { maxAge }, rolling })
          // Each request copies the browser, because without rolling the browser would drop its expired cookie.
          await browser.post('/login')
          const visitor = browser.copy()
          for (let i = 0; i < 8; i++) {
            clock.tick(500)
            const { body } = await visitor.copy().get('/')
            assert.equal(body.user, 'Ann', `request ${i}`)
          }
          const saved = await visitor.copy().post(path)
          assert.equal(saved.body.user, 'Ann')
          clock.tick(500)
          const { body } = await visitor.copy().get('/')
          assert.deepEqual([body.user, body.note], ['Ann', 'saved'])
        })
      }
    }
  }
})

describe('the touch of a concurrent request', () => {
  for (const entry of stores) {
    test(`does not shorten a lifetime that another request lengthened, ${entry.name}`, async (t) => {
      const { store, expiresOf } = await openStore(dynamodb, entry)
      const missing = collectEvents(store, 'missing')
      let release, entered
      const arrived = new Promise((resolve) => (entered = resolve))
      const pause = () => {
        entered()
        return new Promise((resolve) => (release = resolve))
      }
      const browser = await startApp(t, store, { cookie: { maxAge: 3 * second }, pause })
      const sid = (await browser.post('/login')).body.id
      clock.tick(second)
      const slow = browser.copy().get('/slow')
      await arrived
      await browser.post(`/max-age?ms=${30 * day}&note=remembered`)
      const remembered = await expiresOf(sid)
      assert.ok(remembered >= (Date.now() + 30 * day) / 1000 - 1)
      release()
      assert.equal((await slow).status, 200)
      assert.equal(await expiresOf(sid), remembered)
      clock.tick(day)
      const { body } = await browser.get('/')
      assert.deepEqual([body.user, body.note], ['Ann', 'remembered'])
      if (!needs('conditionItem').skip) assert.deepEqual(missing, [])
    })

    test(`shortens the lifetime if the app sets a shorter maxAge, ${entry.name}`, async (t) => {
      const { store, expiresOf } = await openStore(dynamodb, entry)
      const browser = await startApp(t, store, { cookie: { maxAge: 30 * day } })
      const sid = (await browser.post('/login')).body.id
      clock.tick(second)
      await browser.post(`/max-age?ms=${60 * second}`)
      assert.ok(Math.abs((await expiresOf(sid)) - Date.now() / 1000 - 60) <= 1)
    })
  }

  test('emits missing for destroyed and expired sessions only', needs('conditionItem'), async () => {
    const { store } = await openStore(dynamodb, native, { touchAfter: 0 })
    const missing = collectEvents(store, 'missing')
    const visit = async (sid) => {
      const visit = store.createSession({ sessionID: sid, sessionStore: store }, await store.get(sid))
      visit.touch()
      return visit
    }
    const cookie = { originalMaxAge: hour, expires: new Date(Date.now() + hour) }
    for (const sid of ['extended', 'destroyed', 'expired']) await store.set(sid, { cookie })
    const visits = {
      extended: await visit('extended'),
      destroyed: await visit('destroyed'),
      expired: await visit('expired')
    }
    await store.set('extended', { cookie: { maxAge: day } })
    await store.destroy('destroyed')
    await store.set('expired', { cookie: { maxAge: -day } })
    clock.tick(10 * second)
    for (const [sid, session] of Object.entries(visits)) await store.touch(sid, session)
    await new Promise(setImmediate)
    assert.equal(missing.length, 2)
  })

  test('keeps the expiry of an unmodified session, and follows a changed cookie', async () => {
    const { store, expiresOf } = await openStore(dynamodb, native, { touchAfter: 0 })
    await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
    const expires = await expiresOf('a')
    clock.tick(hour / 2)
    await store.touch('a', await store.get('a'))
    assert.equal(await expiresOf('a'), expires)
    const changes = [
      (cookie) => ({ ...cookie, maxAge: 60 * second }),
      () => ({ maxAge: 60 * second }),
      (cookie) => ({ ...cookie, expires: new Date(Date.now() + 60 * second).toISOString() })
    ]
    for (const change of changes) {
      await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
      const read = await store.get('a')
      read.cookie = change(read.cookie)
      await store.touch('a', read)
      assert.equal(await expiresOf('a'), Math.ceil(Date.now() / 1000 + 60))
    }
  })

  test('returns the current expiry in connect-dynamodb', needs('conditionItem'), async () => {
    const { store, expiresOf } = await openStore(
      dynamodb,
      stores.find(({ name }) => name.endsWith('connect-dynamodb'))
    )
    await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
    const read = await store.get('a')
    await store.set('a', { cookie: new session.Cookie({ maxAge: day }) })
    clock.tick(second)
    const { expires } = await store.touch('a', store.createSession({ sessionID: 'a' }, read))
    assert.equal(Number(expires), await expiresOf('a'))
  })
})
