'use strict'

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'

const assert = require('node:assert/strict')
const { EventEmitter, once } = require('node:events')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, beforeEach, describe, test } = require('node:test')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const AWS = require('aws-sdk')
const connect = require('connect')
const original = require('connect-dynamodb')
const express = require('express')
const session = require('express-session')
const ours = require('dynamodb-session/connect-dynamodb')
const { callWithCallback, callWithPromise, collectEvents } = require('../support/calls')
const { root, runNode, runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { eventually } = require('../support/eventually')
const { errorResponse, heldUntil } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { Browser } = require('../support/browser')
const { newSession, newSid, nowInSeconds, throughJSON } = require('../support/sessions')
const { testDeployments } = require('./support/deployment')

const dynamodb = useDynamoDB()
const Original = original(session)
const Ours = ours(session)
const stores = new Set()
const clients = new Set()
after(() => {
  for (const store of stores) store.clearInterval()
  for (const client of clients) client.destroy()
})

/** A client of the AWS SDK for this server, or for another that stands before it. */
function newClient(endpoint = dynamodb.connection.endpoint) {
  const client = new DynamoDBClient({ ...dynamodb.connection, endpoint })
  clients.add(client)
  return client
}

function open(Store, { endpoint, ...options } = {}) {
  const store = new Store({ client: newClient(endpoint), table: dynamodb.table, ...options })
  stores.add(store)
  return store
}

const pair = (options) => [open(Original, options), open(Ours, options)]

/** The value that a call answers with; what it fails with is thrown. */
async function call(store, method, ...args) {
  const { error, value } = await callWithCallback(store, method, ...args)
  if (error) throw error
  return value
}

/** Every way of two stores to share a table: [the name, the store that acts first, the other]. */
const directions = [
  ['original, ours', (options) => pair(options)],
  ['ours, original', (options) => pair(options).reverse()],
  ['ours, ours', (options) => [open(Ours, options), open(Ours, options)]]
]

/** The warnings of this face that a program brings; they come a little later. */
async function warningsOf(program) {
  await nextTurn()
  const warnings = []
  const listen = ({ message }) => message.startsWith('connect-dynamodb: ') && warnings.push(message)
  process.on('warning', listen)
  await program()
  await nextTurn()
  process.off('warning', listen)
  return warnings
}

describe('factory', () => {
  const sources = {
    'express-session': session,
    '{ session }': { session },
    '{ Store }': { Store: session.Store },
    'express 3 and connect 2': Object.assign(() => {}, { session })
  }
  for (const [name, source] of Object.entries(sources)) {
    test(`takes ${name}`, () => {
      for (const factory of [original, ours]) {
        const Store = factory(source)
        assert.equal(Store.name, 'DynamoDBStore')
        assert.equal(Store.length, 1)
        assert.ok(new Store({ client: newClient() }) instanceof session.Store)
        assert.notEqual(factory(source), Store)
      }
    })
  }

  test('refuses what has no Store', () => {
    for (const source of [undefined, null, {}, connect]) {
      assert.throws(() => original(source), TypeError)
      assert.throws(() => ours(source), TypeError)
    }
  })

  test('a class that extends it has its own methods called', async () => {
    class Mine extends Ours {
      get(sid, callback) {
        super.get(`mine-${sid}`, callback)
      }
    }
    const store = open(Mine)
    const sid = newSid()
    await call(store, 'set', `mine-${sid}`, newSession({ user: 'Ann' }))
    assert.equal((await call(store, 'get', sid)).user, 'Ann')
  })
})

describe('options as attributes', () => {
  const names = [
    'initialized',
    'prefix',
    'hashKey',
    'readCapacityUnits',
    'writeCapacityUnits',
    'specialKeys',
    'skipThrowMissingSpecialKeys',
    'client',
    'table',
    'reapInterval'
  ]
  const client = newClient('http://127.0.0.1:1')
  const given = [
    { client },
    { client, table: '', prefix: '', hashKey: 'sid' },
    { client, table: 'other', prefix: 'app:', initialized: true },
    { client, prefix: null, hashKey: null, readCapacityUnits: null, specialKeys: null, reapInterval: null },
    { client, readCapacityUnits: '25', writeCapacityUnits: 7.9 },
    { client, readCapacityUnits: 'junk', writeCapacityUnits: undefined },
    { client, specialKeys: [{ name: 'user', type: 'S' }] },
    { client, specialKeys: [{ name: 'user', type: 'S' }], skipThrowMissingSpecialKeys: true },
    { client, reapInterval: 1e6 }
  ]
  for (const options of given) {
    const { client: _, ...rest } = options
    test(JSON.stringify(rest), () => {
      const attributes = [Original, Ours].map((Store) => {
        const store = new Store(options)
        store.clearInterval()
        return Object.fromEntries(names.map((name) => [name, store[name]]))
      })
      assert.deepEqual(attributes[1], attributes[0])
    })
  }

  test('no options, null, and a client that is not there', () => {
    for (const options of [undefined, null, {}, { client: null }, { client: false }]) {
      const store = new Ours(options)
      assert.equal(store.table, 'sessions')
      assert.equal(store.client, undefined)
    }
  })

  test('skipThrowMissingSpecialKeys decides itself', () => {
    const specialKeys = [{ name: 'user', type: 'S' }]
    assert.equal(new Ours({ specialKeys, skipThrowMissingSpecialKeys: false }).skipThrowMissingSpecialKeys, false)
    assert.equal(new Ours({ skipThrowMissingSpecialKeys: true }).skipThrowMissingSpecialKeys, true)
  })

  test('what cannot be meant is warned of once, and left out', async () => {
    const odd = () => new Ours({ tabel: 'x', specialKeys: [{ name: 'sess', type: 'S' }] })
    const warnings = await warningsOf(() => [odd(), odd()])
    assert.equal(warnings.length, 2)
    assert.match(warnings.join(), /unknown option tabel; did you mean table\?/)
    assert.match(warnings.join(), /special key sess has the name of an attribute of every item/)
  })

  test('a client goes before the native options of where the service is', async () => {
    const elsewhere = { region: 'eu-west-1', endpoint: 'http://127.0.0.1:1', credentials: async () => null }
    const sid = newSid()
    await call(open(Original), 'set', sid, newSession({ user: 'Ann' }))
    const newStore = () => new Ours({ client: newClient(), table: dynamodb.table, ...elsewhere })
    assert.equal((await warningsOf(newStore)).length, 3)
    assert.equal((await call(newStore(), 'get', sid)).user, 'Ann')
  })

  test('a Store that is no EventEmitter does', async () => {
    const store = open(ours({ Store: class {} }))
    await call(store, 'touch', newSid(), newSession())
    assert.equal(await call(store, 'get', newSid()), null)
  })

  test('the options of today warn of nothing', async () => {
    const options = { ...dynamodb.connection, table: 'abc', prefix: '', touchAfter: 5, format: 'map', ttl: 50 }
    assert.deepEqual(await warningsOf(() => new Ours(options)), [])
  })
})

describe('items', () => {
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
    'a maxAge that is no number': { maxAge: '60000' },
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
    // The original counts from the last whole second; ours, a moment later, rounds up.
    const later = mine.expires.N - theirs.expires.N
    assert.ok(later >= 0 && later <= 2.1, `${theirs.expires.N}, ${mine.expires.N}`)
    assert.deepEqual({ ...mine, expires: 0 }, { ...theirs, expires: 0 })
  }

  for (const [name, cookie] of Object.entries(cookies)) {
    test(`the same with ${name}`, async () => assertSameItem(await itemsOfBoth({ cookie, ...values })))
  }

  test("the same with express-session's Cookie", async () => {
    const cookie = new session.Cookie({ maxAge: 60_000, sameSite: 'lax', domain: 'example.com', secure: true })
    assertSameItem(await itemsOfBoth({ cookie, user: 'Ann' }))
  })

  test('the same with prefix and hashKey', async () => {
    const table = await dynamodb.newTable({ hashKey: 'sid' })
    for (const prefix of ['', 'app:']) {
      assertSameItem(await itemsOfBoth(newSession({ user: 'Ann' }), { table, prefix, hashKey: 'sid' }))
    }
  })

  test('the same with special keys', async () => {
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

  test('a number for a special key of type S is its text, and text of a number is good for N', async () => {
    const specialKeys = [
      { name: 'user', type: 'S' },
      { name: 'age', type: 'N' }
    ]
    const sid = newSid()
    await call(open(Ours, { specialKeys }), 'set', sid, newSession({ user: 12, age: '7' }))
    const { user, age } = await dynamodb.item(sid)
    assert.deepEqual({ user, age }, { user: { S: '12' }, age: { N: '7' } })
  })

  test('special keys do not replace the attributes of every item', async () => {
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
  describe(`one table: ${name}`, () => {
    let first, second
    before(() => ([first, second] = stores({})))

    test('written, read, changed, read', async () => {
      const sid = newSid()
      const written = newSession({ user: 'Ann', cart: ['tea'] })
      await call(first, 'set', sid, written)
      const read = await call(second, 'get', sid)
      assert.deepEqual(read, throughJSON(written))
      read.cart.push('cake')
      await call(second, 'set', sid, read)
      assert.deepEqual((await call(first, 'get', sid)).cart, ['tea', 'cake'])
    })

    test('written, touched, read', async () => {
      const sid = newSid()
      await call(first, 'set', sid, newSession({ user: 'Ann' }))
      const { expires } = await call(second, 'touch', sid, newSession({ user: 'Eve' }, 900_000))
      assert.equal(typeof expires, 'string')
      assert.ok(Math.abs(expires - (nowInSeconds() + 900)) <= 1)
      assert.equal((await dynamodb.item(sid)).expires.N, expires)
      assert.equal((await call(first, 'get', sid)).user, 'Ann')
    })

    test('written, destroyed, gone', async () => {
      const sid = newSid()
      await call(first, 'set', sid, newSession())
      await call(second, 'destroy', sid)
      await call(second, 'destroy', sid)
      assert.equal(await call(first, 'get', sid), null)
      assert.equal(await dynamodb.item(sid), undefined)
    })

    test('written with an expiry that is past, absent, reaped', async () => {
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
    'a session': { sess, expires: later(60) },
    'an expired one': { sess, expires: later(-60) },
    'no expiry': { sess },
    'an expiry that is text': { sess, expires: { S: 'never' } },
    'no session': { expires: later(60) },
    'a session that is a number': { sess: { N: '1' }, expires: later(60) },
    'an empty text': { sess: { S: '' }, expires: later(60) },
    'broken JSON': { sess: { S: '{"user":' }, expires: later(60) }
  }
  for (const [name, item] of Object.entries(alike)) {
    test(`${name}: alike`, async () => {
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

  test('JSON that is no object is no session, and is told', async () => {
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

  test('an id that is no text stands for its text', async () => {
    const [theirs, mine] = pair({ prefix: `${newSid()}:` })
    await call(theirs, 'set', 7, newSession({ user: 'Ann' }))
    assert.equal((await call(mine, 'get', 7)).user, 'Ann')
  })
})

describe('getExpiresValue', () => {
  test('is what the original gives, in whole seconds', () => {
    const [theirs, mine] = pair()
    for (const maxAge of [0, 1000, 1500.5, -1000, null, undefined, '5']) {
      const session = { cookie: { maxAge } }
      assert.ok(Number.isInteger(mine.getExpiresValue(session)))
      const expected = theirs.getExpiresValue(session)
      const later = mine.getExpiresValue(session) - expected
      assert.ok(later >= 0 && later <= 2.1, `${later} s after ${expected}`)
    }
  })

  test('follows the native option ttl', () => {
    const expiresIn = (ttl) => open(Ours, { ttl }).getExpiresValue(newSession()) - Math.ceil(Date.now() / 1000)
    assert.ok([59, 60].includes(expiresIn(60)))
    assert.ok([89, 90].includes(expiresIn(() => 90)))
  })
})

describe('touch', () => {
  test('answers both majors', async () => {
    const store = open(Ours)
    const sid = newSid()
    await call(store, 'set', sid, newSession())
    const answer = await call(store, 'touch', sid, newSession({}, 120_000))
    assert.deepEqual(answer, { expires: answer.expires, Attributes: { expires: { N: answer.expires } } })
    assert.equal(answer.expires, (await dynamodb.item(sid)).expires.N)
  })

  test('creates nothing, and tells what is missing', async () => {
    const store = open(Ours)
    const missing = collectEvents(store, 'missing')
    const sid = newSid()
    const { expires } = await call(store, 'touch', sid, newSession())
    assert.ok(Math.abs(expires - (nowInSeconds() + 60)) <= 1)
    assert.equal(await dynamodb.item(sid), undefined)
    await eventually(() => missing.length === 1)
  })

  test('always writes, unless the app gives touchAfter', needs('proxy'), async () => {
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

describe('failures reach the callback', () => {
  const cycle = newSession()
  cycle.self = cycle
  const sessions = { 'a cycle': cycle, 'a BigInt': newSession({ n: 1n }), nothing: null, 'no cookie': undefined }
  for (const [name, session] of Object.entries(sessions)) {
    test(`set of ${name}`, async () => {
      const { error } = await callWithCallback(open(Ours), 'set', newSid(), session)
      assert.equal(error.code, 'SerializationError')
    })
  }

  test('a session without a cookie lives for a day', async () => {
    const sid = newSid()
    await call(open(Ours), 'set', sid, { user: 'Ann' })
    assert.ok(Math.abs((await dynamodb.item(sid)).expires.N - nowInSeconds() - 86_400) <= 1)
  })

  test('missing special keys are named', async () => {
    const specialKeys = ['user', 'team'].map((name) => ({ name, type: 'S' }))
    for (const options of [{}, { skipThrowMissingSpecialKeys: false }]) {
      const { error } = await callWithCallback(open(Ours, { specialKeys, ...options }), 'set', newSid(), newSession())
      assert.match(error.message, /special keys \["user","team"\]/)
    }
  })

  test('an id that is a symbol', async () => {
    for (const args of [['get'], ['set', newSession()], ['touch', newSession()], ['destroy']]) {
      const [method, ...rest] = args
      const { error } = await callWithCallback(open(Ours), method, Symbol('id'), ...rest)
      assert.equal(error.code, 'InvalidSessionIdError')
    }
  })

  test('the service is not there', async () => {
    const options = { ...dynamodb.connection, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 }
    const store = new Ours(options)
    for (const [method, ...args] of [
      ['get', 'a'],
      ['set', 'a', newSession()],
      ['touch', 'a', newSession()],
      ['destroy', 'a'],
      ['reap'],
      ['initialize'],
      ['all'],
      ['length']
    ]) {
      assert.equal((await callWithCallback(store, method, ...args)).error.code, 'NetworkError', method)
      assert.equal((await callWithPromise(store, method, ...args)).error.code, 'NetworkError', method)
    }
  })

  test('a callback that throws is called once', async () => {
    const script = `
      process.on('uncaughtException', (error) => console.log(error.message))
      const Store = require(DYNAMODB_SESSION + '/lib/compat/connect-dynamodb.js')(require('express-session'))
      const store = new Store(options)
      const sid = 'callback-that-throws'
      const session = { cookie: {} }
      const fail = (name) => () => { throw new Error(name) }
      store.get(sid, fail('get'))
      store.touch(sid, session, fail('touch'))
      store.destroy(sid, fail('destroy'))
      store.reap(fail('reap'))
      store.set(sid, { cookie: {}, n: 1n }, fail('set'))
    `
    const options = dynamodb.options()
    const { code, stdout, stderr } = await runScript(script.replace('DYNAMODB_SESSION', JSON.stringify(root)), {
      options
    })
    assert.equal(code, 0, stderr)
    assert.deepEqual(stdout.trim().split('\n').sort(), ['destroy', 'get', 'reap', 'set', 'touch'])
  })

  test('a call without a callback is sent, and its failure ends nothing', async () => {
    const store = open(Ours)
    const sid = newSid()
    store.set(sid, newSession({ user: 'Ann' }))
    await eventually(() => dynamodb.item(sid))
    store.destroy(sid)
    await eventually(async () => (await dynamodb.item(sid)) === undefined)
    new Ours({ ...dynamodb.connection, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 }).set(sid, newSession())
  })
})

describe('table', () => {
  const schemaOf = async (table) => {
    const { Table } = await dynamodb.raw.sdk.describeTable({ TableName: table })
    const { AttributeDefinitions, KeySchema, ProvisionedThroughput: units, BillingModeSummary } = Table
    return {
      AttributeDefinitions,
      KeySchema,
      units: [units.ReadCapacityUnits, units.WriteCapacityUnits],
      billing: BillingModeSummary?.BillingMode
    }
  }

  for (const options of [{}, { hashKey: 'sid', readCapacityUnits: '7', writeCapacityUnits: 3.5 }]) {
    test(`is created as by the original: ${JSON.stringify(options)}`, async () => {
      const schemas = []
      for (const Store of [Original, Ours]) {
        const store = open(Store, { table: dynamodb.newTableName(), ...options })
        const described = (await store.createSessionsTable()).TableDescription
        assert.equal(described.TableName, store.table)
        await eventually(async () => (await store.describeSessionsTable()).Table.TableStatus === 'ACTIVE')
        schemas.push(await schemaOf(store.table))
        await assert.rejects(store.createSessionsTable(), { name: 'ResourceInUseException' })
      }
      assert.deepEqual(schemas[1], schemas[0])
    })
  }

  test('one with another key is an error', async () => {
    const table = await dynamodb.newTable({ hashKey: 'other' })
    const store = open(Ours, { table })
    const expected = { code: 'ConfigError', message: /is other \(S\), not id \(S\)\. Set option hashKey to "other"/ }
    await assert.rejects(store.initialize(), expected)
    await assert.rejects(store.createTable(), expected)
    await assert.rejects(open(Ours, { table, createTable: true }).createTable(), expected)
  })

  test('time to live stays off', needs('timeToLive'), async () => {
    const store = open(Ours, { table: dynamodb.newTableName() })
    await store.initialize()
    const { TimeToLiveDescription } = await dynamodb.raw.sdk.describeTimeToLive({ TableName: store.table })
    assert.equal(TimeToLiveDescription.TimeToLiveStatus, 'DISABLED')
  })

  test('a missing one is created by the first operation', needs('provisioned'), async () => {
    for (const [method, ...args] of [
      ['get', 'a'],
      ['set', 'a', newSession()],
      ['touch', 'a', newSession()],
      ['reap']
    ]) {
      const store = open(Ours, { table: dynamodb.newTableName() })
      await call(store, method, ...args)
      assert.equal(store.initialized, true)
      assert.deepEqual((await schemaOf(store.table)).units, [5, 5])
    }
  })

  test('set writes the session as it was at the call, also when the table has to be created', async () => {
    const store = open(Ours, { table: dynamodb.newTableName(), specialKeys: [{ name: 'user', type: 'S' }] })
    const changing = newSession({ user: 'Ann', cart: ['tea'] })
    const answered = call(store, 'set', 'a', changing)
    changing.user = 'Eve'
    changing.cart.push('cake')
    await answered
    const { user, cart } = await call(store, 'get', 'a')
    assert.deepEqual({ user, cart }, { user: 'Ann', cart: ['tea'] })
    assert.equal((await dynamodb.item('a', { table: store.table })).user.S, 'Ann')
  })

  test('initialized: true creates none', async () => {
    const table = dynamodb.newTableName()
    for (const options of [{ initialized: true }, { createTable: false }]) {
      const store = open(Ours, { table, ...options })
      await store.initialize()
      const { error } = await callWithCallback(store, 'get', 'a')
      assert.equal(error.name, 'ResourceNotFoundException')
    }
    assert.equal(await dynamodb.raw.tableExists(table), false)
  })

  test('the native option createTable says how', async () => {
    for (const create of ['get', 'initialize', 'createTable']) {
      const store = open(Ours, { table: dynamodb.newTableName(), createTable: { ttl: false } })
      await call(store, create, ...(create === 'get' ? ['a'] : []))
      assert.equal((await schemaOf(store.table)).billing, 'PAY_PER_REQUEST')
    }
  })

  test('methods of the instance are called, once for all that wait', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const calls = []
    class Mine extends Ours {
      describeSessionsTable() {
        calls.push('describe')
        return super.describeSessionsTable()
      }
      createSessionsTable() {
        calls.push('create')
        return super.createSessionsTable()
      }
    }
    const store = open(Mine, { table: dynamodb.newTableName(), endpoint: proxy.endpoint })
    await Promise.all(Array.from({ length: 20 }, (_, i) => call(store, 'set', `user-${i}`, newSession({ i }))))
    assert.deepEqual(calls, ['describe', 'create'])
    assert.equal(proxy.sent('CreateTable').length, 1)
    await store.initialize()
    assert.deepEqual(calls, ['describe', 'create'])
    assert.equal((await call(store, 'get', 'user-7')).i, 7)
  })

  test('two stores at once agree on the one that is created', async () => {
    const table = dynamodb.newTableName()
    await Promise.all([open(Ours, { table }), open(Ours, { table })].map((store) => store.initialize()))
    assert.equal(await dynamodb.raw.tableExists(table), true)
  })

  test('one in the making is waited for', async () => {
    const slow = require('dynalite')({ createTableMs: 300 }).listen(0, '127.0.0.1')
    await once(slow, 'listening')
    const endpoint = `http://127.0.0.1:${slow.address().port}`
    const [one, other] = [open(Ours, { endpoint, table: 'slow' }), open(Ours, { endpoint, table: 'slow' })]
    await Promise.all([call(one, 'set', 'a', newSession({ user: 'Ann' })), other.initialize()])
    assert.equal((await call(other, 'get', 'a')).user, 'Ann')
    slow.closeAllConnections()
    await new Promise((resolve) => slow.close(resolve))
  })

  test('only a missing table is created', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('DescribeTable', errorResponse(400, 'AccessDeniedException'))
    const store = open(Ours, { endpoint: proxy.endpoint })
    await assert.rejects(store.initialize(), { name: 'AccessDeniedException' })
    await call(store, 'get', 'a')
    assert.equal(store.initialized, true)
    assert.deepEqual(proxy.operations, ['DescribeTable', 'GetItem'])
  })

  test('requests name what those of the original name', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = dynamodb.newTableName()
    const bodies = []
    for (const Store of [Original, Ours]) {
      const store = open(Store, { table, endpoint: proxy.endpoint })
      await call(store, 'get', 'a')
      await call(store, 'destroy', 'a')
      const [creation] = proxy.sent('CreateTable')
      const [{ TableName, Key, ConsistentRead }] = proxy.sent('GetItem').slice(-1)
      const [deletion] = proxy.sent('DeleteItem')
      bodies.push({ creation, read: { TableName, Key, ConsistentRead }, deletion: [deletion.TableName, deletion.Key] })
      proxy.reset()
      await dynamodb.raw.deleteTable(table)
      await eventually(async () => !(await dynamodb.raw.tableExists(table)))
    }
    assert.deepEqual(bodies[1], bodies[0])
  })
})

describe('reap', () => {
  const old = { expires: { N: '1000' } }

  test('deletes what has expired under the prefix, page by page, and answers once', async () => {
    const table = await dynamodb.newTable()
    const store = open(Ours, { table })
    const large = 'x'.repeat(390_000)
    for (let i = 0; i < 6; i++) await dynamodb.putItem(`dead-${i}`, { sess: { S: large }, ...old }, { table })
    await dynamodb.putItem('alive', { sess: { S: '{}' } }, { table })
    // A foreign key whose rest is the id of a session that is alive.
    await dynamodb.putItem('alive', old, { table, prefix: 'else:' })
    await call(store, 'reap')
    const keys = (await dynamodb.raw.items(table)).map((item) => item.id.S)
    assert.deepEqual(keys.sort(), ['else:alive', 'sess:alive'])
  })

  test('spares a session that comes alive in between', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = await dynamodb.newTable()
    await dynamodb.putItem('a', { sess: { S: '{}' }, ...old }, { table })
    let release
    proxy.on('Scan', heldUntil(new Promise((resolve) => (release = resolve))))
    const reaped = call(open(Ours, { table, endpoint: proxy.endpoint }), 'reap')
    await eventually(() => proxy.operations.includes('Scan'))
    await dynamodb.setExpires('a', nowInSeconds() + 60, { table })
    release()
    await reaped
    assert.ok(await dynamodb.item('a', { table }))
  })

  test('errors of deletes are answered', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = await dynamodb.newTable()
    await dynamodb.putItem('a', old, { table })
    proxy.on('DeleteItem', errorResponse(400, 'AccessDeniedException'))
    const { error } = await callWithCallback(open(Ours, { table, endpoint: proxy.endpoint }), 'reap')
    assert.equal(error.code, 'AccessDeniedException')
  })

  test('runs every reapInterval until clearInterval', async () => {
    const table = await dynamodb.newTable()
    const store = open(Ours, { table, reapInterval: 20 })
    for (const sid of ['a', 'b']) {
      await dynamodb.putItem(sid, { sess: { S: '{}' }, ...old }, { table })
      await eventually(async () => (await dynamodb.item(sid, { table })) === undefined)
    }
    store.clearInterval()
    await store.reap()
    await dynamodb.putItem('c', old, { table })
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.ok(await dynamodb.item('c', { table }))
  })

  test('a failing run of the timer is an event and ends nothing', async () => {
    const endpoint = 'http://127.0.0.1:1'
    const store = new Ours({ ...dynamodb.connection, endpoint, maxAttempts: 1, reapInterval: 20 })
    const errors = collectEvents(store, 'reapError')
    await eventually(() => errors.length > 1)
    await store.close()
    assert.equal(errors[0].code, 'NetworkError')
  })

  test('the timer keeps no process alive', async () => {
    const script = `
      const Store = require(DYNAMODB_SESSION + '/lib/compat/connect-dynamodb.js')(require('express-session'))
      new Store({ reapInterval: 60_000, region: 'us-east-1' })
    `
    const { code, stderr } = await runScript(script.replace('DYNAMODB_SESSION', JSON.stringify(root)))
    assert.equal(code, 0, stderr)
  })
})

describe('configuration of 2.x', needs('proxy', 'anyCredentials'), () => {
  let proxy, directory
  before(async () => {
    proxy = await dynamodb.proxy()
    directory = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-'))
  })
  beforeEach(() => proxy.reset())
  after(() => rmSync(directory, { recursive: true }))

  const { AWS_REGION } = process.env
  const configuration = (accessKeyId, region) => ({
    endpoint: proxy.endpoint,
    accessKeyId,
    secretAccessKey: 'x',
    region
  })

  async function signerOf(options) {
    const store = new Ours({ table: dynamodb.table, ...options })
    const sid = newSid()
    await call(store, 'set', sid, newSession({ user: 'Ann' }))
    assert.equal((await call(store, 'get', sid)).user, 'Ann')
    await store.close()
    const [, id, region] = proxy.requests.at(-1).headers.authorization.match(/Credential=([^/]+)\/\d+\/([^/]+)/)
    return { store, signer: `${id} in ${region}` }
  }

  test('the first of client, path, JSON and region counts', async () => {
    const AWSConfigPath = path.join(directory, 'aws.json')
    writeFileSync(AWSConfigPath, JSON.stringify(configuration('PATH', 'eu-west-1')))
    const AWSConfigJSON = configuration('JSON', 'eu-west-2')
    const AWSRegion = 'eu-west-3'
    const client = new AWS.DynamoDB(configuration('CLIENT', 'eu-north-1'))
    const { endpoint, credentials } = { ...dynamodb.connection, endpoint: proxy.endpoint }

    const withClient = await signerOf({ client, AWSConfigPath, AWSConfigJSON, AWSRegion })
    assert.equal(withClient.signer, 'CLIENT in eu-north-1')
    assert.equal(withClient.store.client, client)
    const withPath = await signerOf({ AWSConfigPath, AWSConfigJSON, AWSRegion })
    assert.equal(withPath.signer, 'PATH in eu-west-1')
    assert.equal(withPath.store.AWSRegion, undefined)
    assert.equal((await signerOf({ AWSConfigJSON, AWSRegion })).signer, 'JSON in eu-west-2')
    const withRegion = await signerOf({ endpoint, credentials, AWSRegion })
    assert.equal(withRegion.signer, `${credentials.accessKeyId} in eu-west-3`)
    assert.equal(withRegion.store.AWSRegion, AWSRegion)
    assert.equal(AWS.config.region, AWS_REGION, 'the configuration of the SDK is left alone')
  })

  test('a file that is not there is thrown by the constructor', () => {
    assert.throws(() => new Ours({ AWSConfigPath: path.join(directory, 'none.json') }), { code: 'ENOENT' })
  })
})

describe('the examples of the README', () => {
  /** The options as the README has them, but for the endpoint of this server. */
  const options = (store = {}) => ({
    table: dynamodb.table,
    client: newClient(),
    readCapacityUnits: 25,
    writeCapacityUnits: 25,
    specialKeys: [{ name: 'userId', type: 'S' }],
    skipThrowMissingSpecialKeys: true,
    ...store
  })
  const optionsOf2 = () => ({
    table: dynamodb.table,
    AWSConfigJSON: { ...dynamodb.connection.credentials, region: 'us-east-1', endpoint: dynamodb.connection.endpoint },
    client: new AWS.DynamoDB({
      endpoint: new AWS.Endpoint(dynamodb.connection.endpoint),
      region: dynamodb.connection.region,
      credentials: dynamodb.connection.credentials
    }),
    readCapacityUnits: 25,
    writeCapacityUnits: 25
  })
  /** What connect 2 and express 3 brought with them. */
  const bundled = { session, cookieParser: () => (req, res, next) => next() }
  const settings = { secret: 'keyboard cat', resave: false, saveUninitialized: false }

  async function assertKeepsSessions(app) {
    app.use((req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      req.session.userId = 'Ann'
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify({ views: req.session.views, id: req.sessionID }))
    })
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const browser = new Browser(`http://127.0.0.1:${server.address().port}`)
      await browser.get('/')
      const { body } = await browser.get('/')
      assert.equal(body.views, 2)
      return await dynamodb.item(body.id)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  test('with connect', async () => {
    const connect2 = Object.assign(() => connect(), bundled)
    const DynamoDBStore = ours(connect2)
    const app = connect2()
      .use(connect2.cookieParser())
      .use(connect2.session({ store: new DynamoDBStore(options()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })

  test('with express 3', async () => {
    const express3 = Object.assign((...middleware) => express().use(...middleware), bundled)
    const DynamoDBStore = ours(express3)
    const app = express3(
      express3.cookieParser(),
      express3.session({ store: new DynamoDBStore(options()), ...settings })
    )
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })

  test('with express 4, { session }', async () => {
    const app = require('express4')()
    const DynamoDBStore = ours({ session: session })
    app.use(session({ store: new DynamoDBStore(options()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })

  test('with express 4, session', async () => {
    const app = require('express4')()
    const DynamoDBStore = ours(session)
    app.use(session({ store: new DynamoDBStore(options()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })

  test('of 2.x', async () => {
    const DynamoDBStore = ours({ session: session })
    const app = express().use(session({ store: new DynamoDBStore(optionsOf2()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).type.S, 'connect-session')
  })

  test('connect 3 with express-session', async () => {
    const DynamoDBStore = ours({ session })
    const app = connect().use(session({ store: new DynamoDBStore(options()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })
})

describe('native methods', () => {
  test('all, ids, length, clear, describeTable, createTable, close', async () => {
    const table = await dynamodb.newTable()
    const [theirs, mine] = pair({ table })
    assert.ok(mine instanceof EventEmitter)
    await call(theirs, 'set', 'a', newSession({ user: 'Ann' }))
    assert.deepEqual(await call(mine, 'ids'), ['a'])
    assert.equal((await call(mine, 'all'))[0].user, 'Ann')
    assert.equal(await call(mine, 'length'), 1)
    await call(mine, 'clear')
    assert.equal(await call(theirs, 'get', 'a'), null)
    assert.equal((await call(mine, 'describeTable')).TableName, table)
    assert.equal((await call(mine, 'createTable')).TableName, table)
    await call(mine, 'close')
    assert.equal((await callWithCallback(mine, 'get', 'a')).error.code, 'ClosedError')
  })
})

describe('a rolling deployment', () => {
  testDeployments('express-shop.js', ['connect-dynamodb', 'dynamodb-session/connect-dynamodb'], () => ({
    name: 'connect-dynamodb',
    table: dynamodb.table,
    connection: dynamodb.connection
  }))
})

describe('the published test file', () => {
  const outcomesWith = async (implementation) => {
    const program = path.join(__dirname, 'support', 'connect-dynamodb-published.js')
    const { endpoint, region, credentials } = dynamodb.connection
    const env = {
      ENDPOINT: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...(credentials.sessionToken && { AWS_SESSION_TOKEN: credentials.sessionToken })
    }
    const { stdout, stderr } = await runNode([program, require.resolve(implementation)], { env })
    assert.notEqual(stdout, '', stderr)
    return new Map(JSON.parse(stdout))
  }

  test(
    'passes as with the original, but for a JavaScript client where none was given',
    needs('tableName'),
    async () => {
      const theirs = await outcomesWith('connect-dynamodb')
      const mine = await outcomesWith('dynamodb-session/connect-dynamodb')
      assert.equal(mine.size, theirs.size)
      for (const [name, outcome] of mine) {
        if (name.startsWith('ConnectDynamoDB > Constructor')) assert.match(outcome, /undefined \(reading 'should'\)/)
        else assert.equal(outcome, theirs.get(name), name)
      }
    }
  )
})
