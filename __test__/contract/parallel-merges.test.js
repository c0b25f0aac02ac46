'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { collectEvents, eventually } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { passThrough } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { Client, LIFETIME, openRequest, startApp } = require('../support/parallel-app')
const { expressSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** Two requests that have read the same session, each with a store of its own unless `shared` is set. */
async function openTwo(options = {}, data = { a: 1, b: 1 }, { maxAge = LIFETIME, shared = false } = {}) {
  const store = dynamodb.store(options)
  const other = shared ? store : dynamodb.store(options)
  const sid = newSid()
  await store.set(sid, expressSession(data, { maxAge }))
  const [one, two] = [await openRequest(store, sid), await openRequest(other, sid)]
  return { store, sid, one, two }
}

/** The session in the table, without the cookie. */
async function stored(store, sid) {
  const { cookie: _cookie, ...data } = await store.get(sid)
  return data
}

/** How many seconds from now the item expires. */
async function secondsLeft(sid) {
  return Number((await dynamodb.item(sid)).expires.N) - Date.now() / 1000
}

function assertNear(actual, expected) {
  assert.ok(Math.abs(actual - expected) < 10, `${actual} is not about ${expected}`)
}

describe('parallel changes', () => {
  test('of different fields are all kept, and deletions too', async () => {
    const { store, sid, one, two } = await openTwo()
    one.session.c = 3
    delete one.session.a
    two.session.b = 2
    await one.save()
    await two.save()
    assert.deepEqual(await stored(store, sid), { b: 2, c: 3 })
    const { merges, conflicts } = two.session.req.sessionStore.stats()
    assert.deepEqual({ merges, conflicts }, { merges: 1, conflicts: 0 })
  })

  test('are kept by the second save of a request too', async () => {
    const { store, sid, one, two } = await openTwo()
    one.session.c = 3
    await one.save()
    two.session.b = 2
    await two.save()
    two.session.d = 4
    await two.save()
    delete two.session.d
    await two.save()
    assert.deepEqual(await stored(store, sid), { a: 1, b: 2, c: 3 })
  })

  test('are kept by two saves of a request that run at once', async () => {
    const { store, sid, one, two } = await openTwo()
    two.session.b = 2
    await two.save()
    one.session.c = 3
    const first = one.save()
    delete one.session.c
    one.session.d = 4
    await Promise.all([first, one.save()])
    assert.deepEqual(await stored(store, sid), { a: 1, b: 2, d: 4 })
  })

  test('are kept after the first save of a new session', async () => {
    const store = dynamodb.store()
    const sid = newSid()
    const session = expressSession({ a: 1 }, { maxAge: LIFETIME })
    await store.set(sid, session)
    const other = await openRequest(dynamodb.store(), sid)
    other.session.b = 2
    await other.save()
    session.c = 3
    await store.set(sid, session)
    assert.deepEqual(await stored(store, sid), { a: 1, b: 2, c: 3 })
  })

  test('inside of nested values are noticed', async () => {
    const { store, sid, one, two } = await openTwo({}, { cart: { items: [{ id: 1 }] }, list: [1] })
    one.session.cart.items[0].id = 2
    two.session.list.push(2)
    await one.save()
    await two.save()
    assert.deepEqual(await stored(store, sid), { cart: { items: [{ id: 2 }] }, list: [1, 2] })
  })

  test('of the order of nested fields are saved in the format json', async () => {
    const { store, sid, one, two } = await openTwo({}, { menu: { a: 1, b: 2 } })
    one.session.menu = { b: 2, a: 1 }
    two.session.c = 3
    await one.save()
    await two.save()
    const { menu, c } = await store.get(sid)
    assert.deepEqual([Object.keys(menu), c], [['b', 'a'], 3])
  })

  test('of the same field: the later save wins, and the event conflict names the field', async () => {
    const { store, sid, one, two } = await openTwo({}, { a: 1, b: 1 }, { shared: true })
    const events = collectEvents(store, 'conflict')
    Object.assign(one.session, { a: 2, b: 2 })
    Object.assign(two.session, { a: 3, b: 2 })
    await one.save()
    await two.save()
    assert.deepEqual(await stored(store, sid), { a: 3, b: 2 })
    await nextTurn()
    assert.deepEqual(
      events.map(({ sidHash, ...event }) => [typeof sidHash, event]),
      [['string', { operation: 'set', tableName: dynamodb.table, fields: ['a'] }]]
    )
    const { merges, conflicts } = store.stats()
    assert.deepEqual({ merges, conflicts }, { merges: 1, conflicts: 1 })
  })

  test('that are the same need no second write', async () => {
    const { sid, store, one, two } = await openTwo()
    one.session.a = 2
    two.session.a = 2
    await one.save()
    await dynamodb.raw.sdk.updateItem({
      TableName: dynamodb.table,
      Key: { id: { S: `sess:${sid}` } },
      UpdateExpression: 'SET mark = :mark',
      ExpressionAttributeValues: { ':mark': { S: 'kept' } }
    })
    await two.save()
    assert.equal((await dynamodb.item(sid)).mark?.S, 'kept')
    assert.deepEqual(await stored(store, sid), { a: 2, b: 1 })
  })

  test('of the cookie are merged by its fields', async () => {
    const { store, sid, one, two } = await openTwo()
    one.session.cookie.path = '/one'
    one.session.a = 2
    two.session.cookie.sameSite = 'lax'
    two.session.b = 2
    await one.save()
    await two.save()
    const { cookie } = await store.get(sid)
    assert.deepEqual([cookie.path, cookie.sameSite], ['/one', 'lax'])
  })

  test('of fields with names of Object.prototype are merged', async () => {
    const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'toJSON']
    const store = dynamodb.store()
    const sid = newSid()
    const koa = (data) => ({ ...data, _expire: Date.now() + LIFETIME, _maxAge: LIFETIME })
    await store.set(sid, koa(Object.fromEntries(names.map((name) => [name, 'base']))), LIFETIME)
    const requests = await Promise.all(names.map(() => openRequest(store, sid, 'koa')))
    requests.forEach(({ session }, index) => (session[names[index]] = `new ${index}`))
    await Promise.all(requests.map(({ save }) => save()))
    const session = await store.get(sid)
    for (const [index, name] of names.entries()) assert.equal(session[name], `new ${index}`)
  })

  test('next to a field named __proto__ leave it as it is', needs('protoName'), async () => {
    for (const format of ['json', 'map']) {
      const store = dynamodb.store({ format })
      const sid = newSid()
      const text = `{"__proto__":{"x":1},"a":1,"_expire":${Date.now() + LIFETIME},"_maxAge":${LIFETIME}}`
      await store.set(sid, JSON.parse(text), LIFETIME)
      const open = async () => {
        const context = { ctx: {} }
        const session = await store.get(sid, LIFETIME, context)
        return { session, save: () => store.set(sid, session, LIFETIME, context) }
      }
      const [one, two] = [await open(), await open()]
      one.session.b = 2
      two.session.c = 3
      await Promise.all([one.save(), two.save()])
      const session = await store.get(sid)
      assert.deepEqual(Object.keys(session).sort(), ['__proto__', '_expire', '_maxAge', 'a', 'b', 'c'])
      assert.deepEqual(Object.getOwnPropertyDescriptor(session, '__proto__').value, { x: 1 })
      assert.equal(session.x, undefined)
    }
  })
})

