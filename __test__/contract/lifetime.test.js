'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const session = require('express-session')
const { useDynamoDB } = require('../support/dynamodb')
const { assertStoreError, failure } = require('../support/errors')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')
const { call, native, openStore, stores, useFakeDate } = require('./support/express')

const dynamodb = useDynamoDB()
const clock = useFakeDate()
const hour = 3_600_000
const oneDay = 86_400

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
    'is one day without a cookie': [() => [{}], oneDay],
    'is one day with maxAge null': [() => [{ cookie: new session.Cookie({}) }], oneDay],
    'is one day with expires false': [() => [{ cookie: new session.Cookie({ expires: false }) }], oneDay],
    'is one day with maxAge undefined': [() => [{ cookie: { maxAge: undefined } }], oneDay],
    'is one day with maxAge NaN': [() => [{ cookie: { maxAge: NaN } }], oneDay],
    'is one day with an invalid Date as expires': [() => [{ cookie: { expires: new Date(NaN) } }], oneDay],
    "is one day with the maxAge argument 'session' of koa-session": [() => [{ _session: true }, 'session'], oneDay],
    'is one day with the maxAge argument undefined of koa-session': [() => [{}, undefined, {}], oneDay],
    'is one day with the maxAge argument NaN of koa-session': [() => [{}, NaN], oneDay]
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
