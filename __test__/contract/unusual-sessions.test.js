'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callBothWays, callWithCallback, callWithPromise } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertStoreError, failure } = require('../support/errors')
const { needs } = require('../support/features')
const { RandomJSON } = require('../support/random-json')
const { newSession, newSid, throughJSON } = require('../support/sessions')

const dynamodb = useDynamoDB()
const formats = ['json', 'map']

function nested(levels, innermost = {}) {
  let value = innermost
  for (let level = 0; level < levels; level++) value = { a: value }
  return value
}

function levelsOf(value) {
  let levels = 0
  for (let current = value; current.a; current = current.a) levels += 1
  return levels
}

/** Checks that a stored session is read back as JSON would return it. */
async function assertRoundTrip(store, value) {
  const sid = newSid()
  assert.deepEqual(await callBothWays(store, 'set', sid, value), { value: undefined })
  const { value: read } = await callBothWays(store, 'get', sid)
  assert.deepEqual(read, throughJSON(value))
  await store.destroy(sid)
}

/** Checks that `set` rejects a session with an error of the store, and writes no item. */
async function assertRejected(store, value) {
  const sid = newSid()
  const error = await failure(store, 'set', sid, value)
  assertStoreError(error, {
    code: /^(SerializationError|SerializationException|ValidationException)$/,
    secrets: [sid, 'SECRET']
  })
  assert.equal(await dynamodb.item(sid), undefined)
  return error
}

