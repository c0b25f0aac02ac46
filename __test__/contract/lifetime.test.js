'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const session = require('express-session')
const { collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertStoreError, failure } = require('../support/errors')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')
const { call, native, openStore, original, startApp, stores, useFakeDate } = require('./support/express')

const dynamodb = useDynamoDB()
const clock = useFakeDate()
const second = 1000
const hour = 3600 * second
const day = 24 * hour

/** The lifetime in seconds that `set` gives a session. */
async function lifetimeOf(options, ...sessionAndMore) {
  const sid = newSid()
  await dynamodb.store(options).set(sid, ...sessionAndMore)
  const { N } = (await dynamodb.item(sid)).expires
  assert.match(N, /^-?\d+$/)
  return Number(N) - nowInSeconds()
}

function assertAbout(actual, expected) {
  // The expiry is rounded up, and the current time is rounded down.
  assert.ok(actual > expected - 1 && actual < expected + 2, `the lifetime is ${actual} s instead of ${expected} s`)
}

describe('the lifetime of a session', () => {
  const inSeconds = (seconds) => new Date(Date.now() + seconds * 1000)
  const cases = {
    'is maxAge of an express-session cookie': [() => [{ cookie: new session.Cookie({ maxAge: 90_000 }) }], 90],
    'is the time left until expires of an express-session cookie': [
      () => [{ cookie: new session.Cookie({ expires: inSeconds(70) }) }],
      70
    ],
    'is maxAge of a plain cookie object': [() => [{ cookie: { maxAge: 80_000 } }], 80],
    'is the time left until expires if it is a Date': [() => [{ cookie: { expires: inSeconds(70) } }], 70],
    'is the time left until expires if it is a string': [
      () => [{ cookie: { expires: inSeconds(70).toISOString() } }],
      70
    ],
    'is the maxAge argument of koa-session': [() => [{ _maxAge: 5000 }, 70_000], 70],
    'is one day without a cookie': [() => [{}], day / second],
    'is one day with maxAge null': [() => [{ cookie: new session.Cookie({}) }], day / second],
    'is one day with expires false': [() => [{ cookie: new session.Cookie({ expires: false }) }], day / second],
    'is one day with maxAge undefined': [() => [{ cookie: { maxAge: undefined } }], day / second],
    'is one day with maxAge NaN': [() => [{ cookie: { maxAge: NaN } }], day / second],
    'is one day with an invalid Date as expires': [() => [{ cookie: { expires: new Date(NaN) } }], day / second],
    "is one day with the maxAge argument 'session' of koa-session": [
      () => [{ _session: true }, 'session'],
      day / second
    ],
    'is one day with the maxAge argument undefined of koa-session': [() => [{}, undefined, {}], day / second],
    'is one day with the maxAge argument NaN of koa-session': [() => [{}, NaN], day / second]
  }
  for (const [name, [args, expected]] of Object.entries(cases)) {
    test(name, async () => assertAbout(await lifetimeOf({}, ...args()), expected))
  }

  for (const maxAge of [8.64e15, Number.MAX_SAFE_INTEGER, Infinity]) {
    test(`a session with maxAge ${maxAge} is stored with a valid expiry in the future`, async () => {
      assert.ok((await lifetimeOf({}, { cookie: { maxAge } })) > 0)
    })
  }

  test('a session with a negative maxAge is stored as expired', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    await store.set(sid, { cookie: { maxAge: -5000 } })
    assert.ok(Number((await dynamodb.item(sid)).expires.N) <= nowInSeconds() - 4)
    assert.equal(await store.get(sid), null)
  })
})

