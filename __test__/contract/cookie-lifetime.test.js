'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const session = require('express-session')
const { useDynamoDB } = require('../support/dynamodb')
const { assertStoreError, failure } = require('../support/errors')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()
const oneDay = 86_400

/** The seconds that a session lives once it is set. */
async function lifeOf(options, ...sessionAndMore) {
  const sid = newSid()
  await dynamodb.store(options).set(sid, ...sessionAndMore)
  const { N } = (await dynamodb.item(sid)).expires
  assert.match(N, /^-?\d+$/)
  return Number(N) - nowInSeconds()
}

function assertAbout(actual, expected) {
  // The expiry is rounded up, the time down.
  assert.ok(actual > expected - 1 && actual < expected + 2, `${actual} s instead of ${expected} s`)
}

describe('the life of a session', () => {
  const inSeconds = (seconds) => new Date(Date.now() + seconds * 1000)
  const cases = {
    'is maxAge of the cookie of express-session': [() => [{ cookie: new session.Cookie({ maxAge: 90_000 }) }], 90],
    'is the rest of expires of that cookie': [() => [{ cookie: new session.Cookie({ expires: inSeconds(70) }) }], 70],
    'is maxAge of a plain cookie': [() => [{ cookie: { maxAge: 80_000 } }], 80],
    'is the rest of expires, a Date': [() => [{ cookie: { expires: inSeconds(70) } }], 70],
    'is the rest of expires, a text': [() => [{ cookie: { expires: inSeconds(70).toISOString() } }], 70],
    'is maxAge of koa-session': [() => [{ _maxAge: 5000 }, 70_000], 70],
    'is one day without a cookie': [() => [{}], oneDay],
    'is one day with maxAge null': [() => [{ cookie: new session.Cookie({}) }], oneDay],
    'is one day with expires false': [() => [{ cookie: new session.Cookie({ expires: false }) }], oneDay],
    'is one day with maxAge undefined': [() => [{ cookie: { maxAge: undefined } }], oneDay],
    'is one day with maxAge NaN': [() => [{ cookie: { maxAge: NaN } }], oneDay],
    'is one day with an invalid Date': [() => [{ cookie: { expires: new Date(NaN) } }], oneDay],
    "is one day with koa-session's 'session'": [() => [{ _session: true }, 'session'], oneDay],
    'is one day with maxAge undefined of koa-session': [() => [{}, undefined, {}], oneDay],
    'is one day with maxAge NaN of koa-session': [() => [{}, NaN], oneDay]
  }
  for (const [name, [args, expected]] of Object.entries(cases)) {
    test(name, async () => assertAbout(await lifeOf({}, ...args()), expected))
  }

  for (const maxAge of [8.64e15, Number.MAX_SAFE_INTEGER, Infinity]) {
    test(`of maxAge ${maxAge} is a number that DynamoDB holds`, async () => {
      assert.ok((await lifeOf({}, { cookie: { maxAge } })) > 0)
    })
  }

  test('that is over already is stored as expired', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    await store.set(sid, { cookie: { maxAge: -5000 } })
    assert.ok(Number((await dynamodb.item(sid)).expires.N) <= nowInSeconds() - 4)
    assert.equal(await store.get(sid), null)
  })
})

describe('the option ttl', () => {
  test('takes the place of maxAge', async () => {
    assertAbout(await lifeOf({ ttl: 100 }, newSession()), 100)
    assertAbout(await lifeOf({ ttl: 100 }, { _maxAge: 5000 }, 5000), 100)
  })

  test('in fractions ends in whole seconds', async () => {
    assertAbout(await lifeOf({ ttl: 100.5 }, newSession()), 100.5)
  })

  test('is asked with the session, when it is a function', async () => {
    const ttl = ({ remember }) => (remember ? 1000 : 10.5)
    assertAbout(await lifeOf({ ttl }, newSession({ remember: true })), 1000)
    assertAbout(await lifeOf({ ttl }, newSession()), 10.5)
  })

  test('is asked by touch too', async () => {
    const sid = newSid()
    const store = dynamodb.store({ ttl: ({ seconds }) => seconds, touchAfter: 0 })
    await store.set(sid, newSession({ seconds: 100 }))
    await store.touch(sid, newSession({ seconds: 500 }))
    assertAbout(Number((await dynamodb.item(sid)).expires.N) - nowInSeconds(), 500)
  })

  for (const method of ['set', 'touch']) {
    test(`that throws is an error of ${method}`, async () => {
      const ttl = () => {
        throw new Error('thrown by ttl')
      }
      const error = await failure(dynamodb.store({ ttl }), method, newSid(), newSession())
      assertStoreError(error, { code: /./ })
      assert.equal(error.cause.message, 'thrown by ttl')
    })
  }

  for (const given of [undefined, null, NaN, 'soon', {}, Infinity, Promise.resolve(5)]) {
    test(`that gives ${String(given)} never writes what is no number`, async () => {
      const sid = newSid()
      const store = dynamodb.store({ ttl: () => given })
      const error = await store.set(sid, newSession()).then(
        () => undefined,
        (error) => error
      )
      if (error) assertStoreError(error, { code: /Error$/ })
      else assert.match((await dynamodb.item(sid)).expires.N, /^\d+$/)
    })
  }
})
