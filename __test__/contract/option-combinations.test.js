'use strict'

// The table of combinations: each option that protects sessions, with each other and with the other options that affect how
// sessions are stored and saved, in every store.

const assert = require('node:assert/strict')
const { createHash } = require('node:crypto')
const { before, describe, test } = require('node:test')
const { useDynamoDB } = require('../support/dynamodb')
const { entries, openEntry } = require('../support/entry-points')
const { assertStoreError } = require('../support/errors')
const { needs } = require('../support/features')
const { LIFETIME, openRequest } = require('../support/parallel-app')
const { newKey, newSession, newSid } = require('../support/sessions')
const { useFakeDate } = require('./support/express')

const dynamodb = useDynamoDB()
const keys = [newKey()]
const specialKeys = [{ name: 'role', type: 'S' }]
const sum = (_field, base, theirs, mine) => (theirs ?? 0) + (mine ?? 0) - (base ?? 0)

/** The options that protect sessions, in their forms. */
const protections = {
  encryption: { encryption: { keys } },
  'encryption that accepts plain sessions': { encryption: { keys: async () => keys, acceptPlain: true } },
  'encryption that does not write': { encryption: { keys, write: false } },
  user: { user: 'userId' },
  compression: { compression: true },
  'compression with encryption': { compression: { withEncryption: true } },
  maxLifetime: { maxLifetime: 7200 },
  hashIds: { hashIds: true }
}

/** How sessions are stored and saved. */
const others = {
  "format: 'json'": { format: 'json' },
  "format: 'map'": { format: 'map' },
  specialKeys: { specialKeys },
  sortKey: { sortKey: 'sk' },
  "onConflict: 'merge'": { onConflict: 'merge' },
  "onConflict: 'overwrite'": { onConflict: 'overwrite' },
  "onConflict: 'fail'": { onConflict: 'fail' },
  'a function as onConflict': { onConflict: sum },
  'touchAfter: 0': { touchAfter: 0 },
  disableTouch: { disableTouch: true },
  // dynamodb-store takes milliseconds.
  ttl: { ttl: 900_000 }
}

/** Everything that can be combined. */
const everything = {
  encryption: { keys },
  user: ({ userId }) => userId,
  compression: { withEncryption: true },
  maxLifetime: 7200,
  hashIds: true,
  specialKeys,
  sortKey: 'sk'
}

/** Each protection alone and with each other option that it does not set itself, and everything with each other option. */
function combinations() {
  const variants = Object.entries({ ...protections, ...others })
  const pairs = Object.entries(protections).flatMap(([name, options], i) => [
    { name, options },
    ...variants
      .slice(i + 1)
      .filter(([, more]) => !Object.keys(more).some((option) => option in options))
      .map(([other, more]) => ({ name: `${name} and ${other}`, options: { ...options, ...more } }))
  ])
  const withEverything = Object.entries(others)
    .filter(([name]) => name !== "format: 'map'")
    .map(([name, options]) => ({ name: `everything and ${name}`, options: { ...everything, ...options } }))
  return [...pairs, ...withEverything]
}

const encrypts = ({ encryption }) => encryption !== undefined && encryption.write !== false

/** Why options cannot be combined, or undefined. */
function problemOf(options) {
  const { encryption, compression, format } = options
  if (encryption && compression === true)
    return /option compression with option encryption reveals, by the length of a session/
  if (format !== 'map') return undefined
  if (encrypts(options))
    return /option encryption cannot be combined with format: 'map': an encrypted session is binary data/
  if (compression)
    return /option compression cannot be combined with format: 'map': a compressed session is binary data/
  return undefined
}

/** The type that the session attribute must have, and its flags if that is binary. */
function formOf({ name }, options) {
  const flags = (encrypts(options) ? 1 : 0) + (options.compression ? 2 : 0)
  if (flags > 0) return { type: 'B', flags }
  const hasMaps = /\/(dynamodb-store|pwrdrvr)/.test(name)
  const isMap = hasMaps || (/koa-session/.test(name) ? options.format !== 'json' : options.format === 'map')
  return { type: isMap ? 'M' : 'S' }
}

