'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callBothWays, collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries, openEntry } = require('../support/entry-points')
const { assertStoreError, failure } = require('../support/errors')
const { Client, startApp } = require('../support/parallel-app')
const { newKey, newSession, newSid } = require('../support/sessions')
const { assertSessionsOf, exists, logIn } = require('./support/users')

const dynamodb = useDynamoDB()

const open = (t, entry, options) => openEntry(t, dynamodb, entry, { user: 'userId', ...options })

for (const entry of entries) {
  describe(`the option user of ${entry.name}`, () => {
    const users = [
      ['ann', 'ann'],
      ['Zoë 🚀', 'Zoë 🚀'],
      [5, '5'],
      [0, '0'],
      [-1.5, '-1.5'],
      ['', undefined],
      [null, undefined],
      [undefined, undefined]
    ]

    test('is a path of the session, or a function that takes the session', async (t) => {
      const { store, create, read } = await open(t, entry, { user: 'passport.user' })
      const other = create({ user: ({ passport }) => passport?.user })
      for (const [user, text] of users) {
        const sids = [newSid(), newSid()]
        await store.set(sids[0], newSession({ passport: { user } }), 60_000)
        await other.set(sids[1], newSession({ passport: { user } }), 60_000)
        for (const sid of sids) assert.deepEqual((await read(sid)).user, text && { S: text })
        if (text !== undefined) await assertSessionsOf(store, user, sids)
        if (text !== undefined) await assertSessionsOf(store, text, sids)
      }
      for (const data of [
        {},
        { passport: null },
        { passport: 'user' },
        { passport: ['user'] },
        { 'passport.user': 1 }
      ]) {
        const sid = newSid()
        await store.set(sid, newSession(data), 60_000)
        assert.equal((await read(sid)).user, undefined, JSON.stringify(data))
      }
    })

    test('is not found where JSON does not look: on the prototype of the session', async (t) => {
      const { store, read } = await open(t, entry)
      const sid = newSid()
      await store.set(sid, Object.setPrototypeOf(newSession(), { userId: 'ann' }), 60_000)
      assert.equal((await read(sid)).user, undefined)
    })

    test('with an invalid user makes a save fail', async (t) => {
      const thrown = new Error('of the app')
      let user
      const { store, read } = await open(t, entry, {
        user: () => {
          if (user === thrown) throw thrown
          return user
        }
      })
      const invalid = [
        true,
        false,
        {},
        [],
        ['ann'],
        NaN,
        Infinity,
        Symbol('x'),
        () => {},
        '\ud800',
        'x'.repeat(2049),
        thrown
      ]
      for (user of invalid) {
        const sid = newSid()
        const error = await store.set(sid, newSession(), 60_000).then(
          () => assert.fail(String(user)),
          (error) => error
        )
        assertStoreError(error, { code: 'ConfigError', operation: 'PutItem' })
        assert.match(
          error.message,
          /option user failed: (the user must (be a non-empty string or a number|not be longer than 2048 bytes)|the function threw)/
        )
        if (user === thrown) assert.equal(error.cause, thrown)
        assert.equal(await read(sid), undefined)
      }
      const longest = 'é'.repeat(1024)
      for (user of [12n, longest]) {
        const [sid] = await logIn(store)
        await assertSessionsOf(store, String(user), [sid])
      }
    })

    test('that is a function whose promise rejects only makes a save fail', async (t) => {
      const { store } = await open(t, entry, { user: () => Promise.reject(new Error('of the app')) })
      await assert.rejects(store.set(newSid(), newSession(), 60_000), { code: 'ConfigError' })
      await new Promise(setImmediate)
    })

    test('idsOf and destroyAllOf find the sessions of the user, with callbacks and promises', async (t) => {
      const { store } = await open(t, entry)
      const [anns, bobs, others] = [
        await logIn(store, 'ann', 3),
        await logIn(store, 7, 2),
        await logIn(store, undefined, 1)
      ]
      const { value } = await callBothWays(store, 'idsOf', 'ann')
      assert.deepEqual(value.sort(), [...anns].sort())
      assert.deepEqual((await callBothWays(store, 'idsOf', 'nobody')).value, [])
      assert.deepEqual((await callBothWays(store, 'destroyAllOf', 'nobody')).value, 0)
      assert.equal(await store.destroyAllOf('ann'), 3)
      await assertSessionsOf(store, 'ann', [])
      for (const sid of anns) assert.equal(await exists(store, sid), false)
      await assertSessionsOf(store, 7, bobs)
      await new Promise((resolve, reject) => {
        store.destroyAllOf(7, (error, count) => {
          if (error) reject(error)
          else resolve(assert.equal(count, 2))
        })
      })
      assert.equal(await exists(store, others[0]), true)
    })

    test('destroyAllOf keeps the sessions in except', async (t) => {
      const { store } = await open(t, entry)
      let sids = await logIn(store, 'ann', 6)
      for (const [except, deleted] of [
        [sids[0], 0],
        [[sids[0], sids[1], newSid()], 0],
        [[], 0],
        [newSid(), 0]
      ]) {
        const kept = sids.filter((sid) => [except].flat().includes(sid))
        const count = await store.destroyAllOf('ann', { except })
        assert.equal(count, sids.length - kept.length + deleted)
        await assertSessionsOf(store, 'ann', kept)
        sids = [...kept, ...(await logIn(store, 'ann', 3))]
      }
      const { value } = await callBothWays(store, 'destroyAllOf', 'ann', { except: sids })
      assert.equal(value, 0)
      assert.equal(await store.destroyAllOf('ann', undefined), sids.length)
    })

    test('methods reject an invalid user and an invalid except', async (t) => {
      const { store } = await open(t, entry)
      const operations = { idsOf: 'Query', destroyAllOf: 'DeleteItem' }
      const sids = await logIn(store, 'ann', 1)
      for (const user of [undefined, null, '', {}, [], true, NaN, Symbol('x'), '\ud800', 'x'.repeat(2049)]) {
        for (const [method, operation] of Object.entries(operations)) {
          assertStoreError(await failure(store, method, user), { code: 'ConfigError', operation })
        }
      }
      for (const except of [5, null, {}, [5], [sids[0], undefined]]) {
        const error = await failure(store, 'destroyAllOf', 'ann', { except })
        assertStoreError(error, { code: 'InvalidSessionIdError', operation: 'DeleteItem' })
      }
      for (const options of [sids[0], sids, 5, true, { expect: sids[0] }, { except: sids[0], of: 'bob' }]) {
        const error = await failure(store, 'destroyAllOf', 'ann', options)
        assertStoreError(error, { code: 'ConfigError', operation: 'DeleteItem' })
      }
      await assertSessionsOf(store, 'ann', sids)
    })

    test('methods need the option', async (t) => {
      const { store } = await open(t, entry, { user: undefined })
      for (const method of ['idsOf', 'destroyAllOf']) {
        const error = await failure(store, method, 'ann')
        assertStoreError(error, { code: 'ConfigError' })
        assert.match(error.message, /the store does not have the option user/)
      }
    })

    test('with encryption, writes a keyed hash, and finds sessions under all keys', async (t) => {
      const [one, two] = [newKey('one'), newKey('two')]
      const { store, create, read } = await open(t, entry, { encryption: { keys: [one] } })
      const [first] = await logIn(store, 'ann')
      const [other] = await logIn(store, 'bob')
      const rotated = create({ encryption: { keys: [two, one] } })
      const [second] = await logIn(rotated, 'ann')
      const hashes = []
      for (const sid of [first, second, other]) hashes.push((await read(sid)).user.S)
      for (const hash of hashes) assert.match(hash, /^[\w-]{43}$/)
      assert.equal(new Set(hashes).size, 3)
      await assertSessionsOf(rotated, 'ann', [first, second])
      await assertSessionsOf(store, 'ann', [first])
      const [third] = await logIn(create({ encryption: { keys: [one], write: false } }), 'ann')
      assert.deepEqual((await read(third)).user, { S: 'ann' })
      await assertSessionsOf(rotated, 'ann', [first, second])
      const accepting = create({ encryption: { keys: [two, one], acceptPlain: true } })
      await assertSessionsOf(accepting, 'ann', [first, second, third])
      await assertSessionsOf(create({ encryption: { keys: [one, two], write: false } }), 'ann', [first, second, third])
      assert.equal(await accepting.destroyAllOf('ann', { except: second }), 2)
      await assertSessionsOf(accepting, 'ann', [second])
      await assertSessionsOf(accepting, 'bob', [other])
    })

    test('destroyAllOf calls the function that returns the keys once', async (t) => {
      let calls = 0
      const keys = [newKey('one')]
      const encryption = () => {
        calls += 1
        return keys
      }
      const { store } = await open(t, entry, { encryption })
      await logIn(store, 'ann', 3)
      calls = 0
      assert.equal(await store.destroyAllOf('ann'), 3)
      assert.equal(calls, 1)
    })

    for (const framework of entry.frameworks) {
      for (const onConflict of [undefined, 'overwrite', 'merge', 'fail']) {
        test(`a request of ${framework} with onConflict ${onConflict} does not bring an ended session back`, async (t) => {
          const { store, read } = await open(t, entry, { onConflict })
          let destroying
          const app = await startApp(framework, { store, onSession: () => destroying?.() })
          t.after(app.close)
          const missing = collectEvents(store, 'missing')
          const client = new Client(app.url)
          await client.send({ set: { userId: 'ann' } })
          const [sid] = await store.idsOf('ann')
          destroying = async () => assert.equal(await store.destroyAllOf('ann'), 1)
          await client.send({ set: { a: 1 } })
          destroying = undefined
          assert.equal(await read(sid), undefined)
          assert.deepEqual(await client.send(), {})
          assert.deepEqual([missing.length, missing[0].operation], [1, 'set'])
          assert.deepEqual(await store.idsOf('ann'), [])
        })
      }

      test(`an app on ${framework} logs out a user everywhere else`, async (t) => {
        const { store } = await open(t, entry)
        const app = await startApp(framework, { store })
        t.after(app.close)
        const [phone, laptop, tv] = Array.from({ length: 3 }, () => new Client(app.url))
        await phone.send({ set: { userId: 'ann' } })
        const [current] = await store.idsOf('ann')
        for (const client of [laptop, tv]) await client.send({ set: { userId: 'ann' } })
        assert.equal((await store.idsOf('ann')).length, 3)
        assert.equal(await store.destroyAllOf('ann', { except: current }), 2)
        assert.equal((await phone.send({ set: { a: 1 } })).userId, 'ann')
        for (const client of [laptop, tv]) assert.deepEqual(await client.send(), {})
        assert.deepEqual(await store.idsOf('ann'), [current])
      })
    }

    test('a session moves to the user that it has when it is saved', async (t) => {
      const { store, read } = await open(t, entry)
      const [sid] = await logIn(store, 'ann')
      await store.set(sid, newSession({ userId: 'bob' }), 60_000)
      await assertSessionsOf(store, 'ann', [])
      await assertSessionsOf(store, 'bob', [sid])
      await store.set(sid, newSession(), 60_000)
      await assertSessionsOf(store, 'bob', [])
      assert.equal((await read(sid)).user, undefined)
    })
  })
}
