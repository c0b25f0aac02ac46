'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries, openEntry } = require('../support/entry-points')
const { needs } = require('../support/features')
const { Client, LIFETIME, openRequest, startApp } = require('../support/parallel-app')
const { expressSession, newSession, newSid, nowInSeconds } = require('../support/sessions')
const { useFakeDate } = require('./support/express')

const dynamodb = useDynamoDB()
const clock = useFakeDate()
const native = entries[0]

/** The maximum lifetime in these tests, in seconds. Cookies last for an hour. */
const LONGEST = 100

const tick = (seconds) => clock.tick(seconds * 1000)

/** Options with which every touch sends a request. */
function writingOptions({ name }) {
  if (name.endsWith('/dynamodb-store')) return { touchInterval: 0 }
  return { touchAfter: name.includes('pwrdrvr') ? 1 : 0 }
}

async function open(t, entry, options) {
  const opened = await openEntry(t, dynamodb, entry, { maxLifetime: LONGEST, ...options })
  const numbers = async (sid) => {
    const { created, expires } = await opened.read(sid)
    return { created: created && Number(created.N), expires: Number(expires.N) }
  }
  return { ...opened, numbers }
}

const set = (store, sid, session = newSession({}, LIFETIME)) => store.set(sid, session, LIFETIME)
const isAlive = async (store, sid) => ((await store.get(sid)) ?? null) !== null

/** The only item of a table. */
async function onlyItem(table) {
  const [item, ...others] = await dynamodb.raw.items(table)
  assert.deepEqual(others, [])
  return item
}