describe('the key and the special keys of a merged session', () => {
  test('a sort key and a prefix are kept', async () => {
    const table = await dynamodb.newTable({ hashKey: 'pk', sortKey: 'sk' })
    const { store, sid, one, two } = await openTwo({ table, hashKey: 'pk', sortKey: 'sk', prefix: 'p#' })
    one.session.c = 3
    two.session.d = 4
    await Promise.all([one.save(), two.save()])
    assert.deepEqual(await stored(store, sid), { a: 1, b: 1, c: 3, d: 4 })
    const [item, ...others] = await dynamodb.raw.items(table)
    assert.deepEqual([item.pk.S, item.sk.S, others.length], [`p#${sid}`, `p#${sid}`, 0])
  })

  test('special keys follow the merged session', async () => {
    const specialKeys = ['theirs', 'mine', 'both', 'gone', 'dropped'].map((name) => ({ name, type: 'S' }))
    specialKeys.push({ name: 'count', type: 'N' })
    const data = { theirs: 't1', mine: 'm1', both: 'b1', gone: 'g1', dropped: 'd1', count: 1 }
    const { sid, one, two } = await openTwo({ specialKeys }, data)
    Object.assign(one.session, { theirs: 't2', both: 'b2', count: 2 })
    delete one.session.dropped
    Object.assign(two.session, { mine: 'm2', both: 'b3' })
    delete two.session.gone
    await one.save()
    await two.save()
    const { id: _id, expires: _expires, type: _type, sess, ...attributes } = await dynamodb.item(sid)
    const expected = { theirs: { S: 't2' }, mine: { S: 'm2' }, both: { S: 'b3' }, count: { N: '2' } }
    assert.deepEqual(attributes, expected)
    const { cookie: _cookie, ...session } = JSON.parse(sess.S)
    assert.deepEqual(session, { theirs: 't2', mine: 'm2', both: 'b3', count: 2 })
  })
})