describe('the option ttl', () => {
  test('takes precedence over maxAge', async () => {
    assertAbout(await lifetimeOf({ ttl: 100 }, newSession()), 100)
    assertAbout(await lifetimeOf({ ttl: 100 }, { _maxAge: 5000 }, 5000), 100)
  })

  test('accepts fractions of a second, and the expiry is stored in whole seconds', async () => {
    assertAbout(await lifetimeOf({ ttl: 100.5 }, newSession()), 100.5)
  })

  test('can be a function, which receives the session', async () => {
    const ttl = ({ remember }) => (remember ? 1000 : 10.5)
    assertAbout(await lifetimeOf({ ttl }, newSession({ remember: true })), 1000)
    assertAbout(await lifetimeOf({ ttl }, newSession()), 10.5)
  })

  test('can be a function, which touch calls too', async () => {
    const sid = newSid()
    const store = dynamodb.store({ ttl: ({ seconds }) => seconds, touchAfter: 0 })
    await store.set(sid, newSession({ seconds: 100 }))
    await store.touch(sid, newSession({ seconds: 500 }))
    assertAbout(Number((await dynamodb.item(sid)).expires.N) - nowInSeconds(), 500)
  })

  for (const method of ['set', 'touch']) {
    test(`as a function that throws makes ${method} fail, with the thrown error as the cause`, async () => {
      const ttl = () => {
        throw new Error('thrown by ttl')
      }
      const error = await failure(dynamodb.store({ ttl }), method, newSid(), newSession())
      assertStoreError(error, { code: /./ })
      assert.equal(error.cause.message, 'thrown by ttl')
    })
  }

  for (const returned of [undefined, null, NaN, 'soon', {}, Infinity, Promise.resolve(5)]) {
    test(`as a function that returns ${String(returned)} never stores an invalid expiry`, async () => {
      const sid = newSid()
      const store = dynamodb.store({ ttl: () => returned })
      const error = await store.set(sid, newSession()).then(
        () => undefined,
        (error) => error
      )
      if (error) assertStoreError(error, { code: /Error$/ })
      else assert.match((await dynamodb.item(sid)).expires.N, /^\d+$/)
    })
  }
})

describe('a lifetime with a fraction of a second', () => {
  const roundingUp = stores.filter(({ name }) => !/dynamodb-store|pwrdrvr/.test(name))
  for (const entry of roundingUp) {
    for (const milliseconds of [0, 1, 499, 500, 501, 999]) {
      test(`that starts ${milliseconds} ms after a full second does not end early, ${entry.name}`, async () => {
        clock.setSystemTime(Math.floor(Date.now() / 1000) * 1000 + milliseconds)
        const { store } = await openStore(dynamodb, entry)
        await store.set('a', { cookie: { maxAge: 500 } })
        clock.tick(499)
        assert.ok(await store.get('a'))
        await store.touch('a', { cookie: { maxAge: 1500 } })
        clock.tick(1499)
        assert.ok(await store.get('a'))
        clock.tick(1001)
        assert.equal(await store.get('a'), null)
      })
    }
  }

  for (const entry of stores.filter((store) => !roundingUp.includes(store))) {
    test(`is rounded down as in the original package, ${entry.name}`, async () => {
      clock.setSystemTime(Math.floor(Date.now() / 1000) * 1000 + 700)
      const { store, expiresOf } = await openStore(dynamodb, entry)
      await call(store, 'set', 'a', { cookie: new session.Cookie({ maxAge: 1200 }) })
      assert.equal(await expiresOf('a'), nowInSeconds() + 1)
    })
  }
})

describe('a lifetime beyond the range of Date', () => {
  for (const entry of stores) {
    for (const maxAge of [8.64e15, 9e15, Number.MAX_SAFE_INTEGER, 1e100]) {
      test(`of ${maxAge} ms sets the expiry to the last valid Date, ${entry.name}`, async () => {
        const { store, expiresOf } = await openStore(dynamodb, entry)
        for (const method of ['set', 'touch']) {
          await call(store, method, 'a', { user: 'Ann', cookie: { maxAge, originalMaxAge: null } })
          assert.equal(await expiresOf('a'), 8.64e12)
          assert.equal((await call(store, 'get', 'a')).user, 'Ann')
        }
      })
    }
  }

  for (const ttl of [9e15, 1e300]) {
    test(`from ttl ${ttl} sets the expiry to the last valid Date`, async () => {
      const { store, expiresOf } = await openStore(dynamodb, native, { ttl })
      await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
      assert.equal(await expiresOf('a'), 8.64e12)
      assert.equal((await store.get('a')).cookie.originalMaxAge, hour)
      const other = await openStore(
        dynamodb,
        stores.find(({ name }) => name.endsWith('/dynamodb-store')),
        { ttl }
      )
      await call(other.store, 'set', 'a', { cookie: new session.Cookie({ maxAge: hour }) })
      assert.equal(await other.expiresOf('a'), 8.64e12)
      assert.ok(await call(other.store, 'get', 'a'))
    })
  }

  test('in the past sets the expiry to the first valid Date', async () => {
    const { store, expiresOf } = await openStore(dynamodb, native)
    await store.set('a', { cookie: { maxAge: -1e300 } })
    assert.equal(await expiresOf('a'), -8.64e12)
    assert.equal(await store.get('a'), null)
  })
})

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
