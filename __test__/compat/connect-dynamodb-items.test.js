'use strict'

const assert = require('node:assert/strict')
const { before, describe, test } = require('node:test')
const session = require('express-session')
const { collectEvents, eventually } = require('../support/calls')
const { needs } = require('../support/features')
const { newKey, newSession, newSid, nowInSeconds, throughJSON } = require('../support/sessions')
const { Ours, call, useStores } = require('./support/connect-dynamodb-stores')

const { dynamodb, open, pair } = useStores()

/** The orders in which two stores share a table: [the name, the store that acts first, the store that acts second]. */
const directions = [
  ['connect-dynamodb, then dynamodb-session', (options) => pair(options)],
  ['dynamodb-session, then connect-dynamodb', (options) => pair(options).reverse()],
  ['two stores of dynamodb-session', (options) => [open(Ours, options), open(Ours, options)]]
]

describe('the items of the connect-dynamodb store', () => {
  const values = {
    text: 'text, "quoted" and 本 and \ud800',
    empty: '',
    numbers: [0, -1, 1.5, 1e300, 2 ** 53, NaN],
    none: null,
    missing: undefined,
    date: new Date(0),
    nested: { list: [1, [{ deep: true }]], '': 1 },
    bytes: Buffer.from('ab')
  }
  const cookies = {
    'a maxAge': { maxAge: 60_000, originalMaxAge: 60_000 },
    'a fractional maxAge': { maxAge: 59_999.5 },
    'a negative maxAge': { maxAge: -60_000 },
    'no maxAge': { originalMaxAge: null, expires: null },
    'a maxAge that is not a number': { maxAge: '60000' },
    'a date and no maxAge': { expires: new Date(Date.now() + 1e6).toISOString() }
  }

  async function itemsOfBoth(written, options = {}, place = options) {
    const items = []
    for (const store of pair(options)) {
      const sid = newSid()
      await call(store, 'set', sid, written)
      const item = await dynamodb.item(sid, place)
      items.push({ ...item, [options.hashKey ?? 'id']: { S: item[options.hashKey ?? 'id'].S.replace(sid, '') } })
    }
    return items
  }

  function assertSameItem([theirs, mine]) {
    assert.match(mine.expires.N, /^\d+$/)
    // The original adds to the current time rounded down. This store writes a moment later and rounds up.
    const later = mine.expires.N - theirs.expires.N
    assert.ok(later >= 0 && later <= 12, `${theirs.expires.N}, ${mine.expires.N}`)
    assert.deepEqual({ ...mine, expires: 0 }, { ...theirs, expires: 0 })
  }

  for (const [name, cookie] of Object.entries(cookies)) {
    test(`items are the same as those of connect-dynamodb for a cookie with ${name}`, async () =>
      assertSameItem(await itemsOfBoth({ cookie, ...values })))
  }

  test("items are the same as those of connect-dynamodb for express-session's Cookie", async () => {
    const cookie = new session.Cookie({ maxAge: 60_000, sameSite: 'lax', domain: 'example.com', secure: true })
    assertSameItem(await itemsOfBoth({ cookie, user: 'Ann' }))
  })

  test('items are the same as those of connect-dynamodb with options prefix and hashKey', async () => {
    const table = await dynamodb.newTable({ hashKey: 'sid' })
    for (const prefix of ['', 'app:']) {
      assertSameItem(await itemsOfBoth(newSession({ user: 'Ann' }), { table, prefix, hashKey: 'sid' }))
    }
  })

  test('items are the same as those of connect-dynamodb with special keys of every type', async () => {
    const specialKeys = [
      { name: 'user', type: 'S' },
      { name: 'age', type: 'N' },
      { name: 'admin', type: 'BOOL' },
      { name: 'key', type: 'B' },
      { name: 'roles', type: 'SS' },
      { name: 'marks', type: 'NS' },
      { name: 'list', type: 'L' },
      { name: 'map', type: 'M' },
      { name: 'none', type: 'NULL' }
    ]
    const options = { specialKeys }
    const [theirs, mine] = await itemsOfBoth(
      newSession({
        user: 'Ann',
        age: 4.5,
        admin: true,
        key: Buffer.from('k'),
        roles: ['a', 'b'],
        marks: ['1', '2.5'],
        list: [{ S: 'x' }, { N: '1' }],
        map: { inner: { L: [{ BOOL: true }] } },
        none: true
      }),
      options
    )
    assertSameItem([theirs, mine])
    assert.deepEqual(mine.age, { N: '4.5' })
    assertSameItem(await itemsOfBoth(newSession({ age: 1 }), { specialKeys, skipThrowMissingSpecialKeys: true }))
  })

  test('special keys accept a number for type S and a numeric string for type N', async () => {
    const specialKeys = [
      { name: 'user', type: 'S' },
      { name: 'age', type: 'N' }
    ]
    const sid = newSid()
    await call(open(Ours, { specialKeys }), 'set', sid, newSession({ user: 12, age: '7' }))
    const { user, age } = await dynamodb.item(sid)
    assert.deepEqual({ user, age }, { user: { S: '12' }, age: { N: '7' } })
  })

  test('special keys cannot replace the key, session, expiry, and type attributes', async () => {
    const specialKeys = ['id', 'expires', 'sess', 'type', 'user'].map((name) => ({ name, type: 'S' }))
    const store = open(Ours, { specialKeys })
    const sid = newSid()
    await call(store, 'set', sid, newSession({ id: 'x', expires: 'x', sess: 'x', type: 'x', user: 'Ann' }))
    assert.equal((await call(store, 'get', sid)).sess, 'x')
    const { type, user } = await dynamodb.item(sid)
    assert.deepEqual([type.S, user.S], ['connect-session', 'Ann'])
  })
})