test('a special key with the name of a cookie field follows the session, not the cookie', async () => {
  const { store, sid, one, two } = await openTwo({ specialKeys: [{ name: 'domain', type: 'S' }] }, { domain: 'one' })
  one.session.domain = 'two'
  two.session.cookie.domain = 'example.com'
  two.session.b = 2
  await one.save()
  await two.save()
  assert.equal((await dynamodb.item(sid)).domain.S, 'two')
  assert.deepEqual(await stored(store, sid), { domain: 'two', b: 2 })
})

describe('the expiry of a merged session', () => {
  const MONTH = 30 * 24 * 3_600_000

  for (const [order, isFirst] of [
    ['before', true],
    ['after', false]
  ]) {
    test(`a lifetime that one request raised stays, saved ${order} the other request`, async () => {
      const { store, sid, one, two } = await openTwo()
      one.session.cookie.maxAge = MONTH
      one.session.remember = true
      two.session.b = 2
      for (const { save } of isFirst ? [one, two] : [two, one]) await save()
      assertNear(await secondsLeft(sid), MONTH / 1000)
      const { cookie, remember, b } = await store.get(sid)
      assert.deepEqual([cookie.originalMaxAge, remember, b], [MONTH, true, 2])
      assertNear(Date.parse(cookie.expires) / 1000, (Date.now() + MONTH) / 1000)
    })

    test(`a lifetime that one request lowered stays, saved ${order} the other request`, async () => {
      const { store, sid, one, two } = await openTwo()
      one.session.cookie.maxAge = 60_000
      one.session.remember = false
      two.session.b = 2
      for (const { save } of isFirst ? [one, two] : [two, one]) await save()
      assertNear(await secondsLeft(sid), 60)
      assert.equal((await store.get(sid)).cookie.originalMaxAge, 60_000)
    })
  }

  test('a lifetime that a touch raised survives a touch and a save of other requests', async () => {
    const { store, sid, one, two } = await openTwo({ touchAfter: 0 })
    const three = await openRequest(store, sid)
    one.session.cookie.maxAge = MONTH
    await one.touch()
    await two.touch()
    assertNear(await secondsLeft(sid), MONTH / 1000)
    three.session.b = 2
    await three.save()
    assertNear(await secondsLeft(sid), MONTH / 1000)
    two.session.a = 2
    await two.save()
    assertNear(await secondsLeft(sid), MONTH / 1000)
    assert.deepEqual(await stored(store, sid), { a: 2, b: 2 })
  })

  test('a lifetime that a touch lowered survives saves of other requests', async () => {
    const { store, sid, one, two } = await openTwo({ touchAfter: 0 })
    const three = await openRequest(store, sid)
    one.session.cookie.maxAge = 60_000
    await one.touch()
    three.session.b = 2
    await three.save()
    assertNear(await secondsLeft(sid), 60)
    two.session.a = 2
    await two.save()
    assertNear(await secondsLeft(sid), 60)
    assert.deepEqual(await stored(store, sid), { a: 2, b: 2 })
  })

  for (const how of ['touch', 'save']) {
    test(`a lifetime that a save lowered survives a ${how} that changes nothing`, async () => {
      const { sid, one, two } = await openTwo({ touchAfter: 0 })
      one.session.cookie.maxAge = 60_000
      await one.save()
      two.session.touch()
      await two[how]()
      assertNear(await secondsLeft(sid), 60)
    })
  }

  test(
    'a lifetime that a request of an Express app lowered survives one that only reads',
    needs('proxy'),
    async (t) => {
      const proxy = await dynamodb.proxy()
      let sid
      const app = await startApp('express', {
        store: dynamodb.store({ endpoint: proxy.endpoint, touchAfter: 0 }),
        onSession: (session) => (sid = session.id)
      })
      t.after(() => app.close())
      const client = new Client(app.url)
      await client.send({ set: { a: 1 } })
      let release
      const lowered = new Promise((resolve) => (release = resolve))
      // The touch at the end of the first request arrives after the other request.
      proxy.on('UpdateItem', (exchange) => lowered.then(() => passThrough(exchange)), 1)
      const reading = client.copy().send()
      await eventually(() => proxy.sent('UpdateItem').length === 1)
      await client.copy().send({ maxAge: 60_000 })
      release()
      await reading
      assertNear(await secondsLeft(sid), 60)
    }
  )

  test('a ttl function gets the merged session', async () => {
    const seen = []
    const ttl = ({ hours, cookie }) => {
      seen.push(cookie)
      return (hours ?? 1) * 3600
    }
    const { sid, one, two } = await openTwo({ ttl })
    one.session.hours = 5
    two.session.b = 2
    await one.save()
    await two.save()
    assertNear(await secondsLeft(sid), 5 * 3600)
    for (const { expires, maxAge } of seen) assert.deepEqual([expires instanceof Date, typeof maxAge], [true, 'number'])
  })
})