function dataOf({ cookie: _cookie, updated: _updated, lastModified: _lastModified, _expire, _maxAge, ...data }) {
  return data
}

/** Creates, reads, saves in parallel, touches, lists, and ends a session. */
async function live(entry, { store, create, read }, options) {
  const [framework] = entry.frameworks
  const sid = newSid()
  const id = options.hashIds ? `h1-${createHash('sha256').update(sid).digest('base64url')}` : sid
  const { onConflict = entry === entries[0] ? 'merge' : 'overwrite' } = options
  const form = formOf(entry, options)
  const session = { userId: sid, role: 'admin', text: 'x'.repeat(3000) }
  const assertStored = async () => {
    const item = await read(id)
    const [[type, value]] = Object.entries(item.sess ?? item.session)
    assert.deepEqual({ type, ...(type === 'B' && { flags: value[1] }) }, form)
    assert.deepEqual(item.role, options.specialKeys && { S: 'admin' })
    assert.equal(item.created !== undefined, options.maxLifetime !== undefined)
    if (!options.user) assert.equal(item.user, undefined)
    else if (encrypts(options)) assert.match(item.user.S, /^[\w-]{43}$/)
    else assert.deepEqual(item.user, { S: sid })
    return Number(item.expires.N)
  }

  await store.set(
    sid,
    newSession({ ...session, _expire: Date.now() + LIFETIME, _maxAge: LIFETIME }, LIFETIME),
    LIFETIME
  )
  await assertStored()
  const [one, two] = [await openRequest(store, sid, framework), await openRequest(create(), sid, framework)]
  assert.deepEqual(dataOf(one.session), session)
  one.session.a = 1
  one.session.count = 5
  two.session.b = 2
  two.session.count = 7
  await one.save()
  const saved = two.save()
  let expected = { ...session, a: 1, b: 2, count: onConflict === sum ? 12 : 7 }
  if (onConflict === 'fail') {
    await assert.rejects(saved, { code: 'ConflictError', retryable: true })
    expected = { ...session, a: 1, count: 5 }
  } else await saved
  if (onConflict === 'overwrite') delete expected.a
  assert.deepEqual(dataOf(await store.get(sid)), expected)

  const before = await assertStored()
  if (framework === 'express') {
    const request = await openRequest(store, sid)
    request.session.touch()
    await request.touch()
  }
  const after = await assertStored()
  if (options.disableTouch) assert.equal(after, before)
  else assert.ok(after >= before, `${after - before} s`)
  assert.deepEqual(dataOf(await store.get(sid)), expected)

  const late = await openRequest(store, sid, framework)
  late.session.late = true
  if (options.user) {
    assert.deepEqual(await store.idsOf(sid), [id])
    assert.equal(await store.destroyAllOf(sid, { except: sid }), 0)
    assert.equal(await store.destroyAllOf(sid), 1)
    assert.deepEqual(await store.idsOf(sid), [])
  } else await store.destroy(sid)
  assert.equal(await read(id), undefined)
  if (options.user === undefined && onConflict === 'overwrite') return
  await late.save()
  assert.equal(await read(id), undefined)
}