for (const entry of entries) {
  describe(`the option maxLifetime of ${entry.name}`, () => {
    for (const framework of entry.frameworks) {
      for (const onConflict of [undefined, 'overwrite', 'merge']) {
        for (const changes of [true, false]) {
          const requests = changes ? 'saved' : 'used'
          test(`ends a session of ${framework} that is ${requests} again and again, with onConflict ${onConflict}`, async (t) => {
            const { store, table } = await open(t, entry, { onConflict, ...writingOptions(entry) })
            const app = await startApp(framework, { store, rolling: !changes })
            t.after(app.close)
            const client = new Client(app.url)
            const start = nowInSeconds()
            await client.send({ set: { user: 'ann' } })
            for (let i = 1; i <= 3; i++) {
              tick(30)
              const { user, i: last } = await client.send(changes ? { set: { i } } : {})
              assert.deepEqual([user, last], ['ann', changes ? i : undefined], `after ${i * 30} s`)
              const { created, expires } = await onlyItem(table)
              assert.ok(Math.abs(Number(created.N) - start) <= 1, `${created.N - start} s after the start`)
              assert.ok(Number(expires.N) <= Number(created.N) + LONGEST, `${expires.N - created.N} s`)
            }
            tick(11)
            assert.deepEqual(await client.send(), {})
          })
        }
      }

      test(`does not add requests to those of ${framework}`, async (t) => {
        const operations = []
        for (const maxLifetime of [LONGEST, undefined]) {
          const proxy = await dynamodb.proxy()
          const { store } = await open(t, entry, { endpoint: proxy.endpoint, maxLifetime })
          const app = await startApp(framework, { store })
          t.after(app.close)
          const client = new Client(app.url)
          for (let i = 1; i <= 3; i++) {
            await client.send({ set: { i } })
            tick(1)
          }
          operations.push(proxy.operations)
        }
        assert.deepEqual(operations[0], operations[1])
      })

      for (const onConflict of ['overwrite', 'merge']) {
        test(
          `costs ${framework} no request with onConflict ${onConflict}`,
          needs('proxy', 'mapEquality'),
          async (t) => {
            const proxy = await dynamodb.proxy()
            const { store } = await open(t, entry, { endpoint: proxy.endpoint, onConflict })
            const app = await startApp(framework, { store })
            t.after(app.close)
            const client = new Client(app.url)
            await client.send({ set: { i: 0 } })
            tick(20)
            proxy.reset()
            await client.send({ set: { i: 1 } })
            assert.deepEqual(proxy.operations, ['GetItem', 'PutItem'])
          }
        )
      }

      test(`regenerate starts a new lifetime in ${framework}`, async (t) => {
        const { store } = await open(t, entry)
        const app = await startApp(framework, { store })
        t.after(app.close)
        const client = new Client(app.url)
        await client.send({ set: { user: 'ann' } })
        tick(60)
        await client.send({ regenerate: { user: 'ann' } })
        tick(60)
        assert.equal((await client.send({ set: { a: 1 } })).user, 'ann')
        tick(41)
        assert.deepEqual(await client.send(), {})
      })
    }

    test('limits the expiry, and applies to the moment', async (t) => {
      const { store, numbers } = await open(t, entry)
      const sid = newSid()
      await set(store, sid)
      const { created, expires } = await numbers(sid)
      assert.equal(created, nowInSeconds())
      assert.equal(expires, created + LONGEST)
      clock.setSystemTime((created + LONGEST) * 1000 - 1)
      assert.equal(await isAlive(store, sid), true)
      tick(0.001)
      assert.equal(await isAlive(store, sid), false)
    })

    test('does not lengthen a shorter lifetime', async (t) => {
      const { store, numbers } = await open(t, entry)
      const sid = newSid()
      await store.set(sid, newSession({}, 50_000), 50_000)
      const { created, expires } = await numbers(sid)
      assert.ok(expires <= created + 52)
    })

    test('is enforced although the item expires later', async (t) => {
      const { store, create, numbers } = await open(t, entry)
      const sid = newSid()
      await set(create({ maxLifetime: 10 * LONGEST }), sid)
      tick(LONGEST + 1)
      const { created, expires } = await numbers(sid)
      assert.ok(expires > created + LONGEST)
      assert.equal(await isAlive(store, sid), false)
    })

    test('counts from the creation when an app saves what get returned, a copy, or a new object', async (t) => {
      const { store, numbers } = await open(t, entry)
      const sid = newSid()
      await set(store, sid)
      const before = await numbers(sid)
      tick(20)
      await set(store, sid, Object.assign(await store.get(sid), { a: 1 }))
      assert.deepEqual(await numbers(sid), before)
      tick(20)
      await set(store, sid, { ...(await store.get(sid)), a: 2 })
      assert.deepEqual(await numbers(sid), before)
      tick(20)
      await set(store, sid)
      assert.deepEqual(await numbers(sid), before)
      tick(41)
      assert.equal(await isAlive(store, sid), false)
    })

    test('counts from the first save of a session that was written without it', async (t) => {
      const { store, create, numbers } = await open(t, entry)
      const [framework] = entry.frameworks
      const sid = newSid()
      await set(create({ maxLifetime: undefined }), sid)
      tick(1000)
      assert.equal((await numbers(sid)).created, undefined)
      const request = await openRequest(store, sid, framework)
      request.session.touch?.()
      request.session.a = 1
      await request.save()
      const { created, expires } = await numbers(sid)
      assert.equal(created, nowInSeconds())
      assert.equal(expires, created + LONGEST)
      assert.equal((await store.get(sid)).a, 1)
      tick(LONGEST)
      assert.equal(await isAlive(store, sid), false)
    })

    if (!entry.frameworks.includes('express')) return

    test('counts from the first touch of a session that was written without it', async (t) => {
      const { store, create, numbers } = await open(t, entry, writingOptions(entry))
      const sid = newSid()
      await set(create({ maxLifetime: undefined }), sid)
      tick(1000)
      const start = nowInSeconds()
      const request = await openRequest(store, sid)
      request.session.touch()
      await request.touch()
      assert.deepEqual(await numbers(sid), { created: start, expires: start + LONGEST })
      tick(60)
      await (await openRequest(store, sid)).touch()
      assert.deepEqual(await numbers(sid), { created: start, expires: start + LONGEST })
      tick(LONGEST - 60)
      assert.equal(await isAlive(store, sid), false)
    })

    test('limits the expiry that a touch of a new object writes', async (t) => {
      const { store, numbers } = await open(t, entry, writingOptions(entry))
      const sid = newSid()
      await set(store, sid)
      const before = await numbers(sid)
      tick(60)
      await store.touch(sid, newSession({}, LIFETIME))
      assert.deepEqual(await numbers(sid), before)
      tick(41)
      await store.touch(sid, newSession({}, LIFETIME))
      assert.equal(await isAlive(store, sid), false)
    })

    test('does not count, and does not write the time, without the option', async (t) => {
      const { store, create, read } = await open(t, entry)
      const other = create({ maxLifetime: undefined })
      const sid = newSid()
      await set(other, sid)
      assert.equal((await read(sid)).created, undefined)
      await set(store, sid)
      tick(60)
      const request = await openRequest(other, sid)
      request.session.touch()
      request.session.a = 1
      await request.save()
      assert.equal((await read(sid)).created, undefined)
      tick(LONGEST)
      assert.equal(await isAlive(other, sid), true)
    })
  })
}