describe("onConflict: 'fail'", () => {
  test('a save fails if another request has changed the session, in one process too', async () => {
    for (const shared of [true, false]) {
      const { store, sid, one, two } = await openTwo({ onConflict: 'fail' }, undefined, { shared })
      one.session.c = 3
      two.session.b = 2
      const [, { reason: error }] = await Promise.allSettled([one.save().then(nextTurn), one.save().then(two.save)])
      assertOperationError(error, {
        code: 'ConflictError',
        operation: 'PutItem',
        tableName: dynamodb.table,
        retryable: true
      })
      assert.deepEqual(await stored(store, sid), { a: 1, b: 1, c: 3 })
      const again = await openRequest(store, sid)
      again.session.b = 2
      await again.save()
      assert.deepEqual(await stored(store, sid), { a: 1, b: 2, c: 3 })
    }
  })

  test('parallel saves of one process fail too', async () => {
    const { store, sid, one, two } = await openTwo({ onConflict: 'fail' }, undefined, { shared: true })
    one.session.c = 3
    two.session.b = 2
    const outcomes = await Promise.allSettled([one.save(), two.save()])
    assert.deepEqual(
      outcomes.map(({ reason }) => reason?.code),
      [undefined, 'ConflictError']
    )
    assert.deepEqual(await stored(store, sid), { a: 1, b: 1, c: 3 })
  })

  test('times that every save renews are no change', async () => {
    const { store, sid, one, two } = await openTwo({ onConflict: 'fail', touchAfter: 0 })
    const renewed = await store.get(sid)
    renewed.cookie.expires = new Date(Date.now() + LIFETIME + 5000).toISOString()
    await store.set(sid, renewed)
    one.session.c = 3
    await one.save()
    // The other request has changed nothing.
    await two.save()
    assert.deepEqual(await stored(store, sid), { a: 1, b: 1, c: 3 })
  })

  test('the same change of two requests is a conflict', async () => {
    const { store, sid, one, two } = await openTwo({ onConflict: 'fail' })
    one.session.a -= 1
    two.session.a -= 1
    await one.save()
    await assert.rejects(two.save(), { code: 'ConflictError' })
    assert.deepEqual(await stored(store, sid), { a: 0, b: 1 })
  })
})