for (const [name, stores] of directions) {
  describe(`stores that share a table: ${name}`, () => {
    let first, second
    before(() => ([first, second] = stores({})))

    test('one store reads and changes a session of the other', async () => {
      const sid = newSid()
      const written = newSession({ user: 'Ann', cart: ['tea'] })
      await call(first, 'set', sid, written)
      const read = await call(second, 'get', sid)
      // The original rounds the stored expiry down, so `get` may move the cookie's expiry by two seconds.
      const withoutExpires = ({ cookie: { expires: _expires, ...cookie }, ...session }) => ({ ...session, cookie })
      assert.deepEqual(withoutExpires(read), withoutExpires(throughJSON(written)))
      read.cart.push('cake')
      await call(second, 'set', sid, read)
      assert.deepEqual((await call(first, 'get', sid)).cart, ['tea', 'cake'])
    })

    test('one store touches a session of the other', async () => {
      const sid = newSid()
      await call(first, 'set', sid, newSession({ user: 'Ann' }))
      const { expires } = await call(second, 'touch', sid, newSession({ user: 'Eve' }, 900_000))
      assert.equal(typeof expires, 'string')
      assert.ok(Math.abs(expires - (nowInSeconds() + 900)) <= 12)
      assert.equal((await dynamodb.item(sid)).expires.N, expires)
      assert.equal((await call(first, 'get', sid)).user, 'Ann')
    })

    test('one store destroys a session of the other', async () => {
      const sid = newSid()
      await call(first, 'set', sid, newSession())
      await call(second, 'destroy', sid)
      await call(second, 'destroy', sid)
      assert.equal(await call(first, 'get', sid), null)
      assert.equal(await dynamodb.item(sid), undefined)
    })

    test('one store hides and reaps an expired session of the other', async () => {
      const [dead, alive] = [newSid(), newSid()]
      await call(first, 'set', dead, newSession({}, -20_000))
      await call(first, 'set', alive, newSession())
      assert.equal(await call(second, 'get', dead), null)
      assert.ok(await dynamodb.item(dead))
      await call(second, 'reap')
      assert.equal(await dynamodb.item(dead), undefined)
      assert.ok(await dynamodb.item(alive))
    })
  })
}

