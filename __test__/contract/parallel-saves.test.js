'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { setImmediate: nextTurn, setTimeout: sleep } = require('node:timers/promises')
const { callWithPromise, collectEvents, eventually, settlesWithin } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { heldUntil, loseResponse, noResponse, passThrough, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { LIFETIME, openRequest } = require('../support/parallel-app')
const { expressSession, newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** The service carries out the request, and the client gets a 500 error. */
const loseWith500 = loseResponse(textResponse(500, '{}'))

/** A store behind a proxy, and a session in it. `open` starts a request; see `openRequest`. */
async function open(options = {}, data = { a: 1 }) {
  const proxy = await dynamodb.proxy()
  const store = dynamodb.store({ endpoint: proxy.endpoint, ...options })
  const sid = newSid()
  await store.set(sid, expressSession(data, { maxAge: LIFETIME }))
  proxy.reset()
  return { proxy, store, sid, open: (framework) => openRequest(store, sid, framework) }
}

/** What the table holds, without the cookie and the times of koa-session. */
async function stored(store, sid) {
  const { cookie: _cookie, _expire, _maxAge, ...data } = await store.get(sid)
  return data
}

/** Replaces the stored session, like a different program. */
function putText(sid, text) {
  return dynamodb.putItem(sid, { sess: { S: text }, expires: { N: String(nowInSeconds() + 3600) } })
}

/** A session as koa-session stores it. */
const koaSession = (data) => ({ ...data, _expire: Date.now() + LIFETIME, _maxAge: LIFETIME })

describe('a save that changes nothing', needs('proxy'), () => {
  test('sends no request within touchAfter', async () => {
    const { proxy, open: openOne } = await open()
    const one = await openOne()
    proxy.reset()
    await one.save()
    assert.deepEqual(proxy.operations, [])
  })

  test('is a touch after touchAfter in Express', async () => {
    const { proxy, open: openOne } = await open({ touchAfter: 0 })
    const one = await openOne()
    proxy.reset()
    await one.save()
    await one.save()
    assert.deepEqual(proxy.operations, ['UpdateItem', 'UpdateItem'])
  })

  test('sends no request within touchAfter in Koa, and renews the stored times after it', async () => {
    for (const [touchAfter, operations] of [
      [undefined, []],
      [0, ['PutItem', 'PutItem']]
    ]) {
      const { proxy, store, sid, open: openOne } = await open({ touchAfter })
      await store.set(sid, koaSession({ a: 1 }), LIFETIME)
      const one = await openOne('koa')
      const { _expire: before } = await store.get(sid)
      proxy.reset()
      await one.save()
      await one.save()
      assert.deepEqual(proxy.operations, operations)
      const { _expire: after } = await store.get(sid)
      assert.ok(operations.length > 0 ? after >= before : after === before)
      assert.equal(store.stats().setsSaved, operations.length > 0 ? 0 : 2)
    }
  })

  test('renews the times that Koa stores after touchAfter, unless another request has just written them', async () => {
    const { proxy, store, sid, open: openOne } = await open()
    await store.set(sid, koaSession({ a: 1 }), LIFETIME / 2)
    const [one, two, three] = [await openOne('koa'), await openOne('koa'), await openOne('koa')]
    const { _expire: before } = await store.get(sid)
    await sleep(2)
    proxy.reset()
    await one.save()
    assert.deepEqual(proxy.operations, ['PutItem'])
    const { _expire: after } = await store.get(sid)
    assert.ok(after > before)
    two.session.b = 2
    await two.save()
    proxy.reset()
    await three.save()
    assert.equal(proxy.sent('PutItem').length, 1, 'the one whose condition fails')
    assert.deepEqual(await stored(store, sid), { a: 1, b: 2 })
  })

  test("does not overwrite another request's update", async () => {
    for (const framework of ['express', 'koa']) {
      for (const touchAfter of [undefined, 0]) {
        const { store, sid, open: openOne } = await open({ touchAfter })
        if (framework === 'koa') await store.set(sid, koaSession({ a: 1 }), LIFETIME)
        const [one, two] = [await openOne(framework), await openOne(framework)]
        two.session.b = 2
        await two.save()
        await one.save()
        assert.deepEqual(await stored(store, sid), { a: 1, b: 2 }, `${framework} ${touchAfter}`)
      }
    }
  })
})

describe('a session that has ended', () => {
  const endings = {
    'because another request destroyed it': (store, sid) => store.destroy(sid),
    'because it has expired': (store, sid) => dynamodb.setExpires(sid, nowInSeconds() - 1),
    'and of which a touch of another program left its expiry': (store, sid) =>
      dynamodb.putItem(sid, { expires: { N: String(nowInSeconds() + 3600) } })
  }
  for (const [how, end] of Object.entries(endings)) {
    test(`stays ended ${how}`, async () => {
      for (const framework of ['express', 'koa']) {
        const store = dynamodb.store()
        const missing = collectEvents(store, 'missing')
        const sid = newSid()
        await store.set(sid, expressSession({ a: 1 }))
        const one = await openRequest(store, sid, framework)
        await end(store, sid)
        const before = await dynamodb.item(sid)
        one.session.b = 2
        await one.save()
        await one.save()
        assert.deepEqual(await dynamodb.item(sid), before)
        await nextTurn()
        const [event] = missing
        assert.deepEqual(missing, [event, event])
        assert.deepEqual({ ...event, sidHash: '' }, { operation: 'set', tableName: dynamodb.table, sidHash: '' })
        assert.equal(store.stats().missing, 2)
      }
    })
  }

  test('stays ended if another process touches it', async () => {
    const [store, other] = [dynamodb.store({ touchAfter: 0 }), dynamodb.store({ touchAfter: 0 })]
    const sid = newSid()
    await store.set(sid, expressSession({ a: 1 }))
    const [one, two] = [await openRequest(store, sid), await openRequest(other, sid)]
    await store.destroy(sid)
    await two.touch()
    await two.save()
    await one.save()
    assert.equal(await dynamodb.item(sid), undefined)
  })

  test('does not affect a new session of the same request', async () => {
    const store = dynamodb.store()
    const [oldSid, newId] = [newSid(), newSid()]
    await store.set(oldSid, koaSession({ a: 1 }), LIFETIME)
    const { context } = await openRequest(store, oldSid, 'koa')
    await store.destroy(oldSid, context)
    await store.set(newId, koaSession({ b: 2 }), LIFETIME, context)
    await store.set(newId, koaSession({ b: 3 }), LIFETIME, context)
    assert.deepEqual(await stored(store, newId), { b: 3 })
    await store.set(oldSid, koaSession({ a: 2 }), LIFETIME, context)
    assert.deepEqual(await stored(store, oldSid), { a: 2 }, 'after its own destroy, a request may store the ID again')
  })
})

describe('what merging leaves as it was', needs('proxy'), () => {
  test('a save under another session ID is a plain write', async () => {
    const { store, open: openOne } = await open(undefined, { a: 1, b: 1 })
    const one = await openOne()
    const otherSid = newSid()
    await store.set(otherSid, newSession({ other: true }))
    await store.set(otherSid, one.session)
    assert.deepEqual(await stored(store, otherSid), { a: 1, b: 1 })
    await store.destroy(otherSid)
    const third = newSid()
    await store.set(third, one.session)
    assert.deepEqual(await stored(store, third), { a: 1, b: 1 })
  })

  test('a save under another session ID does not affect the saves under its own', async () => {
    const { store, sid, open: openOne } = await open(undefined, { a: 1, b: 1 })
    const [one, two] = [await openOne(), await openOne()]
    await store.set(newSid(), one.session)
    two.session.b = 2
    await two.save()
    one.session.c = 3
    await one.save()
    assert.deepEqual(await stored(store, sid), { a: 1, b: 2, c: 3 })
    await store.set(newSid(), one.session)
    await store.destroy(sid)
    one.session.c = 4
    await one.save()
    assert.equal(await store.get(sid), null)
  })

  test('the result of a promise is a plain object, and overwrites the session', async () => {
    const { store, sid, open: openOne } = await open(undefined, { a: 1, b: 1 })
    const one = await openOne()
    const session = await store.get(sid)
    assert.deepStrictEqual(session, JSON.parse(JSON.stringify(session)))
    assert.equal(Object.getPrototypeOf(session), Object.prototype)
    assert.deepStrictEqual(Reflect.ownKeys(session).sort(), ['a', 'b', 'cookie'])
    one.session.c = 3
    await one.save()
    session.d = 4
    await store.set(sid, session)
    assert.deepEqual(await stored(store, sid), { a: 1, b: 1, d: 4 })
    await store.destroy(sid)
    await store.set(sid, session)
    assert.deepEqual(await stored(store, sid), { a: 1, b: 1, d: 4 })
  })

  test("with onConflict: 'overwrite', a save has no condition", async () => {
    const { proxy, store, sid, open: openOne } = await open({ onConflict: 'overwrite' }, { a: 1, b: 1 })
    const [one, two] = [await openOne(), await openOne()]
    one.session.c = 3
    two.session.b = 2
    proxy.reset()
    await one.save()
    await two.save()
    await two.save()
    assert.deepEqual(proxy.operations, ['PutItem', 'PutItem', 'PutItem'])
    for (const body of proxy.sent('PutItem')) assert.deepEqual(Object.keys(body).sort(), ['Item', 'TableName'])
    assert.deepEqual(await stored(store, sid), { a: 1, b: 2 })
    await store.destroy(sid)
    await one.save()
    assert.deepEqual(await stored(store, sid), { a: 1, b: 1, c: 3 })
  })
})

describe('a stored value that is not a session', () => {
  const values = {
    'unparsable text': { S: '{"a":' },
    'a JSON array': { S: '[1]' },
    'a number': { N: '5' },
    'binary data': { B: Buffer.from('{}') }
  }
  for (const [name, sess] of Object.entries(values)) {
    test(`${name} is overwritten, and the event corrupt reports it`, async () => {
      const store = dynamodb.store()
      const corrupt = collectEvents(store, 'corrupt')
      const sid = newSid()
      await store.set(sid, expressSession({ a: 1 }))
      const one = await openRequest(store, sid)
      await dynamodb.putItem(sid, { sess, expires: { N: String(nowInSeconds() + 3600) } })
      one.session.b = 2
      await one.save()
      assert.deepEqual(await stored(store, sid), { a: 1, b: 2 })
      await nextTurn()
      assert.deepEqual(
        corrupt.map(({ code, operation }) => [code, operation]),
        [['CorruptItemError', 'PutItem']]
      )
    })
  }
})

describe('a session that another program wrote', () => {
  test('values that only look different are neither conflicts nor overwritten', async () => {
    const store = dynamodb.store()
    const conflicts = collectEvents(store, 'conflict')
    const sid = newSid()
    const cookie = '"cookie":{"originalMaxAge":3600000,"expires":null,"path":"/"}'
    const fields = (n) => `"price":1.50${n},"text":"\\u00e9","o":{"b":1,"2":1,"1":1},"x":1e2`
    await putText(sid, `{${cookie}, ${fields(0)}}`)
    const one = await openRequest(store, sid)
    await putText(sid, `{${cookie}, ${fields(1)}, "y": 1.0}`)
    one.session.mine = true
    await one.save()
    const session = await stored(store, sid)
    assert.deepEqual(session, { price: 1.501, text: 'é', o: { 1: 1, 2: 1, b: 1 }, x: 100, y: 1, mine: true })
    await nextTurn()
    assert.deepEqual(conflicts, [])
  })

  for (const format of ['json', 'map']) {
    test(`in the other format is merged, and gets the format of the store: ${format}`, async () => {
      const [store, other] = [dynamodb.store({ format }), dynamodb.store({ format: format === 'map' ? 'json' : 'map' })]
      const sid = newSid()
      await other.set(sid, expressSession({ a: 1, n: 1.5 }, { maxAge: LIFETIME }))
      const [one, two] = [await openRequest(store, sid), await openRequest(other, sid)]
      one.session.b = 2
      await one.save()
      assert.deepEqual(Object.keys((await dynamodb.item(sid)).sess), [format === 'map' ? 'M' : 'S'])
      two.session.c = 3
      await two.save()
      one.session.d = 4
      await one.save()
      assert.deepEqual(await stored(store, sid), { a: 1, n: 1.5, b: 2, c: 3, d: 4 })
    })
  }

  test('as a map with sets and binary data is replaced on condition of its raw value', async () => {
    const store = dynamodb.store({ format: 'map' })
    const sid = newSid()
    await store.set(sid, expressSession({ a: 1 }, { maxAge: LIFETIME }))
    const item = await dynamodb.item(sid)
    item.sess.M.tags = { SS: ['x', 'y'] }
    item.sess.M.bytes = { B: Buffer.from('binary') }
    item.sess.M.numbers = { NS: ['1', '2.5'] }
    await dynamodb.raw.putItem(dynamodb.table, item)
    const [one, two] = [await openRequest(store, sid), await openRequest(store, sid)]
    one.session.b = 2
    await one.save()
    two.session.c = 3
    await two.save()
    const session = await stored(store, sid)
    assert.deepEqual([session.a, session.b, session.c, session.tags], [1, 2, 3, ['x', 'y']])
    await store.destroy(sid)
    one.session.b = 3
    await one.save()
    assert.equal(await dynamodb.item(sid), undefined)
  })
})

describe('a save whose response is lost', needs('proxy'), () => {
  for (const format of ['json', 'map']) {
    test(`recognizes its own write in the format ${format}`, async () => {
      const { proxy, store, sid, open: openOne } = await open({ format })
      const one = await openOne()
      one.session.b = { list: [1.5, null], text: 'é' }
      proxy.on('PutItem', loseWith500, 1)
      await one.save()
      // Dynalite does not compare maps, which takes more requests.
      if (format === 'json') assert.equal(proxy.sent('PutItem').length, 2)
      const { merges, conflicts, missing } = store.stats()
      assert.deepEqual({ merges, conflicts, missing }, { merges: 0, conflicts: 0, missing: 0 })
      assert.deepEqual(await stored(store, sid), { a: 1, b: { list: [1.5, null], text: 'é' } })
    })

    test(`does not count twice with a function in the format ${format}`, async () => {
      const onConflict = (field, base, theirs, mine) => theirs + mine - base
      const { proxy, store, sid, open: openOne } = await open({ format, onConflict })
      const [one, two] = [await openOne(), await openOne()]
      one.session.a += 1
      proxy.on('PutItem', loseWith500, 1)
      await one.save()
      assert.deepEqual(await stored(store, sid), { a: 2 })
      two.session.a += 1
      // The write that is lost is the one of the merge.
      proxy.on('PutItem', passThrough, 1).on('PutItem', loseWith500, 1)
      await two.save()
      assert.deepEqual(await stored(store, sid), { a: 3 })
    })
  }

  test('does not count twice if the app repeats the save', async () => {
    const onConflict = (field, base, theirs, mine) => theirs + mine - base
    const { proxy, store, sid, open: openOne } = await open({ maxAttempts: 1, onConflict })
    const one = await openOne()
    one.session.a += 1
    proxy.on('PutItem', loseWith500, 1)
    await assert.rejects(one.save(), { retryable: true })
    await one.save()
    assert.deepEqual(await stored(store, sid), { a: 2 })
    one.session.a += 1
    await one.save()
    assert.deepEqual(await stored(store, sid), { a: 3 })
  })

  test('does not bring back a session that ended meanwhile', async () => {
    const { proxy, store, sid, open: openOne } = await open()
    const one = await openOne()
    one.session.b = 2
    proxy.on('PutItem', async (exchange) => {
      await exchange.forward()
      await dynamodb.store().destroy(sid)
      return textResponse(500, '{}')(exchange)
    }, 1) // prettier-ignore
    await one.save()
    assert.equal(await store.get(sid), null)
  })
})

describe('parallel saves of one process', needs('proxy'), () => {
  /** Starts requests that each have set a field of their own. */
  async function openMany(count, openOne) {
    const requests = await Promise.all(Array.from({ length: count }, () => openOne()))
    requests.forEach(({ session }, index) => (session[`field${index}`] = index))
    return requests
  }

  const fieldsOf = (count) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`field${i}`, i]))

  test('need one write each', async () => {
    const { proxy, store, sid, open: openOne } = await open()
    const requests = await openMany(20, openOne)
    proxy.reset()
    await Promise.all(requests.map(({ save }) => save()))
    assert.deepEqual(proxy.operations, Array(20).fill('PutItem'))
    assert.deepEqual(await stored(store, sid), { a: 1, ...fieldsOf(20) })
  })

  test('read the session first if the outcome of the save before is unknown', async () => {
    for (const isDone of [true, false]) {
      const { proxy, store, sid, open: openOne } = await open({ maxAttempts: 1 })
      const requests = await openMany(3, openOne)
      proxy.reset()
      proxy.on('PutItem', isDone ? loseWith500 : textResponse(500, '{}'), 1)
      const [first, ...others] = await Promise.allSettled(requests.map(({ save }) => save()))
      assertOperationError(first.reason, {
        code: 'ServiceUnavailable',
        operation: 'PutItem',
        tableName: dynamodb.table
      })
      assert.ok(others.every(({ status }) => status === 'fulfilled'))
      assert.deepEqual(proxy.operations, ['PutItem', 'GetItem', 'PutItem', 'PutItem'])
      const { field0: _lost, ...rest } = { a: 1, ...fieldsOf(3) }
      assert.deepEqual(await stored(store, sid), isDone ? { a: 1, ...fieldsOf(3) } : rest)
    }
  })

  test('finish after close', async () => {
    const { proxy, store, sid, open: openOne } = await open()
    const requests = await openMany(3, openOne)
    let release
    proxy.on('PutItem', heldUntil(new Promise((resolve) => (release = resolve))), 1)
    const saving = Promise.all(requests.map(({ save }) => save()))
    await eventually(() => proxy.sent('PutItem').length === 1)
    await store.close()
    const { error } = await callWithPromise(store, 'set', sid, requests[0].session)
    assert.equal(error.code, 'ClosedError')
    release()
    await saving
    assert.deepEqual(await stored(dynamodb.store(), sid), { a: 1, ...fieldsOf(3) })
    await eventually(() => proxy.connections === 0)
  })

  test('count toward maxPending while they wait', async () => {
    const { proxy, store, sid, open: openOne } = await open({ maxPending: 3 })
    const requests = []
    for (let i = 0; i < 4; i++) requests.push(await openOne())
    requests.forEach(({ session }, index) => (session[`field${index}`] = index))
    let release
    proxy.on('PutItem', heldUntil(new Promise((resolve) => (release = resolve))), 1)
    const saving = Promise.all(requests.slice(0, 3).map(({ save }) => save()))
    await assert.rejects(requests[3].save(), { code: 'OverloadedError', retryable: true })
    release()
    await saving
    await requests[3].save()
    assert.deepEqual(await stored(store, sid), { a: 1, ...fieldsOf(4) })
    assert.equal(store.stats().inFlight, 0)
  })

  const waits = {
    'with changes': (openOne) => openMany(5, openOne),
    'that change nothing': (openOne) => Promise.all(Array.from({ length: 5 }, () => openOne())),
    'of a new session': (openOne, store, sid) =>
      Array.from({ length: 5 }, () => ({ save: () => store.set(sid, expressSession({ b: 2 })) }))
  }
  for (const [name, requestsOf] of Object.entries(waits)) {
    test(`fail by the timeout if the one before gets no response: saves ${name}`, async () => {
      const timeout = 600
      const { proxy, store, sid, open: openOne } = await open({ timeout, attemptTimeout: timeout, touchAfter: 0 })
      const requests = await requestsOf(openOne, store, sid)
      proxy.on('PutItem', noResponse).on('UpdateItem', noResponse)
      const outcomes = await settlesWithin(timeout, () => Promise.allSettled(requests.map(({ save }) => save())))
      for (const { reason } of outcomes) {
        assert.equal(reason.code, 'TimeoutError')
        assert.equal(reason.retryable, true)
      }
      proxy.reset()
      assert.equal(typeof (await store.get(sid)), 'object')
      assert.equal(store.stats().inFlight, 0)
    })
  }
})
