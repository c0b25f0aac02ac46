'use strict'

const assert = require('node:assert/strict')
const { createHash, randomBytes } = require('node:crypto')
const { describe, test } = require('node:test')
const { callBothWays, collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries, openEntry } = require('../support/entry-points')
const { assertStoreError } = require('../support/errors')
const { needs } = require('../support/features')
const { Client, openRequest, startApp } = require('../support/parallel-app')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()
const native = entries[0]

const open = (t, entry, options) => openEntry(t, dynamodb, entry, { hashIds: true, ...options })
const hashOf = (sid) => `h1-${createHash('sha256').update(sid).digest('base64url')}`
const set = (store, sid, data) => store.set(sid, newSession(data), 60_000)
const isAlive = async (store, sid) => ((await store.get(sid)) ?? null) !== null

/** Session IDs that no hashed key may belong to. */
const rejected = [
  'an early id',
  'x'.repeat(15),
  'é'.repeat(7),
  hashOf('a session ID of some length'),
  `h1-${'A'.repeat(43)}`,
  `h1-${'_-'.repeat(21)}9`
]

/** Session IDs that are valid, although they are similar to those that are not. */
const accepted = [
  'x'.repeat(16),
  'é'.repeat(8),
  '🚀'.repeat(4),
  `h1-${'A'.repeat(42)}`,
  `h1-${'A'.repeat(44)}`,
  `h2-${'A'.repeat(43)}`,
  `H1-${'A'.repeat(43)}`,
  `h1-${'A'.repeat(42)}+`,
  `h1-${'A'.repeat(42)}=`,
  ` h1-${'A'.repeat(43)}`,
  `h1-${'A'.repeat(43)}\n`,
  '../../../etc/passwd',
  randomBytes(24).toString('base64')
]

for (const entry of entries) {
  describe(`the option hashIds of ${entry.name}`, () => {
    test('stores a hash in the place of the ID, and the ID nowhere', async (t) => {
      const { store, read, table } = await open(t, entry)
      for (const sid of accepted) {
        await set(store, sid, { user: 'ann' })
        const item = await read(hashOf(sid))
        assert.ok(item, JSON.stringify(sid))
        assert.equal((await dynamodb.raw.items(table)).length, 1)
        assert.equal(JSON.stringify(item).includes(sid), false)
        assert.equal((await store.get(sid)).user, 'ann')
        await store.destroy(sid)
        assert.equal(await read(hashOf(sid)), undefined)
      }
    })

    test('rejects a short ID, and one that looks like a stored key', async (t) => {
      const { store, create, table, read } = await open(t, entry)
      const missing = collectEvents(store, 'missing')
      const plain = create({ hashIds: false })
      for (const sid of rejected) {
        // Another store may have written an item with this key.
        await set(plain, sid, { user: 'ann' })
        assert.equal(await isAlive(store, sid), false, sid)
        for (const outcome of [set(store, sid), set(store, sid, { a: 1 })]) {
          const error = await outcome.then(
            () => assert.fail(sid),
            (error) => error
          )
          assertStoreError(error, {
            code: 'InvalidSessionIdError',
            operation: 'PutItem',
            retryable: false,
            secrets: [sid]
          })
          assert.match(error.message, /form of a hashed one|shorter than 16 bytes/)
        }
        const before = await read(sid)
        if (store.touch) assert.equal((await callBothWays(store, 'touch', sid, newSession())).error, undefined)
        assert.deepEqual(await read(sid), before)
      }
      assert.equal((await dynamodb.raw.items(table)).length, rejected.length)
      if (store.touch) assert.ok(missing.every(({ operation }) => operation === 'touch') && missing.length > 0)
    })

    test('destroy takes the ID, and the stored form of it', async (t) => {
      const { store, read } = await open(t, entry)
      for (const form of [(sid) => sid, hashOf]) {
        const [sid, other] = [newSid(), newSid()]
        await set(store, sid)
        await set(store, other)
        await store.destroy(form(sid))
        assert.equal(await read(hashOf(sid)), undefined)
        assert.equal(await isAlive(store, other), true)
      }
      await store.destroy('short')
    })

    test('stores without it do not find the sessions', async (t) => {
      const { store, create } = await open(t, entry)
      const plain = create({ hashIds: false })
      const [sid, other] = [newSid(), newSid()]
      await set(store, sid)
      await set(plain, other)
      assert.deepEqual([await isAlive(plain, sid), await isAlive(store, other)], [false, false])
    })

    test('works through wrapped stores', async (t) => {
      const { store, read } = await open(t, entry)
      for (const wrapped of [new Proxy(store, {}), Object.create(store)]) {
        const sid = newSid()
        await set(wrapped, sid, { user: 'ann' })
        assert.equal((await wrapped.get(sid)).user, 'ann')
        assert.equal(await isAlive(wrapped, hashOf(sid)), false)
        await wrapped.destroy(sid)
        assert.equal(await read(hashOf(sid)), undefined)
      }
    })

    for (const framework of entry.frameworks) {
      test(`keeps the IDs of an app on ${framework} out of the table`, async (t) => {
        const { store, table } = await open(t, entry)
        const app = await startApp(framework, { store })
        t.after(app.close)
        const client = new Client(app.url)
        await client.send({ set: { user: 'ann' } })
        const parallel = await Promise.all([client.send({ set: { a: 1 } }), client.send()])
        for (const { user } of parallel) assert.equal(user, 'ann')
        const sid = decodeURIComponent(client.cookie).match(/^sid=(?:s:)?([\w-]+)/)[1]
        const [item, ...others] = await dynamodb.raw.items(table)
        assert.deepEqual(others, [])
        assert.equal(item[entry.schema.hashKey].S, entry.prefix + hashOf(sid))
        assert.equal(JSON.stringify(item).includes(sid), false)
        await client.send({ logout: true })
        assert.deepEqual(await dynamodb.raw.items(table), [])
      })
    }
  })
}