describe('get and getParsedSession', () => {
  const text = JSON.stringify({ user: 'Ann', cookie: {} })
  const sess = { S: text }
  const later = (seconds) => ({ N: String(Date.now() / 1000 + seconds) })
  const alike = {
    'a valid session': { sess, expires: later(60) },
    'an expired session': { sess, expires: later(-60) },
    'a session without an expiry': { sess },
    'an expiry of type S': { sess, expires: { S: 'never' } },
    'an item without a session': { expires: later(60) },
    'a session of type N': { sess: { N: '1' }, expires: later(60) },
    'an empty session text': { sess: { S: '' }, expires: later(60) },
    'broken JSON': { sess: { S: '{"user":' }, expires: later(60) }
  }
  for (const [name, item] of Object.entries(alike)) {
    test(`get and getParsedSession return what connect-dynamodb returns for ${name}`, async () => {
      const sid = newSid()
      await dynamodb.putItem(sid, item)
      const [theirs, mine] = await Promise.all(pair().map((store) => call(store, 'get', sid)))
      assert.deepEqual(mine, theirs)
      const [parsedByTheirs, parsedByMine] = pair().map((store) => store.getParsedSession({ Item: item }))
      assert.deepEqual(parsedByMine, parsedByTheirs)
    })
  }

  test('getParsedSession never throws', () => {
    for (const answer of [undefined, null, {}, { Item: {} }, { Item: { sess: null } }, { Item: { sess: { S: 5 } } }]) {
      assert.equal(open(Ours).getParsedSession(answer), null)
    }
  })

  test('get and getParsedSession return the same with encryption and maxLifetime', async () => {
    const [one, two] = [newKey('one'), newKey('two')]
    const plain = { sess: { S: '{"cookie":{}}' }, expires: later(60) }
    const [read, old] = [newSid(), newSid()]
    await call(open(Ours, { encryption: { keys: [one] } }), 'set', read, newSession())
    await dynamodb.putItem(old, { ...plain, created: later(-10) })
    const planted = newSid()
    await dynamodb.putItem(planted, plain)
    const encrypted = { encryption: { keys: [two, one] } }
    const accepting = { encryption: { keys: [two], acceptPlain: true } }
    for (const [sid, options, isFound] of [
      [read, encrypted, true],
      [planted, encrypted, false],
      [planted, accepting, true],
      [old, { maxLifetime: 5 }, false],
      [old, { maxLifetime: 60 }, true]
    ]) {
      const store = open(Ours, options)
      const got = await call(store, 'get', sid)
      assert.equal(got !== null, isFound)
      assert.deepEqual(store.getParsedSession({ Item: await dynamodb.item(sid) }), got)
    }
  })

  test('get and getParsedSession return null and emit corrupt for JSON that is not an object', async () => {
    for (const body of ['5', '"text"', 'null', '[]']) {
      const sid = newSid()
      await dynamodb.putItem(sid, { sess: { S: body }, expires: later(60) })
      const store = open(Ours)
      const corrupt = collectEvents(store, 'corrupt')
      assert.equal(await call(store, 'get', sid), null)
      assert.equal(store.getParsedSession({ Item: { sess: { S: body } } }), null)
      await eventually(() => corrupt.length === 2)
    }
  })

  test('a session ID that is a number is converted to a string', async () => {
    const [theirs, mine] = pair({ prefix: `${newSid()}:` })
    await call(theirs, 'set', 7, newSession({ user: 'Ann' }))
    assert.equal((await call(mine, 'get', 7)).user, 'Ann')
  })
})

describe('getExpiresValue', () => {
  test('getExpiresValue returns the value of connect-dynamodb, in whole seconds', () => {
    const [theirs, mine] = pair()
    for (const maxAge of [0, 1000, 1500.5, -1000, null, undefined, '5']) {
      const session = { cookie: { maxAge } }
      assert.ok(Number.isInteger(mine.getExpiresValue(session)))
      const expected = theirs.getExpiresValue(session)
      const later = mine.getExpiresValue(session) - expected
      assert.ok(later >= 0 && later <= 2.1, `${later} s after ${expected}`)
    }
  })

  test('getExpiresValue uses option ttl', () => {
    const expiresIn = (ttl) => open(Ours, { ttl }).getExpiresValue(newSession()) - Math.ceil(Date.now() / 1000)
    assert.ok([59, 60].includes(expiresIn(60)))
    assert.ok([89, 90].includes(expiresIn(() => 90)))
  })
})

describe('touch', () => {
  test('touch returns the results of connect-dynamodb 2 and 3', async () => {
    const store = open(Ours)
    const sid = newSid()
    await call(store, 'set', sid, newSession())
    const answer = await call(store, 'touch', sid, newSession({}, 120_000))
    assert.deepEqual(answer, { expires: answer.expires, Attributes: { expires: { N: answer.expires } } })
    assert.equal(answer.expires, (await dynamodb.item(sid)).expires.N)
  })

  test('touch of a missing session creates no item and emits missing', async () => {
    const store = open(Ours)
    const missing = collectEvents(store, 'missing')
    const sid = newSid()
    const { expires } = await call(store, 'touch', sid, newSession())
    assert.ok(Math.abs(expires - (nowInSeconds() + 60)) <= 12)
    assert.equal(await dynamodb.item(sid), undefined)
    await eventually(() => missing.length === 1)
  })

  test('touch always writes, unless touchAfter or disableTouch is set', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const touches = async (options) => {
      const store = open(Ours, { endpoint: proxy.endpoint, ...options })
      const sid = newSid()
      await call(store, 'set', sid, newSession())
      proxy.reset()
      const created = store.createSession({ sessionStore: store }, await call(store, 'get', sid))
      for (let i = 0; i < 3; i++) assert.match((await call(store, 'touch', sid, created)).expires, /^\d+$/)
      return proxy.sent('UpdateItem').length
    }
    assert.equal(await touches({}), 3)
    assert.equal(await touches({ touchAfter: 30 }), 0)
    assert.equal(await touches({ disableTouch: true }), 0)
  })
})