for (const entry of entries) {
  describe(`the options of ${entry.name}`, { concurrency: 8 }, () => {
    const tables = {}
    before(async () => {
      const { schema } = entry
      tables.plain = await dynamodb.newTable({ ...schema, user: 'user' })
      tables.sorted = await dynamodb.newTable({ sortKey: 'sk', ...schema, user: 'user' })
    })

    for (const { name, options } of combinations()) {
      const problem = problemOf(options)
      if (problem === undefined) {
        test(`can be combined: ${name}`, async (t) => {
          const table = options.sortKey ? tables.sorted : tables.plain
          await live(entry, await openEntry(t, dynamodb, entry, options, table), options)
        })
      } else {
        test(`cannot be combined: ${name}`, () => {
          const create = () => entry.create({ connection: dynamodb.connection, table: 'sessions' }, options)
          assert.throws(create, (error) => {
            assertStoreError(error, { code: 'ConfigError' })
            assert.match(error.message, problem)
            return true
          })
        })
      }
    }

    const key = Buffer.alloc(32)
    const invalid = {
      encryption: [null, 5, 'key', [], {}, { keys: [] }, { keys: [{ id: 'k', key: 'short' }] }, { keys, writes: true }],
      user: [null, 5, {}, [], ''],
      compression: [null, 1, 'yes', [], { level: 9 }],
      maxLifetime: [null, 0, -1, 1.5, NaN, Infinity, '60', {}],
      hashIds: [null, 1, 'yes', {}]
    }
    for (const [name, values] of Object.entries(invalid)) {
      test(`are never ignored: an invalid ${name}`, () => {
        for (const value of values) {
          const create = () => entry.create({ connection: dynamodb.connection, table: 'sessions' }, { [name]: value })
          assert.throws(create, (error) => {
            assertStoreError(error, { code: 'ConfigError', secrets: ['short', key.toString('base64')] })
            assert.match(error.message, new RegExp(`option ${name}\\b`))
            return true
          })
        }
      })
    }

    test('are never ignored: an attribute of user or maxLifetime that is taken', () => {
      const { hashKey } = entry.schema
      for (const [option, attribute] of [
        [{ user: 'userId' }, 'user'],
        [{ maxLifetime: 60 }, 'created']
      ]) {
        for (const more of [
          { attributes: { [attribute]: 'expires' } },
          { attributes: { [attribute]: hashKey } },
          { attributes: { [attribute]: 5 } },
          { attributes: { [attribute]: '' } },
          { sortKey: attribute },
          { specialKeys: [{ name: attribute, type: 'S' }] },
          { user: 'userId', maxLifetime: 60, attributes: { user: 'same', created: 'same' } }
        ]) {
          const options = { ...option, ...more }
          const create = () => entry.create({ connection: dynamodb.connection, table: 'sessions' }, options)
          assert.throws(create, { code: 'ConfigError' }, JSON.stringify(options))
        }
      }
    })
  })
}

describe('a store that stamps sessions, if they are stored in a binary form', () => {
  const clock = useFakeDate()
  const [, , dynamoDBStore, pwrdrvr] = entries

  for (const [entry, interval] of [
    [dynamoDBStore, { touchInterval: 30_000 }],
    [pwrdrvr, { touchAfter: 30 }]
  ]) {
    for (const [form, options] of Object.entries({
      encrypted: { encryption: { keys } },
      compressed: { compression: true }
    })) {
      test(`touches the expiry of ${form} sessions in ${entry.name}, once per interval`, needs('proxy'), async (t) => {
        const proxy = await dynamodb.proxy()
        const { store, read } = await openEntry(t, dynamodb, entry, {
          endpoint: proxy.endpoint,
          ...interval,
          ...options
        })
        const sid = newSid()
        await store.set(sid, newSession({ text: 'x'.repeat(3000) }, LIFETIME))
        const before = await read(sid)
        const operationsAfter = async (seconds) => {
          clock.tick(seconds * 1000)
          proxy.reset()
          const request = await openRequest(store, sid)
          request.session.touch()
          await request.touch()
          return proxy.operations
        }
        assert.deepEqual(await operationsAfter(10), ['GetItem'])
        assert.deepEqual(await operationsAfter(30), ['GetItem', 'UpdateItem'])
        const after = await read(sid)
        assert.deepEqual(after.sess, before.sess)
        assert.ok(Number(after.expires.N) >= Number(before.expires.N) + 39)
        assert.deepEqual(await operationsAfter(10), ['GetItem'])
        assert.deepEqual(await operationsAfter(25), ['GetItem', 'UpdateItem'])
        assert.equal((await store.get(sid)).text.length, 3000)
      })
    }
  }
})
