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
   * A request that has read what another process has written after the last save of this process: `a` is 2 instead of 1.
   * `finish` makes its save, which waits for one that only touches the session.
   */
  async function openAfterOutdated(options) {
    const { proxy, store, sid, open: openOne } = await open({ touchAfter: 0, ...options }, { a: 0, b: 0 })
    const [first, unchanged] = [await openOne(), await openOne()]
    first.session.a = 1
    const release = hold(proxy, 'UpdateItem')
    const [saving, touching] = [first.save(), unchanged.save()]
    await saving
    const other = await openRequest(dynamodb.store(), sid)
    other.session.a = 2
    await other.save()
    const { session, save } = await openOne()
    const finish = async () => {
      const saved = save()
      release()
      await Promise.all([touching, saved])
    }
    return { store, sid, session, finish }
  }

  test('writes a value that the other save has written, if it has been changed since', async () => {
    const { store, sid, session, finish } = await openAfterOutdated()
    session.a = 1
    await finish()
    assert.deepEqual(await stored(store, sid), { a: 1, b: 0 })
  })

  test("reports no conflict with onConflict: 'fail' if the request has read the latest session", async () => {
    const { store, sid, session, finish } = await openAfterOutdated({ onConflict: 'fail' })
    session.b = 1
    await finish()
    assert.deepEqual(await stored(store, sid), { a: 2, b: 1 })
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
