'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { eventually } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { heldUntil, loseResponse, noResponse, passThrough, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { LIFETIME, openRequest } = require('../support/parallel-app')
const { expressSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** The service carries out the request, and the client gets a 500 error. */
const loseWith500 = loseResponse(textResponse(500, '{}'))

/** Counts each change once, so a save that takes its own write for another request's counts twice. */
const addUp = (field, base, theirs, mine) => theirs + mine - base

/** A store behind a proxy, and a session in it. `open` starts a request; see `openRequest`. */
async function open(options = {}, data = { a: 1 }, framework = 'express') {
  const proxy = await dynamodb.proxy()
  const store = dynamodb.store({ endpoint: proxy.endpoint, ...options })
  const sid = newSid()
  if (framework === 'koa') {
    await store.set(sid, { ...data, _expire: Date.now() + LIFETIME, _maxAge: LIFETIME }, LIFETIME)
  } else {
    await store.set(sid, expressSession(data, { maxAge: LIFETIME }))
  }
  proxy.reset()
  return { proxy, store, sid, open: () => openRequest(store, sid, framework) }
}

/** What the table holds, without the cookie and the times of koa-session. */
async function stored(store, sid) {
  const { cookie: _cookie, _expire, _maxAge, ...data } = await store.get(sid)
  return data
}

/** Holds the response to the next request of an operation. Returns a function that releases it. */
function hold(proxy, operation) {
  let release
  proxy.on(operation, heldUntil(new Promise((resolve) => (release = resolve))), 1)
  return release
}

describe('a save that the app repeats', needs('proxy'), () => {
  for (const [name, onConflict] of [
    ['a function', addUp],
    ["'fail'", 'fail']
  ]) {
    test(`recognizes a write that the deadline cut off, with ${name} in onConflict`, async () => {
      const { proxy, store, sid, open: openOne } = await open({ timeout: 600, onConflict })
      const one = await openOne()
      one.session.a += 1
      proxy.on('PutItem', loseResponse(noResponse), 1)
      await assert.rejects(one.save(), { code: 'TimeoutError', retryable: true })
      await eventually(async () => (await stored(store, sid)).a === 2)
      await one.save()
      assert.deepEqual(await stored(store, sid), { a: 2 })
    })
  }

  test('recognizes its write after another save could not read the session', async () => {
    const { proxy, store, sid, open: openOne } = await open({ maxAttempts: 1, onConflict: addUp })
    const one = await openOne()
    one.session.a += 1
    proxy.on('PutItem', loseWith500, 1).on('GetItem', textResponse(500, '{}'), 1)
    const outcomes = await Promise.allSettled([one.save(), one.save()])
    assert.deepEqual(
      outcomes.map(({ reason }) => reason?.operation),
      ['PutItem', 'GetItem']
    )
    await one.save()
    assert.deepEqual(await stored(store, sid), { a: 2 })
  })

  test('recognizes its write after another save has failed too', async () => {
    const { proxy, store, sid, open: openOne } = await open({ maxAttempts: 1, onConflict: addUp })
    const one = await openOne()
    one.session.a += 1
    proxy.on('PutItem', loseWith500, 1)
    await assert.rejects(one.save(), { code: 'ServiceUnavailable' })
    one.session.a += 1
    // The condition of the first PutItem fails, and the second one does not arrive.
    proxy.on('PutItem', passThrough, 1).on('PutItem', textResponse(500, '{}'), 1)
    await assert.rejects(one.save(), { code: 'ServiceUnavailable' })
    await one.save()
    assert.deepEqual(await stored(store, sid), { a: 3 })
  })

  for (const [name, others] of [
    ['the order of fields', { zz: 1, b: { y: 1, x: 1 } }],
    ['the form of numbers', { big: 1e21, small: 1e-7 }]
  ]) {
    test(`recognizes its write although a map does not keep ${name}`, needs('mapEquality'), async () => {
      const options = { format: 'map', maxAttempts: 1, onConflict: addUp }
      const { proxy, store, sid, open: openOne } = await open(options, { a: 1, ...others })
      const one = await openOne()
      one.session.a += 1
      proxy.on('PutItem', loseWith500, 1)
      await assert.rejects(one.save(), { code: 'ServiceUnavailable' })
      await one.save()
      assert.deepEqual(await stored(store, sid), { a: 2, ...others })
    })
  }

  for (const framework of ['express', 'koa']) {
    test(`writes an old value that the app puts back after a lost response: ${framework}`, async () => {
      const { proxy, store, sid, open: openOne } = await open({ maxAttempts: 1 }, { a: 1 }, framework)
      const one = await openOne()
      one.session.a = 2
      proxy.on('PutItem', loseWith500, 1)
      await assert.rejects(one.save(), { code: 'ServiceUnavailable' })
      one.session.a = 1
      await one.save()
      assert.deepEqual(await stored(store, sid), { a: 1 })
    })
  }
})

describe('a save that starts from what another save has written', needs('proxy'), () => {
  /**
   * Opens two requests: `early` before a save of this process sets `a` from 0 to 1, and `late` after another process has
   * then set it to 2. `finish` makes the save of one of them, which waits for one that only touches the session.
   */
  async function openAround(options) {
    const { proxy, store, sid, open: openOne } = await open({ touchAfter: 0, ...options }, { a: 0, b: 0 })
    const [first, unchanged, early] = [await openOne(), await openOne(), await openOne()]
    first.session.a = 1
    const release = hold(proxy, 'UpdateItem')
    const [saving, touching] = [first.save(), unchanged.save()]
    await saving
    const other = await openRequest(dynamodb.store(), sid)
    other.session.a = 2
    await other.save()
    const late = await openOne()
    const finish = async ({ save }) => {
      const saved = save()
      release()
      await Promise.all([touching, saved])
    }
    return { store, sid, early, late, finish }
  }

  for (const name of ['early', 'late']) {
    test(`writes the value of that save if another process has changed it since, opened ${name}`, async () => {
      const { store, sid, finish, [name]: request } = await openAround()
      request.session.a = 1
      await finish(request)
      assert.deepEqual(await stored(store, sid), { a: 1, b: 0 })
    })
  }

  test("reports no conflict with onConflict: 'fail' if the request has read the latest session", async () => {
    const { store, sid, finish, late } = await openAround({ onConflict: 'fail' })
    late.session.b = 1
    await finish(late)
    assert.deepEqual(await stored(store, sid), { a: 2, b: 1 })
  })

  test('starts from what the session has saved, although a touch ended before that', async () => {
    const { proxy, store, sid, open: openOne } = await open({ touchAfter: 0, onConflict: addUp })
    const one = await openOne()
    one.session.a += 1
    const release = hold(proxy, 'PutItem')
    const saving = one.save()
    await one.touch()
    release()
    await saving
    one.session.a += 1
    await one.save()
    assert.deepEqual(await stored(store, sid), { a: 3 })
  })

  test('keeps what other requests have changed since a touch that ended after a save', async () => {
    const { proxy, store, sid, open: openOne } = await open({ touchAfter: 0 }, { a: 1, b: 1 })
    const one = await openOne()
    one.session.a = 2
    const release = hold(proxy, 'UpdateItem')
    const [saving, touching] = [one.save(), one.touch()]
    await saving
    release()
    await touching
    const two = await openOne()
    two.session.a = 3
    await two.save()
    one.session.b = 2
    await one.save()
    assert.deepEqual(await stored(store, sid), { a: 3, b: 2 })
  })
})
