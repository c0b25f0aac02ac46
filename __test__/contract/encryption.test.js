'use strict'

const assert = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { describe, test } = require('node:test')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { runInNewContext } = require('node:vm')
const { collectEvents, eventually } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { assertOperationError, failure } = require('../support/errors')
const { hangUp, loseResponse, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { Client, LIFETIME, openRequest, scenario, startApp, startProcess } = require('../support/parallel-app')
const { expressSession, newKey, newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** A text that no other part of an item contains. */
const SECRET = 'Ann Example, ann@example.org'

/** The only item of a table, and its session attribute. */
async function onlyItem(table) {
  const items = await dynamodb.raw.items(table)
  assert.equal(items.length, 1)
  const [item] = items
  return { item, attribute: item.sess ?? item.session }
}

/** The key ID of an encrypted session. */
function keyIdOf({ B }) {
  assert.deepEqual([B[0], B[1]], [1, 1])
  return Buffer.from(B.subarray(3, 3 + B[2])).toString()
}

/** Sends a request as the client does. Returns the status, whether the response sets a cookie, and the body. */
async function exchange(client, body = {}) {
  const headers = { 'content-type': 'application/json', cookie: client.cookie }
  const response = await fetch(client.urls[0], { method: 'POST', headers, body: JSON.stringify(body) })
  const setsCookie = response.headers.getSetCookie().length > 0
  return { status: response.status, setsCookie, body: await response.json() }
}

const unknownKey = { status: 500, setsCookie: false, body: { error: 'EncryptionKeyError' } }

/** The fields of a session that the app has set. */
function fieldsOf({ cookie: _cookie, updated: _updated, lastModified: _modified, _expire, _maxAge, ...fields }) {
  return fields
}

describe('encryption in every store and framework', () => {
  for (const entry of entries) {
    for (const framework of entry.frameworks) {
      test(`is rolled out, rotated, and rolled back without a logout: ${entry.name} with ${framework}`, async (t) => {
        const table = await dynamodb.newTable(entry.schema)
        const [old, key] = [newKey('2026-11'), newKey('2026-12')]
        const client = new Client('')
        const deploy = async (encryption) => {
          const store = entry.create({ connection: dynamodb.connection, table }, { encryption })
          const app = await startApp(framework, { store })
          t.after(async () => {
            await app.close()
            await store.close()
          })
          client.urls = [app.url]
          return store
        }
        const expected = { name: SECRET }
        const save = async (step) => {
          expected[step] = step
          assert.deepEqual(fieldsOf(await client.send({ set: { [step]: step } })), expected)
          return (await onlyItem(table)).attribute
        }

        await deploy()
        await client.send({ set: { name: SECRET } })
        const plainType = Object.keys((await onlyItem(table)).attribute)[0]
        assert.notEqual(plainType, 'B')

        let store = await deploy({ keys: [old], write: false })
        assert.ok(plainType in (await save('reads both forms')))
        assert.ok(store.stats().plainReads > 0)

        store = await deploy({ keys: [old], acceptPlain: true })
        assert.equal(keyIdOf(await save('encrypts')), '2026-11')
        const reads = store.stats().plainReads
        assert.ok(reads > 0)
        const { item, attribute } = await onlyItem(table)
        assert.equal(Buffer.from(attribute.B).includes(SECRET.slice(0, 3)), false)
        assert.equal(JSON.stringify({ ...item, sess: undefined, session: undefined }).includes('Ann'), false)

        await deploy({ keys: [old] })
        assert.equal(keyIdOf(await save('accepts only encrypted sessions')), '2026-11')

        store = await deploy(async () => [key, old])
        assert.equal(keyIdOf(await save('has a new key')), '2026-12')
        assert.equal(store.stats().plainReads, 0)

        await deploy({ keys: [key] })
        assert.equal(keyIdOf(await save('has lost the old key')), '2026-12')

        for (const encryption of [undefined, { keys: [old] }]) {
          await deploy(encryption)
          assert.deepEqual(await exchange(client), unknownKey)
        }

        await deploy({ keys: [key], write: false })
        assert.ok(plainType in (await save('writes plain sessions again')))

        await deploy()
        assert.ok(plainType in (await save('is off')))

        store = await deploy({ keys: [key] })
        const corrupt = collectEvents(store, 'corrupt')
        assert.deepEqual(fieldsOf(await client.send()), {})
        assert.equal(corrupt[0].code, 'CorruptItemError')
      })
    }

    if (!entry.frameworks.includes('express')) continue

    test(`a touch moves the expiry and leaves the encrypted session as it is: ${entry.name}`, async (t) => {
      const table = await dynamodb.newTable(entry.schema)
      const always = { 'dynamodb-session/dynamodb-store': { touchInterval: 0 } }[entry.name] ?? { touchAfter: 0 }
      const encryption = { keys: [newKey()] }
      const store = entry.create({ connection: dynamodb.connection, table }, { encryption, ...always })
      t.after(() => store.close())
      const sid = newSid()
      await store.set(sid, expressSession({ name: SECRET }, { maxAge: LIFETIME }))
      const key = { [entry.schema.hashKey]: entry.prefix + sid }
      await dynamodb.raw.setExpires(table, key, nowInSeconds() + 100)
      const { attribute } = await onlyItem(table)
      const { session, touch } = await openRequest(store, sid)
      session.cookie.maxAge = LIFETIME
      await touch()
      const after = await onlyItem(table)
      assert.deepEqual(after.attribute, attribute)
      assert.ok(Number(after.item.expires.N) > nowInSeconds() + 1000)
      assert.equal((await store.get(sid)).name, SECRET)
    })
  }
})

describe('parallel requests lose nothing of an encrypted session', () => {
  const nothing = { updates: 0, deletes: 0, logouts: 0 }
  // In base64, a key can be sent to a different process.
  const keys = [newKey()].map(({ id, key }) => ({ id, key: key.toString('base64') }))
  const options = () => dynamodb.options({ encryption: { keys } })

  for (const framework of ['express', 'koa', 'fastify']) {
    test(`in one process: ${framework}`, async (t) => {
      const app = await startApp(framework, { store: dynamodb.store(options()) })
      t.after(app.close)
      assert.deepEqual(await scenario(app.url, 20), nothing)
    })

    test(`in three processes: ${framework}`, async (t) => {
      const apps = await Promise.all([1, 2, 3].map(() => startProcess(framework, 'dynamodb-session', options())))
      for (const app of apps) t.after(app.close)
      assert.deepEqual(
        await scenario(
          apps.map(({ url }) => url),
          20
        ),
        nothing
      )
    })
  }

  test('while half of the processes encrypt and the others still write plain sessions', async (t) => {
    const fleet = [{ write: false }, { acceptPlain: true }].map((more) => ({ encryption: { keys, ...more } }))
    for (const framework of ['express', 'koa', 'fastify']) {
      const starting = fleet.map((more) => startProcess(framework, 'dynamodb-session', dynamodb.options(more)))
      const apps = await Promise.all(starting)
      for (const app of apps) t.after(app.close)
      const urls = apps.map(({ url }) => url)
      assert.deepEqual(await scenario(urls, 20), nothing)
    }
  })

  for (const entry of entries) {
    const framework = entry.frameworks.includes('express') ? 'express' : 'koa'
    /** Two requests of one session. Their stores encrypt with different keys, and both know both keys. */
    const openTwo = async (t, onConflict) => {
      const table = await dynamodb.newTable(entry.schema)
      const [one, two] = [newKey('one'), newKey('two')]
      const stores = [
        [one, two],
        [two, one]
      ].map((both) =>
        entry.create({ connection: dynamodb.connection, table }, { encryption: { keys: both }, onConflict })
      )
      for (const store of stores) t.after(() => store.close())
      const sid = newSid()
      await stores[0].set(sid, expressSession({ a: 1, gone: 1 }, { maxAge: LIFETIME }), LIFETIME)
      const requests = [await openRequest(stores[0], sid, framework), await openRequest(stores[1], sid, framework)]
      return { stores, requests, read: async () => fieldsOf(await stores[0].get(sid)) }
    }

    test(`onConflict decides about them: ${entry.name}`, async (t) => {
      const merging = await openTwo(t, 'merge')
      merging.requests[0].session.b = 2
      delete merging.requests[0].session.gone
      merging.requests[1].session.c = 3
      for (const { save } of merging.requests) await save()
      assert.deepEqual(await merging.read(), { a: 1, b: 2, c: 3 })
      assert.equal(merging.stores[1].stats().merges, 1)

      const failing = await openTwo(t, 'fail')
      failing.requests[0].session.b = 2
      failing.requests[1].session.c = 3
      await failing.requests[0].save()
      await assert.rejects(failing.requests[1].save(), { code: 'ConflictError', retryable: true })
      assert.deepEqual(await failing.read(), { a: 1, gone: 1, b: 2 })

      const adding = await openTwo(t, (_field, base, theirs, mine) => theirs + mine - base)
      adding.requests[0].session.a += 10
      adding.requests[1].session.a += 100
      for (const { save } of adding.requests) await save()
      assert.deepEqual(await adding.read(), { a: 111, gone: 1 })
    })
  }
})

describe('a save of an encrypted session whose response is lost', needs('proxy'), () => {
  /** A store behind a proxy, and a request of a session that has added one to `count`. */
  async function open(options) {
    const proxy = await dynamodb.proxy()
    const encryption = { keys: [newKey()] }
    const store = dynamodb.store({ endpoint: proxy.endpoint, encryption, ...options })
    const sid = newSid()
    await store.set(sid, expressSession({ count: 0 }, { maxAge: LIFETIME }))
    const request = await openRequest(store, sid)
    request.session.count += 1
    proxy.reset()
    return { proxy, store, sid, request }
  }

  for (const [name, onConflict] of [
    ['merges', 'merge'],
    ['fails on conflicts', 'fail'],
    ['adds up conflicts', (_field, base, theirs, mine) => theirs + mine - base]
  ]) {
    test(`is recognized as written by a store that ${name}`, async () => {
      for (const lost of [hangUp, textResponse(500, '{}')]) {
        const { proxy, store, sid, request } = await open({ onConflict })
        proxy.on('PutItem', loseResponse(lost), 1)
        await request.save()
        assert.ok(proxy.sent('PutItem').length >= 2)
        assert.equal((await store.get(sid)).count, 1)
        assert.deepEqual([store.stats().merges, store.stats().conflicts], [0, 0])
      }
    })

    test(`is recognized as written if the app saves again, by a store that ${name}`, async () => {
      const { proxy, store, sid, request } = await open({ onConflict, maxAttempts: 1 })
      proxy.on('PutItem', loseResponse(textResponse(500, '{}')), 1)
      await assert.rejects(request.save(), { retryable: true })
      await request.save()
      assert.equal((await store.get(sid)).count, 1)
      request.session.count += 1
      await request.save()
      assert.equal((await store.get(sid)).count, 2)
      assert.deepEqual([store.stats().merges, store.stats().conflicts], [0, 0])
    })
  }
})

describe('keys', () => {
  async function encrypted() {
    const key = newKey()
    const store = dynamodb.store({ encryption: { keys: [key] } })
    const sid = newSid()
    await store.set(sid, newSession({ name: 'Ann' }))
    return { key, store, sid }
  }

  const bytes = randomBytes(32)
  const valid = {
    'a Buffer': bytes,
    'a Uint8Array': new Uint8Array(bytes),
    'a Uint8Array of another realm': runInNewContext('Uint8Array').from(bytes),
    'base64 text': bytes.toString('base64'),
    'base64 text without padding': bytes.toString('base64').replace('=', ''),
    'base64url text': bytes.toString('base64url')
  }

  test(`may be ${Object.keys(valid).join(', ')}`, async () => {
    const sid = newSid()
    await dynamodb.store({ encryption: { keys: [{ id: 'k', key: bytes }] } }).set(sid, newSession({ name: 'Ann' }))
    for (const key of Object.values(valid)) {
      for (const encryption of [{ keys: [{ id: 'k', key }] }, () => [{ id: 'k', key }]]) {
        assert.equal((await dynamodb.store({ encryption }).get(sid)).name, 'Ann')
      }
    }
  })

  test('are not left in memory that later buffers share', () => {
    const key = Buffer.alloc(32, 'a key that is in no other memory')
    for (const given of [key, key.toString('base64')]) {
      dynamodb.store({ encryption: { keys: [{ id: 'k', key: given }] } })
      assert.equal(Buffer.from(Buffer.allocUnsafe(1).buffer).includes(key), false)
    }
  })

  const detached = () => {
    const key = new Uint8Array(32)
    structuredClone(key.buffer, { transfer: [key.buffer] })
    return key
  }
  const withKey = (key) => [{ id: 'k', key }]
  const invalid = {
    'no array': bytes.toString('base64'),
    undefined: undefined,
    null: null,
    'an empty array': [],
    'an object': { id: 'k', key: bytes },
    'a key without an ID': [{ key: bytes }],
    'an empty ID': [{ id: '', key: bytes }],
    'an ID with a space': [{ id: 'a b', key: bytes }],
    'an ID with a line break': [{ id: 'a\n', key: bytes }],
    'an ID of 65 characters': [{ id: 'k'.repeat(65), key: bytes }],
    'duplicate IDs': [{ id: 'k', key: bytes }, newKey('other'), { id: 'k', key: randomBytes(32) }],
    'null as a key': [null],
    'a missing key': [{ id: 'k' }],
    '31 bytes': withKey(bytes.subarray(1)),
    '33 bytes': withKey(Buffer.concat([bytes, Buffer.alloc(1)])),
    'no bytes': withKey(Buffer.alloc(0)),
    '16 bytes in base64': withKey(bytes.subarray(16).toString('base64')),
    '64 bytes in base64': withKey(Buffer.concat([bytes, bytes]).toString('base64')),
    'hex text': withKey(bytes.toString('hex')),
    'base64 text with a line break': withKey(`${bytes.toString('base64')}\n`),
    'a password': withKey('correct horse battery staple'),
    'a password of 32 characters': withKey('correct-horse-battery-staple-123'),
    'an array of numbers': withKey([...bytes]),
    'a detached buffer': withKey(detached()),
    'a valid key and a short one': [newKey(), { id: 'k', key: bytes.subarray(8) }]
  }
  const secrets = ['base64', 'base64url', 'hex'].map((encoding) => bytes.subarray(16).toString(encoding).slice(4, 12))

  for (const [name, keys] of Object.entries(invalid)) {
    test(`are rejected by every store: ${name}`, async () => {
      for (const entry of entries) {
        const place = { connection: dynamodb.connection, table: dynamodb.table }
        assert.throws(
          () => entry.create(place, { encryption: { keys } }),
          ({ code, message }) => code === 'ConfigError' && !secrets.some((secret) => message.includes(secret))
        )
      }
      const { sid } = await encrypted()
      for (const encryption of [() => keys, async () => keys]) {
        const store = dynamodb.store({ encryption })
        const error = await failure(store, 'set', sid, newSession())
        const expected = { code: 'EncryptionKeyError', retryable: true, cause: undefined, secrets }
        assertOperationError(error, { operation: 'PutItem', tableName: dynamodb.table, ...expected })
        assert.equal((await failure(store, 'get', sid)).code, 'EncryptionKeyError')
      }
    })
  }

  test('that are wrong under the right ID open nothing, and unknown ones are an error', async () => {
    const { key, sid } = await encrypted()
    const wrong = dynamodb.store({ encryption: { keys: [newKey(key.id)] } })
    const corrupt = collectEvents(wrong, 'corrupt')
    assert.equal(await wrong.get(sid), null)
    await nextTurn()
    assert.equal(corrupt[0].code, 'CorruptItemError')
    for (const encryption of [{ keys: [newKey('other')] }, () => [newKey('other')], undefined]) {
      const error = await failure(dynamodb.store({ encryption }), 'get', sid)
      const expected = { operation: 'GetItem', tableName: dynamodb.table, code: 'EncryptionKeyError', retryable: true }
      assertOperationError(error, expected)
      if (encryption !== undefined) assert.match(error.message, new RegExp(`"${key.id}"`))
    }
  })

  test('may change after the store was created, without an effect on it', async () => {
    const { key, store, sid } = await encrypted()
    key.key.fill(0)
    assert.equal((await store.get(sid)).name, 'Ann')
  })
})

describe('keys from a function', { concurrency: true }, () => {
  /** An app whose key function calls the next of these functions, and the last of them from then on. */
  async function start(t, framework, answers, options) {
    const calls = []
    const keys = () => answers[Math.min(calls.push(0), answers.length) - 1]()
    const store = dynamodb.store({ encryption: { keys, ...options } })
    const app = await startApp(framework, { store })
    t.after(app.close)
    return { store, client: new Client(app.url), calls }
  }

  const outage = () => {
    throw new Error('no key service')
  }

  for (const framework of ['express', 'koa', 'fastify']) {
    test(`an outage of the key service does not affect a running process: ${framework}`, async (t) => {
      const key = newKey()
      const { client, calls } = await start(t, framework, [() => [key], outage], { refreshAfter: 0.001 })
      await client.send({ set: { user: 'Ann' } })
      const { cookie } = client
      await eventually(async () => {
        assert.deepEqual(await client.send({ set: { time: Date.now() } }).then(({ user }) => user), 'Ann')
        return calls.length >= 3
      }, 15_000)
      assert.equal(client.cookie, cookie)
    })

    test(`a process that starts in an outage fails until it ends, and logs out nobody: ${framework}`, async (t) => {
      const key = newKey()
      const { client } = await start(t, framework, [() => [key]])
      await client.send({ set: { user: 'Ann' } })
      const { client: restarted, calls } = await start(t, framework, [outage, async () => outage(), () => [key]])
      restarted.cookie = client.cookie
      const begun = performance.now()
      const responses = await Promise.all(Array.from({ length: 20 }, () => exchange(restarted)))
      if (calls.length < 3) for (const response of responses) assert.deepEqual(response, unknownKey)
      assert.ok(calls.length <= 1 + (performance.now() - begun) / 1000, 'at most one call per second')
      await eventually(async () => {
        const response = await exchange(restarted, { set: { again: true } })
        if (response.status === 500) assert.deepEqual(response, unknownKey)
        else assert.deepEqual(response.body, { user: 'Ann', again: true })
        return response.status === 200
      }, 15_000)
      assert.equal(calls.length, 3)
    })

    test(`readers that get a new key after the writers fail until then, and log out nobody: ${framework}`, async (t) => {
      const [old, key] = [newKey('old'), newKey('new')]
      const { client: reader, calls, store } = await start(t, framework, [() => [old], () => [key, old]])
      await reader.send({ set: { user: 'Ann' } })
      const { client: writer } = await start(t, framework, [() => [key, old]])
      writer.cookie = reader.cookie
      await writer.send({ set: { rotated: true } })
      const responses = await Promise.all(Array.from({ length: 20 }, () => exchange(reader)))
      // The function may be called again a second after its first call.
      if (calls.length === 1) for (const response of responses) assert.deepEqual(response, unknownKey)
      await eventually(async () => {
        const response = await exchange(reader, { set: { seen: true } })
        if (response.status === 500) assert.deepEqual(response, unknownKey)
        else assert.deepEqual(response.body, { user: 'Ann', rotated: true, seen: true })
        return response.status === 200
      }, 15_000)
      assert.equal(calls.length, 2)
      await nextTurn()
      assert.equal(store.stats().errors.CorruptItemError, undefined)
    })
  }

  test('a save does not overwrite a session that was encrypted with an unknown key since it was read', async () => {
    const [old, key] = [newKey('old'), newKey('new')]
    let keys = [old]
    const reader = dynamodb.store({ encryption: () => keys })
    const writer = dynamodb.store({ encryption: { keys: [key, old] } })
    const sid = newSid()
    await reader.set(sid, expressSession({ a: 1 }, { maxAge: LIFETIME }))
    const [one, two] = [await openRequest(reader, sid), await openRequest(writer, sid)]
    one.session.b = 2
    two.session.c = 3
    await two.save()
    await assert.rejects(one.save(), { code: 'EncryptionKeyError', retryable: true, message: /"new"/ })
    assert.deepEqual(fieldsOf(await writer.get(sid)), { a: 1, c: 3 })
    keys = [key, old]
    await eventually(() =>
      one.save().then(
        () => true,
        ({ code }) => assert.equal(code, 'EncryptionKeyError')
      )
    )
    assert.deepEqual(fieldsOf(await writer.get(sid)), { a: 1, b: 2, c: 3 })
  })
})