describe('a function of onConflict', () => {
  test('decides about the fields that both changed, and gets undefined for a deletion', async () => {
    const calls = []
    const onConflict = (field, base, theirs, mine) => {
      calls.push([field, base, theirs, mine])
      if (field === 'count') return theirs + mine - base
      return field === 'drop' ? undefined : { theirs: theirs ?? 'deleted', mine: mine ?? 'deleted' }
    }
    const data = { count: 1, deleted: 1, list: [1], drop: 1, same: 1 }
    const { store, sid, one, two } = await openTwo({ onConflict }, data)
    Object.assign(one.session, { count: 2, list: [1, 2], drop: 2, onlyOne: 1, fresh: 1 })
    one.session.cookie.path = '/one'
    delete one.session.deleted
    Object.assign(two.session, { count: 2, deleted: 3, drop: 3, onlyTwo: 1, fresh: 2 })
    two.session.cookie.path = '/two'
    delete two.session.list
    await one.save()
    await two.save()
    const expected = [
      ['count', 1, 2, 2],
      ['deleted', 1, undefined, 3],
      ['drop', 1, 2, 3],
      ['fresh', undefined, 1, 2],
      ['list', [1], [1, 2], undefined]
    ]
    assert.deepEqual(calls.sort(), expected)
    const { deleted, list, fresh, ...others } = await stored(store, sid)
    assert.deepEqual(others, { count: 3, same: 1, onlyOne: 1, onlyTwo: 1 })
    assert.deepEqual(deleted, { theirs: 'deleted', mine: 3 })
    assert.deepEqual(list, { theirs: [1, 2], mine: 'deleted' })
    assert.deepEqual(fresh, { theirs: 1, mine: 2 })
  })

  test('adds up a counter of parallel requests', async () => {
    const onConflict = (field, base, theirs, mine) => theirs + mine - base
    const store = dynamodb.store({ onConflict })
    const other = dynamodb.store({ onConflict })
    const sid = newSid()
    await store.set(sid, expressSession({ count: 0 }, { maxAge: LIFETIME }))
    const stores = Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other))
    const requests = await Promise.all(stores.map((one) => openRequest(one, sid)))
    await Promise.all(
      requests.map(({ session, save }) => {
        session.count += 1
        return save()
      })
    )
    assert.deepEqual(await stored(store, sid), { count: 20 })
  })

  test('may change its arguments', async () => {
    const functions = [
      [(field, base, theirs, mine) => theirs.concat(mine.splice(base.length)), [1, 2, 3]],
      [(field, base, theirs, mine) => (theirs.push(...mine.slice(base.length)), theirs), [1, 2, 3]],
      [(field, base, theirs, mine) => (mine.splice(base.length, 0, ...theirs.slice(base.length)), mine), [1, 2, 3]],
      [(field, base) => (base.push(4), base), [1, 4]]
    ]
    for (const [onConflict, list] of functions) {
      const { store, sid, one, two } = await openTwo({ onConflict }, { list: [1] })
      one.session.list.push(2)
      two.session.list.push(3)
      await one.save()
      await two.save()
      assert.deepEqual(await stored(store, sid), { list })
    }
  })

  test('may assign to the fields of an argument', async () => {
    const onConflict = (field, base, theirs, mine) => Object.assign(theirs, mine)
    const { store, sid, one, two } = await openTwo({ onConflict }, { cart: {} })
    one.session.cart.x = 1
    two.session.cart.y = 2
    await one.save()
    await two.save()
    assert.deepEqual(await stored(store, sid), { cart: { x: 1, y: 2 } })
  })

  test('that returns what JSON cannot represent fails the save with a SerializationError', async () => {
    const circular = {}
    circular.self = circular
    for (const value of [1n, circular]) {
      const { store, sid, one, two } = await openTwo({ onConflict: () => value })
      one.session.a = 2
      two.session.a = 3
      await one.save()
      await assert.rejects(two.save(), { code: 'SerializationError', operation: 'PutItem' })
      assert.deepEqual(await stored(store, sid), { a: 2, b: 1 })
    }
  })

  test('that throws fails the save with what it throws, and one that returns a promise with a ConfigError', async () => {
    const thrown = new RangeError('of the app')
    const isConfigError = ({ code, retryable }) => assert.deepEqual([code, retryable], ['ConfigError', false])
    const functions = [
      [() => { throw thrown }, (error) => assert.equal(error, thrown)],
      [async () => 1, isConfigError],
      // node:test fails the test if the rejection is unhandled.
      [async () => { throw thrown }, isConfigError]
    ] // prettier-ignore
    for (const [onConflict, check] of functions) {
      const { store, sid, one, two } = await openTwo({ onConflict })
      one.session.a = 2
      two.session.a = 3
      await one.save()
      await assert.rejects(two.save(), (error) => check(error) ?? true)
      assert.deepEqual(await stored(store, sid), { a: 2, b: 1 })
      await nextTurn()
      assert.equal(two.session.req.sessionStore.stats().inFlight, 0)
    }
  })
})