describe('sessions that both formats can store', () => {
  const cyclicButWithToJSON = { toJSON: () => ({ fine: true }) }
  cyclicButWithToJSON.self = cyclicButWithToJSON
  const cases = {
    'an empty session': {},
    'Unicode text': { text: 'Zürich, Ελλάδα, Україна, 日本, العربية, e\u0301', ключ: 1 },
    emoji: { '🚀': '👩‍👩‍👧‍👦🇨🇭\u{10ffff}' },
    'NUL characters': { 'a\0b': 'c\0d\0' },
    'control characters': {
      text: Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('') + '\x7f'
    },
    'quotes and backslashes': { '"\\"': '\\"\'`\\\\', '\\u0000': '\\ud800' },
    'line breaks': { text: 'a\nb\r\nc\u2028d\u2029e' },
    'markup and expressions': { text: '</script>${x}{{x}} #{x} :x', ':x': 1, '#x': 2, 'a.b[0]': 3 },
    'empty strings': { text: '', list: ['', ''] },
    'names of item attributes and types': {
      id: 'x',
      sess: 'x',
      expires: 5,
      type: 'x',
      S: 'x',
      M: {},
      N: '5',
      NULL: true
    },
    'names of members of Object.prototype': { constructor: 1, toString: 2, hasOwnProperty: { valueOf: null } },
    dates: { date: new Date(0), invalid: new Date(NaN) },
    'undefined and functions': { missing: undefined, method() {}, list: [undefined, () => {}, Symbol('s')] },
    symbols: { [Symbol('key')]: 1, value: Symbol('value') },
    'NaN and Infinity': { nan: NaN, list: [Infinity, -Infinity] },
    'zero and negative zero': { zero: 0, minus: -0 },
    numbers: { list: [1e21, 2 ** 53 + 2, -(2 ** 53) - 2, 0.1, 1 / 3, 1e-7, 1.7e100, 5e-130, 9.9e125] },
    'objects with toJSON': { money: { toJSON: () => '5 CHF' }, nested: { list: [new URL('http://localhost/a')] } },
    'a session with toJSON': cyclicButWithToJSON,
    buffers: { buffer: Buffer.from('hello'), bytes: new Uint8Array([1, 2]) },
    'maps, sets, regular expressions, errors': {
      map: new Map([[1, 2]]),
      set: new Set([1]),
      re: /x/,
      error: new Error('x')
    },
    'boxed values': { string: Object('s'), number: Object(5), boolean: Object(false) },
    'sparse arrays': { list: [, 1, , 2] }, // eslint-disable-line no-sparse-arrays
    'instances of classes': Object.assign(Object.create({ inherited: 1 }), { own: 2 }),
    'objects without a prototype': Object.assign(Object.create(null), { inner: Object.create(null) }),
    '10,000 keys': Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key ${i}`, i])),
    'an array of 10,000 numbers': { list: Array.from({ length: 10_000 }, (_, i) => i) },
    'a long string': { text: 'ö'.repeat(190_000) },
    'a long key': { ['k'.repeat(60_000)]: 1 },
    '29 nested levels': nested(29)
  }
  for (const format of formats) {
    for (const [name, value] of Object.entries(cases)) {
      const settings = format === 'map' && name === 'a long key' ? needs('longNames') : {}
      test(`${name} can be read back, format ${format}`, settings, () =>
        assertRoundTrip(dynamodb.store({ format }), value)
      )
    }
  }

  const ownProto = JSON.parse('{"__proto__":{"polluted":true},"inner":{"__proto__":5}}')
  for (const format of formats) {
    test(
      `an own property __proto__ can be read back, format ${format}`,
      format === 'map' ? needs('protoName') : {},
      async () => {
        await assertRoundTrip(dynamodb.store({ format }), ownProto)
        assert.equal({}.polluted, undefined)
      }
    )
  }
})

describe('sessions that only format json can store', () => {
  const cases = {
    'lone surrogates': { 'a\ud800': '\udc00 \ud83d', list: ['\ude80\ud83d'] },
    'an empty key': { '': 1, inner: { '': '' } },
    '40 nested levels': nested(40),
    'numbers out of range': { list: [1e126, 1e300, -1.7976931348623157e308, 1e-131, 5e-324] }
  }
  for (const [name, value] of Object.entries(cases)) {
    test(`${name} can be read back, format json`, () => assertRoundTrip(dynamodb.store(), value))

    test(`${name} can be read back or cause an error, format map`, async () => {
      const sid = newSid()
      const store = dynamodb.store({ format: 'map' })
      const { error } = await callBothWays(store, 'set', sid, value)
      if (error) await assertRejected(store, value)
      else assert.deepEqual(await store.get(sid), throughJSON(value))
    })
  }

  for (const format of formats) {
    for (const levels of [1000, 5000, 100_000]) {
      test(`${levels} nested levels can be read back or cause an error, format ${format}`, async () => {
        const sid = newSid()
        const store = dynamodb.store({ format })
        const { error } = await callBothWays(store, 'set', sid, nested(levels))
        if (error) await assertRejected(store, nested(levels))
        else assert.equal(levelsOf(await store.get(sid)), levels)
        if (format === 'json' && levels === 1000) assert.equal(error, undefined)
      })
    }
  }

  for (const [name, value] of [
    ['a lone surrogate', { text: '\ud800' }],
    ['a number out of range', { number: 1e300 }]
  ]) {
    test(`${name} causes an error, format map`, () => assertRejected(dynamodb.store({ format: 'map' }), value))
  }
})

describe('sessions that no format can store', () => {
  const cyclic = { secret: 'SECRET' }
  cyclic.self = cyclic
  const cases = {
    'a cycle': cyclic,
    'a BigInt': { number: 5n, secret: 'SECRET' },
    'a getter that throws': {
      get broken() {
        throw new Error('thrown by the getter')
      }
    },
    'a toJSON that throws': {
      inner: {
        toJSON() {
          throw new Error('thrown by toJSON')
        }
      }
    },
    'a toJSON that throws null': {
      toJSON() {
        throw null
      }
    },
    'a toJSON that returns undefined': { toJSON: () => undefined },
    'a toJSON that returns a string': { toJSON: () => 'SECRET' },
    null: null,
    undefined: undefined,
    'a number': 5,
    'a string': 'SECRET',
    'a function': () => {},
    'an array': [1, 2],
    'a symbol': Symbol('SECRET'),
    'a revoked proxy': revokedProxy()
  }
  function revokedProxy() {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
  for (const format of formats) {
    for (const [name, value] of Object.entries(cases)) {
      if (typeof value === 'function') continue
      test(`${name} causes an error, format ${format}`, () => assertRejected(dynamodb.store({ format }), value))
    }
  }

  test('a function as the session, followed by a callback, causes a SerializationError', async () => {
    const { error } = await callWithCallback(dynamodb.store(), 'set', newSid(), () => {})
    assertStoreError(error, { code: 'SerializationError' })
  })

  test('an error thrown by toJSON is the cause of the error', async () => {
    const error = await failure(dynamodb.store(), 'set', newSid(), cases['a toJSON that throws'])
    assert.equal(error.cause.message, 'thrown by toJSON')
  })

  test('a session of more than 400 KB causes a ValidationException', async () => {
    const error = await assertRejected(dynamodb.store(), { text: 'SECRET'.repeat(70_000) })
    assertStoreError(error, { code: 'ValidationException', operation: 'PutItem', tableName: dynamodb.table })
  })
})

describe('session IDs', () => {
  const ids = {
    'Unicode text': 'Ünïcödé 日本',
    emoji: '🚀👩‍👩‍👧‍👦',
    'NUL characters': 'a\0b',
    'quotes, backslashes, and line breaks': '"\\\'\r\n\t',
    'the name __proto__': '__proto__',
    'the prefix itself': 'sess:sess:x',
    spaces: '  ',
    'control characters': '\x01\x1f\x7f\u2028',
    'a key of almost 2,048 bytes': 'é'.repeat((2048 - 5 - 1) / 2)
  }
  for (const [name, sid] of Object.entries(ids)) {
    test(`${name} can be used as an ID`, async () => {
      const store = dynamodb.store()
      const sess = newSession({ name })
      assert.deepEqual(await callBothWays(store, 'set', sid, sess), { value: undefined })
      assert.equal((await dynamodb.item(sid)).id.S, `sess:${sid}`)
      assert.deepEqual((await callBothWays(store, 'get', sid)).value, throughJSON(sess))
      await store.touch(sid, sess)
      await store.destroy(sid)
      assert.equal(await dynamodb.item(sid), undefined)
    })
  }

  test('IDs that differ only in Unicode normalization are different', async () => {
    const store = dynamodb.store()
    await store.set('\u00e9', newSession({ which: 'composed' }))
    assert.equal(await store.get('e\u0301'), null)
  })

  const impossible = {
    'a key of more than 2,048 bytes': [{}, 'x'.repeat(2044)],
    'a key of more than 2,048 bytes in UTF-8': [{}, 'é'.repeat(1022)],
    'an empty ID without a prefix': [{ prefix: '' }, ''],
    'a sort key of more than 1,024 bytes': [{ hashKey: 'pk', sortKey: 'sk' }, 'x'.repeat(1020)],
    'a lone surrogate': [{}, 'a\ud800'],
    'a lone surrogate after a pair': [{}, '🚀\udc00b']
  }
  for (const [name, [options, sid]] of Object.entries(impossible)) {
    test(`${name} matches no session, and set fails with InvalidSessionIdError`, async () => {
      const store = dynamodb.store({ table: dynamodb.newTableName(), ...options })
      assert.deepEqual(await callBothWays(store, 'get', sid), { value: null })
      assertStoreError(await failure(store, 'set', sid, newSession()), { code: 'InvalidSessionIdError' })
      assert.deepEqual(await callBothWays(store, 'touch', sid, newSession()), { value: undefined })
      assert.deepEqual(await callBothWays(store, 'destroy', sid), { value: undefined })
    })
  }

  for (const [name, sid] of [
    ['a number', 5],
    ['undefined', undefined],
    ['null', null],
    ['an object', { toString: () => 'x' }],
    ['a symbol', Symbol('x')],
    ['an array', ['x']],
    ['a boolean', true]
  ]) {
    test(`${name} as an ID matches no session, and set fails with InvalidSessionIdError`, async () => {
      const store = dynamodb.store({ table: dynamodb.newTableName() })
      const { value, error } = await callBothWays(store, 'get', sid)
      if (error) assertStoreError(error, { code: 'InvalidSessionIdError' })
      else assert.equal(value, null)
      assertStoreError(await failure(store, 'set', sid, newSession()), { code: 'InvalidSessionIdError' })
      for (const [method, ...args] of [
        ['touch', sid, newSession()],
        ['destroy', sid]
      ]) {
        const { error: rejection } = await callBothWays(store, method, ...args)
        if (rejection) assertStoreError(rejection, { code: 'InvalidSessionIdError' })
      }
    })
  }
})

describe('touch with an invalid session', () => {
  for (const [name, session] of [
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['an empty object', {}],
    ['a cookie of null', { cookie: null }],
    ['a cookie of a string', { cookie: 'x' }],
    ['an invalid date', { cookie: { expires: new Date(NaN) } }],
    ['an expiry that is not a date', { cookie: { expires: 'never' } }],
    ['an infinite maxAge', { cookie: { maxAge: Infinity } }],
    ['maxAge false', { cookie: { maxAge: false, expires: false } }]
  ]) {
    test(`keeps the stored session or fails, given ${name}`, async () => {
      const sid = newSid()
      const store = dynamodb.store({ touchAfter: 0 })
      await store.set(sid, newSession())
      const { error } = await callBothWays(store, 'touch', sid, session)
      if (error) assertStoreError(error, { code: /./ })
      assert.match((await dynamodb.item(sid)).expires.N, /^\d+$/)
      assert.ok(await store.get(sid))
    })
  }

  test('fails if a getter of the session throws', async () => {
    const broken = {
      get cookie() {
        throw new Error('thrown by the getter')
      }
    }
    assertStoreError(await failure(dynamodb.store(), 'touch', newSid(), broken), { code: /./ })
  })
})

describe('300 random sessions', () => {
  const seed = Number(process.env.SEED ?? 20_261_121)
  for (const format of formats) {
    test(`can be read back, format ${format}`, async (t) => {
      t.diagnostic(`SEED=${seed}`)
      const random = new RandomJSON(seed)
      const store = dynamodb.store({ format })
      const sessions = Array.from({ length: 300 }, () => random.object())
      await Promise.all(
        sessions.map(async (session, index) => {
          const sid = `random-${format}-${index}`
          await store.set(sid, session)
          const { value, error } = await callWithPromise(store, 'get', sid)
          assert.deepEqual(error ?? value, throughJSON(session), `SEED=${seed}, session ${index}`)
        })
      )
    })
  }
})
