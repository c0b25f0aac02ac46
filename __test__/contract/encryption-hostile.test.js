'use strict'

const assert = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { once } = require('node:events')
const { describe, test } = require('node:test')
const { setImmediate: nextTurn, setTimeout: sleep } = require('node:timers/promises')
const zlib = require('node:zlib')
const { collectEvents, settlesWithin } = require('../support/calls')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { assertOperationError, failure } = require('../support/errors')
const { needs } = require('../support/features')
const { LIFETIME, openRequest } = require('../support/parallel-app')
const { expressSession, newKey, newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

const inAnHour = () => ({ N: String(nowInSeconds() + 3600) })

/** Writes an item without the store. */
function plant(sid, sess, place) {
  return dynamodb.putItem(sid, { sess, expires: inAnHour() }, place)
}

/** The key of a session's item. */
function keyOf({ schema: { hashKey, sortKey }, prefix }, sid) {
  return { [hashKey]: prefix + sid, ...(sortKey && { [sortKey]: prefix + sid }) }
}

/** What a store reads: the session, 'corrupt' if it is none and an event reports it, or the code of an error. */
async function outcome(store, sid) {
  const corrupt = collectEvents(store, 'corrupt')
  try {
    const session = await store.get(sid)
    await nextTurn()
    if (session !== null) return session
    return corrupt.length === 1 && corrupt[0].code === 'CorruptItemError' ? 'corrupt' : 'missing'
  } catch (error) {
    assert.equal(error.retryable, true)
    return error.code
  } finally {
    store.removeAllListeners('corrupt')
  }
}

/** A store, and an encrypted session that it wrote. */
async function encrypted(options) {
  const key = newKey()
  const store = dynamodb.store({ encryption: { keys: [key] }, ...options })
  const sid = newSid()
  await store.set(sid, newSession({ name: 'Ann' }))
  const { sess } = await dynamodb.item(sid)
  return { key, store, sid, bytes: sess.B }
}

describe('a stored value that was changed is no session', () => {
  test('with a flipped bit at any position', async () => {
    const { key, store, sid, bytes } = await encrypted()
    const endOfKeyId = 3 + key.id.length
    for (let position = 0; position < bytes.length; position++) {
      const changed = Uint8Array.from(bytes)
      changed[position] ^= 1 << (position % 8)
      await plant(sid, { B: changed })
      const isKeyId = position >= 2 && position < endOfKeyId
      const possible = isKeyId ? ['corrupt', 'EncryptionKeyError'] : ['corrupt']
      assert.ok(possible.includes(await outcome(store, sid)), `byte ${position}`)
    }
    await plant(sid, { B: bytes })
    assert.equal((await outcome(store, sid)).name, 'Ann')
  })

  test('if it is truncated anywhere, or longer', async () => {
    const { store, sid, bytes } = await encrypted()
    for (let length = 1; length < bytes.length; length++) {
      await plant(sid, { B: bytes.subarray(0, length) })
      assert.equal(await outcome(store, sid), 'corrupt', `${length} bytes`)
    }
    for (const more of [[0], [1], randomBytes(16), bytes]) {
      await plant(sid, { B: Buffer.concat([bytes, Buffer.from(more)]) })
      assert.equal(await outcome(store, sid), 'corrupt')
    }
  })

  test('if it is junk', async () => {
    const { store, sid } = await encrypted()
    const tail = randomBytes(200)
    for (const start of [
      [0],
      [1],
      [2, 1, 1, 65],
      [1, 0],
      [1, 1],
      [1, 1, 0],
      [1, 1, 65],
      [1, 1, 1, 10],
      [1, 1, 2, 0xc3, 0xa9],
      [1, 1, 255],
      [1, 4],
      [1, 128],
      [1, 255],
      [1, 2]
    ]) {
      for (const bytes of [Buffer.from(start), Buffer.concat([Buffer.from(start), tail])]) {
        await plant(sid, { B: bytes })
        assert.equal(await outcome(store, sid), 'corrupt', bytes.toString('hex'))
      }
    }
    for (const value of [{ N: '1' }, { NULL: true }, { BS: [tail] }, { L: [{ B: tail }] }]) {
      await plant(sid, value)
      assert.equal(await outcome(store, sid), 'corrupt')
    }
  })

  test('if it was moved to a different ID, prefix, or table with a sort key', async () => {
    const table = await dynamodb.newTable({ hashKey: 'id', sortKey: 'sk' })
    const { key, sid, bytes } = await encrypted()
    const encryption = { keys: [key] }
    const other = newSid()
    await plant(other, { B: bytes })
    assert.equal(await outcome(dynamodb.store({ encryption }), other), 'corrupt')
    await plant(sid, { B: bytes }, { prefix: 'other:' })
    assert.equal(await outcome(dynamodb.store({ encryption, prefix: 'other:' }), sid), 'corrupt')
    const id = { S: `sess:${sid}` }
    await dynamodb.raw.putItem(table, { id, sk: id, sess: { B: bytes }, expires: inAnHour() })
    assert.equal(await outcome(dynamodb.store({ encryption, table, sortKey: 'sk' }), sid), 'corrupt')
  })

  test('but an older value of the same session is readable if somebody puts it back', async () => {
    const { store, sid, bytes } = await encrypted()
    await store.set(sid, newSession({ name: 'Ann', isBlocked: true }))
    await plant(sid, { B: bytes })
    const { name, isBlocked } = await store.get(sid)
    assert.deepEqual([name, isBlocked], ['Ann', undefined])
  })
})

describe('a plain session that somebody planted', () => {
  const text = JSON.stringify({ cookie: {}, role: 'admin' })
  const compressed = Buffer.concat([Buffer.from([1, 2]), randomBytes(16), zlib.deflateRawSync(text)])
  const planted = { text: { S: text }, map: { M: { role: { S: 'admin' } } }, 'compressed text': { B: compressed } }

  for (const [name, value] of Object.entries(planted)) {
    test(`is no session: ${name}`, async () => {
      const { key, store, sid } = await encrypted()
      await plant(sid, value)
      assert.equal(await outcome(store, sid), 'corrupt')
      assert.equal(store.stats().plainReads, 0)
      assert.equal((await dynamodb.store({ encryption: { keys: [key], acceptPlain: true } }).get(sid)).role, 'admin')
    })
  }

  for (const entry of entries) {
    test(`is overwritten, not merged, by a request in progress: ${entry.name}`, async (t) => {
      const table = await dynamodb.newTable(entry.schema)
      const framework = entry.frameworks.includes('express') ? 'express' : 'koa'
      for (const onConflict of ['merge', 'overwrite', 'fail']) {
        const encryption = { keys: [newKey()] }
        const store = entry.create({ connection: dynamodb.connection, table }, { encryption, onConflict })
        t.after(() => store.close())
        for (const value of Object.values(planted)) {
          const sid = newSid()
          await store.set(sid, expressSession({ name: 'Ann' }, { maxAge: LIFETIME }), LIFETIME)
          const { session, save } = await openRequest(store, sid, framework)
          const item = await dynamodb.raw.read(table, keyOf(entry, sid))
          await dynamodb.raw.putItem(table, { ...item, [item.sess ? 'sess' : 'session']: value })
          session.cart = 1
          await save()
          const { name, cart, role } = await store.get(sid)
          assert.deepEqual([name, cart, role], ['Ann', 1, undefined])
        }
        assert.equal(store.stats().merges, 0)
      }
    })
  }

  test('is no session for getParsedSession of connect-dynamodb', async (t) => {
    const entry = entries.find(({ name }) => name.endsWith('/connect-dynamodb'))
    const keys = [newKey()]
    const [strict, lenient] = [{ keys }, { keys, acceptPlain: true }].map((encryption) =>
      entry.create(dynamodb, { encryption })
    )
    t.after(() => Promise.all([strict.close(), lenient.close()]))
    const sid = newSid()
    await strict.set(sid, newSession({ name: 'Ann' }))
    const Item = await dynamodb.item(sid)
    assert.equal(strict.getParsedSession({ Item }).name, 'Ann')
    for (const sess of Object.values(planted)) {
      assert.equal(strict.getParsedSession({ Item: { ...Item, sess } }), null)
      assert.equal(lenient.getParsedSession({ Item: { ...Item, sess } }).role, 'admin')
    }
  })

  test('is not among all sessions', async () => {
    const table = await dynamodb.newTable()
    const store = dynamodb.store({ table, encryption: { keys: [newKey()] } })
    const sid = newSid()
    await store.set(sid, newSession({ name: 'Ann' }))
    for (const value of Object.values(planted)) await plant(newSid(), value, { table })
    assert.deepEqual(
      (await store.all()).map(({ id }) => id),
      [sid]
    )
  })
})

test('a compressed bomb is no session, and takes little memory', async () => {
  const megabyte = Buffer.alloc(2 ** 20, ' ')
  const deflate = zlib.createDeflateRaw({ level: 9 })
  const chunks = []
  deflate.on('data', (chunk) => chunks.push(chunk))
  for (let i = 0; i < 380; i++) if (!deflate.write(megabyte)) await once(deflate, 'drain')
  deflate.end()
  await once(deflate, 'end')
  const sid = newSid()
  const B = Buffer.concat([Buffer.from([1, 2]), randomBytes(16), ...chunks])
  assert.ok(B.length < 405_000)
  await plant(sid, { B })
  const script = `
    const run = async () => {
      for (const encryption of [undefined, () => [{ id: 'k', key: Buffer.alloc(32) }]]) {
        const store = new DynamoDBStore({ ...options, encryption })
        store.on('corrupt', ({ code }) => console.log(code))
        await store.set('other', { cookie: {} })
        const before = process.resourceUsage().maxRSS
        console.log(await store.get(${JSON.stringify(sid)}))
        const megabytes = (process.resourceUsage().maxRSS - before) / 1024
        if (megabytes > 100) console.log(megabytes, 'MB')
      }
    }
    run()`
  const { stdout, stderr } = await runScript(script, { options: dynamodb.options() })
  assert.deepEqual([stdout, stderr], ['CorruptItemError\nnull\nCorruptItemError\nnull\n', ''])
})

describe('a key function', () => {
  const thrown = new Error('no key service')
  const failing = {
    'throws synchronously': () => {
      throw thrown
    },
    rejects: () => Promise.reject(thrown),
    'returns a thenable that rejects': () => ({ then: (_resolve, reject) => reject(thrown) }) // oxlint-disable-line no-thenable
  }
  for (const [name, encryption] of Object.entries(failing)) {
    test(`that ${name} is the cause of a retryable error`, async () => {
      const store = dynamodb.store({ encryption })
      const error = await failure(store, 'set', newSid(), newSession())
      const expected = { code: 'EncryptionKeyError', retryable: true, cause: thrown }
      assertOperationError(error, { operation: 'PutItem', tableName: dynamodb.table, ...expected })
    })
  }

  for (const [name, encryption] of Object.entries({
    'throws nothing in particular': () => Promise.reject(), // oxlint-disable-line prefer-promise-reject-errors
    'returns keys with getters that throw': () => [
      {
        get id() {
          throw thrown
        }
      }
    ],
    'returns a proxy that throws': () => new Proxy([], { get: () => assert.fail() })
  })) {
    test(`that ${name} fails the operation with a retryable error`, async () => {
      const { code, retryable } = await failure(dynamodb.store({ encryption }), 'set', newSid(), newSession())
      assert.deepEqual([code, retryable], ['EncryptionKeyError', true])
    })
  }

  test('may be slow', async () => {
    const key = newKey()
    let calls = 0
    const store = dynamodb.store({ encryption: () => (calls++, sleep(200, [key])) })
    const sids = Array.from({ length: 20 }, newSid)
    await Promise.all(sids.map((sid) => store.set(sid, newSession({ sid }))))
    assert.equal(calls, 1)
    for (const sid of sids) assert.equal((await store.get(sid)).sid, sid)
  })

  test('may return tens of thousands of keys', async () => {
    const { key, sid } = await encrypted()
    const keys = Array.from({ length: 60_000 }, (_, index) => ({ id: `key-${index}`, key: key.key }))
    const store = dynamodb.store({ encryption: () => [...keys, key] })
    assert.equal((await store.get(sid)).name, 'Ann')
    assert.equal(
      (await failure(dynamodb.store({ encryption: () => [...keys, keys[0]] }), 'get', sid)).code,
      'EncryptionKeyError'
    )
  })

  test('that never settles fails the operation at the timeout, and does not keep the process alive', async () => {
    const { sid } = await encrypted()
    const never = () => new Promise(() => {})
    const store = dynamodb.store({ timeout: 500, encryption: never })
    for (const [method, ...args] of [
      ['get', sid],
      ['set', newSid(), newSession()]
    ]) {
      await settlesWithin(500, () => assert.rejects(store[method](...args), { code: 'EncryptionKeyError', retryable: true })) // prettier-ignore
    }
    const script = `
      const store = new DynamoDBStore({ ...options, timeout: 500, encryption: () => new Promise(() => {}) })
      store.get(${JSON.stringify(sid)}).catch(({ code, retryable }) => console.log(code, retryable))
    `
    const { code, stdout } = await runScript(script, { options: dynamodb.options() })
    assert.deepEqual([code, stdout], [0, 'EncryptionKeyError true\n'])
  })

  test(
    'is called about once a second at most for thousands of rows with junk key IDs',
    needs('thousands'),
    async () => {
      const table = await dynamodb.newTable()
      const key = newKey()
      let calls = 0
      const encryption = () => (calls++, [key])
      const store = dynamodb.store({ table, encryption })
      const good = newSid()
      await store.set(good, newSession({ name: 'Ann' }))
      const sids = Array.from({ length: 3000 }, newSid)
      for (let first = 0; first < sids.length; first += 25) {
        const requests = sids.slice(first, first + 25).map((sid) => {
          const id = randomBytes(8).toString('hex')
          const sess = { B: Buffer.concat([Buffer.from([1, 1, id.length]), Buffer.from(id), randomBytes(100)]) }
          return { PutRequest: { Item: { id: { S: `sess:${sid}` }, sess, expires: inAnHour() } } }
        })
        await dynamodb.raw.sdk.batchWriteItem({ RequestItems: { [table]: requests } })
      }
      const start = performance.now()
      calls = 0
      for (let first = 0; first < sids.length; first += 100) {
        const outcomes = await Promise.allSettled(sids.slice(first, first + 100).map((sid) => store.get(sid)))
        for (const { reason } of outcomes) assert.equal(reason?.code, 'EncryptionKeyError')
        assert.equal((await store.get(good)).name, 'Ann')
      }
      await assert.rejects(store.all(), { code: 'EncryptionKeyError', retryable: true })
      const seconds = (performance.now() - start) / 1000
      assert.ok(calls <= seconds + 2, `${calls} calls in ${seconds} seconds`)
      assert.equal((await store.ids()).length, 3001)
    }
  )
})

test('an ID that looks like a stored key is no session ID with hashIds', async () => {
  const { key } = await encrypted()
  const store = dynamodb.store({ encryption: { keys: [key] }, hashIds: true })
  const sid = newSid()
  await store.set(sid, newSession({ name: 'Ann' }))
  const stored = (await store.ids()).find((id) => id.startsWith('h1-'))
  const { operations } = store.stats()
  const missing = collectEvents(store, 'missing')
  assert.equal(await store.get(stored), null)
  await store.touch(stored, newSession())
  const error = await failure(store, 'set', stored, newSession({ name: 'Eve' }))
  assert.equal(error.code, 'InvalidSessionIdError')
  assert.equal(error.message.includes(stored), false)
  assert.deepEqual(store.stats().operations, operations, 'no request was sent')
  assert.equal(missing.length, 1)
  assert.equal((await store.get(sid)).name, 'Ann')
  await store.destroy(stored)
  assert.equal(await store.get(sid), null)
})

describe('no output contains a part of a key or of a session', () => {
  /** Parts of the bytes as any output could show them, without spaces. */
  function tracesOf(bytes) {
    const windows = (text, size) => Array.from({ length: text.length - size + 1 }, (_, i) => text.slice(i, i + size))
    const lists = Array.from({ length: bytes.length - 4 }, (_, i) => bytes.subarray(i, i + 5).join(','))
    const texts = ['base64', 'base64url'].flatMap((encoding) => windows(bytes.toString(encoding).replace('=', ''), 8))
    return [...lists, ...texts, ...windows(bytes.toString('hex'), 10)]
  }

  /** Prints all that an app could print about a store, its errors, its events, and its traces. */
  const script = `
    const { format, inspect } = require('node:util')
    const { tracingChannel } = require('node:diagnostics_channel')
    const { entries } = require('./__test__/support/entry-points')
    const { LIFETIME, openRequest } = require('./__test__/support/parallel-app')
    const { expressSession } = require('./__test__/support/sessions')
    const everything = { showHidden: true, depth: Infinity, getters: true, maxArrayLength: null, maxStringLength: null }
    function print(value) {
      console.log(value)
      console.error(value)
      console.log(inspect(value, everything))
      if (value instanceof Error) console.log(String(value), value.stack, value.cause, inspect(value.cause, everything))
      try {
        console.log(JSON.stringify(value), JSON.stringify(Object.getOwnPropertyDescriptors(Object(value))))
      } catch {}
    }
    const message = (context) => print({ ...context, error: context.error })
    const subscribers = { start: message, end: message, asyncStart: message, asyncEnd: message, error: message }
    tracingChannel('dynamodb-session:operation').subscribe(subscribers)
    process.on('warning', print)
    const { connection, tables, secret } = options
    const bytes = Buffer.from(options.key, 'base64')
    const [key, text] = [{ id: 'k', key: bytes }, bytes.toString('base64url')]
    const functions = [
      () => [key],
      () => { throw new Error('no key service') },
      () => text,
      () => ({ key: text }),
      () => [{ id: 'k', key: text + text }],
      () => [{ id: 'k', key: bytes.subarray(0, 31) }],
      () => [{ id: 'k' }, key],
      () => [{ key: text }],
      () => [key, key]
    ]
    const valid = [{ keys: [key] }, { keys: [{ id: 'k', key: text }], acceptPlain: true }, ...functions]
    const others = [{ keys: [{ id: 'k', key: Buffer.alloc(32) }] }, { keys: [{ id: 'other', key: Buffer.alloc(32) }] }]
    const invalid = [text, [text], { key: text }, new Map([[key.id, key]]), ...functions.slice(2).map((one) => ({ keys: one() }))]
    async function run(entry, encryption, more) {
      const table = tables[entry.name]
      const isKoa = !entry.frameworks.includes('express')
      let store
      try {
        store = entry.create({ connection, table }, { encryption, onConflict: 'merge', user: () => secret, ...more })
      } catch (error) {
        return print(error)
      }
      for (const event of ['corrupt', 'conflict', 'missing']) store.on?.(event, print)
      const session = () => expressSession({ secret }, { maxAge: 60_000 })
      const attempt = (work) => Promise.resolve().then(work).catch(print)
      await attempt(() => store.get('one', isKoa ? 60_000 : undefined, {}))
      await attempt(() => store.set('two', session(), 60_000))
      await attempt(() => store.touch?.('two', session()))
      await attempt(() => store.all?.())
      await attempt(() => store.idsOf(secret))
      await attempt(async () => {
        const [one, two] = [await openRequest(store, 'two', isKoa && 'koa'), await openRequest(store, 'two', isKoa && 'koa')]
        one.session.secret += 1
        two.session.secret += 2
        await one.save()
        await two.save()
      })
      await attempt(() => store.set('three', { cookie: {}, secret, get bad() { throw new Error('a getter') } }, 60_000))
      print(store)
      print(store.stats())
      await store.close()
    }
    async function main() {
      for (const entry of entries) {
        const table = tables[entry.name]
        const store = entry.create({ connection, table }, { encryption: { keys: [key] } })
        await store.set('one', expressSession({ secret }, { maxAge: 60_000 }), 60_000)
        await store.close()
        for (const encryption of [...valid, ...others, ...invalid, undefined]) await run(entry, encryption)
        await run(entry, { keys: [key] }, { compression: text })
        await run(entry, { keys: [key] }, { compression: { withEncryption: true }, specialKeys: [{ name: 'name', type: 'S' }] })
      }
    }
    main()`

  test('in a process that prints all it can', async () => {
    const bytes = randomBytes(32)
    const secret = randomBytes(24).toString('base64url')
    const tables = {}
    for (const { name, schema } of entries) tables[name] = await dynamodb.newTable(schema)
    const { connection } = dynamodb
    const { code, stdout, stderr } = await runScript(script, {
      options: { connection, tables, secret, key: bytes.toString('base64') },
      env: { NODE_DEBUG: 'dynamodb-session', DYNAMODB_STORE_DEBUG: '1', DEBUG: '*', NODE_OPTIONS: '--trace-warnings' }
    })
    assert.equal(code, 0, stderr.slice(-2000))
    for (const shown of [
      'ConfigError',
      'EncryptionKeyError',
      'CorruptItemError',
      'SerializationError',
      'sidHash',
      'merges: 1'
    ]) {
      assert.ok(stdout.includes(shown), shown)
    }
    assert.ok(stderr.includes('DYNAMODB_STORE') || stdout.includes('DYNAMODB_STORE'))
    const output = (stdout + stderr).replaceAll(/\s+/g, '')
    for (const trace of [...tracesOf(bytes), ...tracesOf(Buffer.from(secret)), secret.slice(4, 12)]) {
      const position = output.indexOf(trace)
      assert.equal(position, -1, `${trace} in ${output.slice(position - 200, position + 200)}`)
    }
  })
})