describe('lists of hashed IDs', () => {
  for (const entry of entries.slice(0, 2)) {
    test(`of ${entry.name} have the stored form`, async (t) => {
      const { store, create } = await open(t, entry)
      const sids = Array.from({ length: 5 }, () => newSid())
      await Promise.all(sids.map((sid) => set(store, sid, { mine: sid })))
      await set(create({ hashIds: false }), newSid())
      const hashes = sids.map(hashOf).sort()
      assert.deepEqual((await store.ids()).sort(), hashes)
      if (entry === native) {
        const all = await store.all()
        assert.deepEqual(all.map(({ id }) => id).sort(), hashes)
        for (const { id, mine } of all) assert.equal(id, hashOf(mine))
      }
      await Promise.all((await store.ids()).map((id) => store.destroy(id)))
      assert.deepEqual(await store.ids(), [])
    })
  }

  test('contain no junk, whatever the table holds', async (t) => {
    const { store, table } = await open(t, native)
    const expires = { N: String(nowInSeconds() + 60) }
    for (const id of [...accepted, ...rejected, 'h1-', '']) {
      await dynamodb.raw.putItem(table, { id: { S: `sess:${id}` }, expires, sess: { S: '{"cookie":{}}' } })
    }
    const hashed = rejected.filter((id) => /^h1-[\w-]{43}$/.test(id)).sort()
    assert.deepEqual((await store.ids()).sort(), hashed)
    assert.deepEqual((await store.all()).map(({ id }) => id).sort(), hashed)
  })
})

describe('a session with a hashed ID', () => {
  test('is touched, merged, and ended like others', needs('proxy'), async (t) => {
    const { store, read } = await open(t, native, { touchAfter: 0 })
    const sid = newSid()
    await set(store, sid)
    const before = await read(hashOf(sid))
    const [one, two] = [await openRequest(store, sid), await openRequest(store, sid)]
    one.session.a = 1
    two.session.b = 2
    await Promise.all([one.save(), two.save()])
    const { a, b } = await store.get(sid)
    assert.deepEqual([a, b], [1, 2])
    await store.touch(sid, newSession({}, 600_000))
    assert.ok(Number((await read(hashOf(sid))).expires.N) > Number(before.expires.N) + 500)
    await store.destroy(sid)
    one.session.a = 3
    await one.save()
    assert.equal(await read(hashOf(sid)), undefined)
  })

  test('is reaped by connect-dynamodb, and deleted by dynamodb-store, after it has expired', async (t) => {
    const [, connect, dynamoDBStore] = entries
    for (const entry of [connect, dynamoDBStore]) {
      const { store, read, keysOf, table } = await open(t, entry)
      const sid = newSid()
      await set(store, sid)
      await dynamodb.raw.setExpires(table, keysOf(hashOf(sid)), nowInSeconds() - 5)
      if (entry === connect)
        await new Promise((resolve, reject) => store.reap((error) => (error ? reject(error) : resolve())))
      else assert.equal(await isAlive(store, sid), false)
      assert.equal(await read(hashOf(sid)), undefined, entry.name)
    }
  })
})