describe('a session that has reached its maximum lifetime', () => {
  for (const entry of entries.slice(0, 2)) {
    test(`is not listed by ${entry.name}`, async (t) => {
      const { store, create } = await open(t, entry)
      const [old, recent, uncounted] = [newSid(), newSid(), newSid()]
      await set(create({ maxLifetime: 10 * LONGEST }), old)
      await set(create({ maxLifetime: undefined }), uncounted)
      tick(60)
      await set(store, recent)
      tick(40)
      assert.deepEqual((await store.ids()).sort(), [recent, uncounted].sort())
      assert.equal(await store.length(), 2)
      assert.equal((await store.all()).length, 2)
    })
  }

  test('is not saved or touched by a request that has read it before', async (t) => {
    for (const onConflict of ['merge', 'overwrite', 'fail']) {
      const { store, read } = await open(t, native, { onConflict, touchAfter: 0 })
      const missing = collectEvents(store, 'missing')
      const sid = newSid()
      await set(store, sid)
      const [one, two] = [await openRequest(store, sid), await openRequest(store, sid)]
      const before = await read(sid)
      tick(LONGEST)
      one.session.a = 1
      await one.save()
      two.session.touch()
      await two.touch()
      assert.deepEqual(await read(sid), before)
      assert.deepEqual(
        missing.map(({ operation }) => operation),
        ['set', 'touch'],
        onConflict
      )
    }
  })

  test('stays if the app saves and touches a new object under the ID again and again', async (t) => {
    for (const onConflict of ['merge', 'overwrite']) {
      const { store, numbers } = await open(t, native, { onConflict, touchAfter: 0 })
      await set(store, 'a')
      const { created, expires } = await numbers('a')
      tick(LONGEST / 2)
      const session = expressSession({}, { maxAge: LIFETIME })
      for (const method of ['set', 'touch', 'set', 'set']) {
        session.count = (session.count ?? 0) + 1
        await store[method]('a', session)
        assert.deepEqual(await numbers('a'), { created, expires })
        tick(1)
      }
    }
  })

  test('limits a later expiry that a process without the option has written', async (t) => {
    const { store, create, numbers, table } = await open(t, native, { ttl: 60, touchAfter: 0 })
    const old = create({ maxLifetime: undefined })
    await set(old, 'a')
    const session = await store.get('a')
    const created = nowInSeconds() - 70
    const [sess, expires] = [{ S: JSON.stringify(session) }, { N: String(created + LIFETIME) }]
    await dynamodb.putItem('a', { sess, expires, created: { N: String(created) } }, { table })
    await store.touch('a', session)
    assert.deepEqual(await numbers('a'), { created, expires: created + LONGEST })
  })

  test('is a new session if the app saves a new object under its ID', async (t) => {
    const { store, numbers } = await open(t, native)
    const sid = newSid()
    await set(store, sid)
    tick(LONGEST)
    await set(store, sid)
    assert.equal((await numbers(sid)).created, nowInSeconds())
    assert.equal(await isAlive(store, sid), true)
  })
})

describe('the creation time', () => {
  test('is the earlier one after a merge', async (t) => {
    for (const framework of ['express', 'koa']) {
      const { store, create, numbers } = await open(t, native)
      const other = create()
      const sid = newSid()
      await set(create({ maxLifetime: undefined }), sid, { ...newSession({}, LIFETIME), _maxAge: LIFETIME })
      const [one, two] = [await openRequest(store, sid, framework), await openRequest(other, sid, framework)]
      const start = nowInSeconds()
      one.session.a = 1
      await one.save()
      tick(40)
      two.session.b = 2
      await two.save()
      const { a, b } = await store.get(sid)
      assert.deepEqual([a, b], [1, 2])
      assert.deepEqual(await numbers(sid), { created: start, expires: start + LONGEST })
      two.session.b = 3
      await two.save()
      assert.equal((await numbers(sid)).created, start)
    }
  })

  test('of a touch does not replace the one of a save that came first', async (t) => {
    const { store, create, numbers } = await open(t, native, { touchAfter: 0 })
    const sid = newSid()
    await set(create({ maxLifetime: undefined }), sid)
    const [one, two] = [await openRequest(store, sid), await openRequest(store, sid)]
    const start = nowInSeconds()
    one.session.a = 1
    await one.save()
    tick(40)
    await two.touch()
    assert.equal((await numbers(sid)).created, start)
  })

  test('is written by a touch or an unchanged save that would otherwise need no request', async (t) => {
    for (const [framework, action] of [
      ['express', 'touch'],
      ['express', 'save'],
      ['koa', 'save']
    ]) {
      const { store, create, numbers } = await open(t, native, { maxLifetime: 7200 })
      const sid = newSid()
      await set(create({ maxLifetime: undefined }), sid, { ...newSession({}, LIFETIME), _maxAge: LIFETIME })
      const request = await openRequest(store, sid, framework)
      await request[action]()
      assert.equal((await numbers(sid)).created, nowInSeconds(), `${framework} ${action}`)
      assert.deepEqual([store.stats().touchesSaved, store.stats().setsSaved], [0, 0])
      await (await openRequest(store, sid, framework))[action]()
      assert.equal(store.stats().touchesSaved + store.stats().setsSaved, 1)
    }
  })

  test('has the attribute that attributes.created names', async (t) => {
    const { store, read } = await open(t, native, { attributes: { created: 'born at' } })
    const sid = newSid()
    await set(store, sid)
    assert.equal((await read(sid))['born at'].N, String(nowInSeconds()))
    assert.equal((await read(sid)).created, undefined)
  })

  test('counts as missing if another program has written something else', async (t) => {
    const { store, numbers, keysOf, table } = await open(t, native, { touchAfter: 0 })
    for (const created of [{ S: 'yesterday' }, { NULL: true }, { M: {} }]) {
      const sid = newSid()
      const [key, value] = Object.entries(keysOf(sid))[0]
      const expires = { N: String(nowInSeconds() + 3600) }
      await dynamodb.raw.putItem(table, { [key]: { S: value }, expires, created, sess: { S: '{"cookie":{}}' } })
      const request = await openRequest(store, sid)
      request.session.a = 1
      await request.save()
      assert.equal((await numbers(sid)).created, nowInSeconds())
    }
  })
})
