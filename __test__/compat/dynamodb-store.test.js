'use strict'

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'

const assert = require('node:assert/strict')
const { EventEmitter, once } = require('node:events')
const { after, before, beforeEach, describe, test } = require('node:test')
const session = require('express-session')
const Original = require('dynamodb-store')
const Ours = require('../../lib/compat/dynamodb-store')
const { runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { eventually } = require('../support/calls')
const { errorResponse } = require('../support/fault-proxy')
const { expressSession, newSid, nowInSeconds } = require('../support/sessions')
const { testDeployments } = require('./support/deployment')

const dynamodb = useDynamoDB()
let table
let proxy

/** Options of dynamodb-store, with the table of this file by default. */
function optionsOf({ table: own, endpoint = dynamodb.connection.endpoint, ...others } = {}) {
  const { region, credentials } = dynamodb.connection
  return { table: { name: table, ...own }, dynamoConfig: { endpoint, region, ...credentials }, ...others }
}

/** The original calls its callback when it has described its table. */
async function original(options) {
  let store
  await new Promise((resolve, reject) => {
    store = new Original(optionsOf(options), (error) => (error ? reject(error) : resolve()))
  })
  return store
}

const ours = (options) => new Ours(optionsOf(options))

/** The arguments of the callback of a method. */
const call = (store, method, ...args) =>
  new Promise((resolve) => store[method](...args, (...results) => resolve(results)))

async function value(store, method, ...args) {
  const [error, result] = await call(store, method, ...args)
  assert.ifError(error)
  return result
}

const itemOf = (sid, { hashKey = 'sessionId', hashPrefix = 'sess:', name = table } = {}) =>
  dynamodb.raw.read(name, { [hashKey]: hashPrefix + sid })

const putItem = (sid, attributes) => dynamodb.raw.putItem(table, { sessionId: { S: `sess:${sid}` }, ...attributes })

const assertNear = (actual, expected, tolerance = 12) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not near ${expected}`)

/** The part of an item that is the same if both stores write it at about the same time. */
function comparable(item) {
  const { expires, sess, ...others } = item
  assert.match(expires.N, /^\d+$/)
  const { cookie: _, updated, ...data } = sess.M
  assertNear(Number(updated.N), Date.now(), 12_000)
  return { ...others, data }
}

describe('dynamodb-store', () => {
  before(async () => {
    table = await dynamodb.newTable({ hashKey: 'sessionId' })
    proxy = await dynamodb.proxy()
  })
  beforeEach(() => proxy.reset())

  describe('the items of dynamodb-store', () => {
    const optionSets = {
      'the defaults': {},
      'table.hashKey and table.hashPrefix': { table: { hashKey: 'key', hashPrefix: 'web:' } },
      'an empty hashPrefix': { table: { hashPrefix: '' } },
      ttl: { ttl: 5_000_000 },
      'ttl 0': { ttl: 0 }
    }
    for (const [name, options] of Object.entries(optionSets)) {
      test(`items are the same as those of dynamodb-store with ${name}`, async () => {
        const { hashKey = 'sessionId', hashPrefix = 'sess:' } = options.table ?? {}
        const own = hashKey === 'sessionId' ? table : await dynamodb.newTable({ hashKey })
        const given = { ...options, table: { ...options.table, name: own } }
        const [theirs, mine] = [newSid(), newSid()]
        const data = {
          text: 'é',
          n: 1.5,
          yes: true,
          no: null,
          list: [1, 'a', { b: [] }],
          deep: { a: { b: 'c' } },
          empty: ''
        }
        await value(await original(given), 'set', theirs, expressSession(data))
        await value(ours(given), 'set', mine, expressSession(data))
        const [a, b] = await Promise.all([theirs, mine].map((sid) => itemOf(sid, { hashKey, hashPrefix, name: own })))
        assertNear(Number(a.expires.N), Number(b.expires.N))
        const withoutKey = (item) => ({ ...comparable(item), [hashKey]: undefined })
        assert.deepEqual(withoutKey(b), withoutKey(a))
        assert.deepEqual(b[hashKey], { S: hashPrefix + mine })
      })
    }

    for (const cookie of [{ maxAge: 120_000 }, { maxAge: null }, { expires: false }]) {
      test(`items expire when those of dynamodb-store do, with the cookie ${JSON.stringify(cookie)}`, async () => {
        const [theirs, mine] = [newSid(), newSid()]
        await value(await original(), 'set', theirs, expressSession({}, cookie))
        await value(ours(), 'set', mine, expressSession({}, cookie))
        assertNear(Number((await itemOf(theirs)).expires.N), Number((await itemOf(mine)).expires.N))
      })
    }

    test('items contain the JSON form of the cookie and of dates', async () => {
      const sid = newSid()
      const date = new Date()
      const written = expressSession({ date })
      await value(ours(), 'set', sid, written)
      const { cookie, date: stored } = (await itemOf(sid)).sess.M
      assert.deepEqual(stored, { S: date.toISOString() })
      assert.deepEqual(cookie.M, {
        originalMaxAge: { N: '60000' },
        expires: { S: written.cookie.expires.toISOString() },
        httpOnly: { BOOL: true },
        path: { S: '/' }
      })
    })

    test('set stamps the item with updated, but not the session object', async () => {
      const sid = newSid()
      const written = expressSession({ a: 1 })
      assert.deepEqual(await value(ours(), 'set', sid, written), {})
      assert.equal('updated' in written, false)
      assertNear((await value(ours(), 'get', sid)).updated, Date.now(), 12_000)
    })
  })

  describe('dynamodb-store and dynamodb-session on one table', () => {
    const pairs = {
      'dynamodb-store, then dynamodb-session': [original, ours],
      'dynamodb-session, then dynamodb-store': [ours, original]
    }
    for (const [name, [writing, reading]] of Object.entries(pairs)) {
      test(`one store reads, changes, touches, and destroys a session of the other: ${name}`, async () => {
        const sid = newSid()
        const [writer, reader] = [await writing(), await reading({ touchInterval: 0 })]
        const data = { user: 'u', list: [1, { a: 'b' }], deep: { nothing: null } }
        await value(writer, 'set', sid, expressSession(data))
        const read = await value(reader, 'get', sid)
        assert.deepEqual({ ...data, ...read }, { ...read, ...data })
        assert.equal(typeof read.cookie, 'object')

        await dynamodb.raw.setExpires(table, { sessionId: `sess:${sid}` }, nowInSeconds() + 10)
        const before = await itemOf(sid)
        const touched = await value(reader, 'touch', sid, expressSession(read))
        const after = await itemOf(sid)
        assertNear(Number(after.expires.N), nowInSeconds() + 60)
        assert.ok(Number(after.sess.M.updated.N) >= Number(before.sess.M.updated.N))
        const rest = (item) => ({ ...item, expires: undefined, sess: { ...item.sess.M, updated: undefined } })
        assert.deepEqual(rest(after), rest(before))
        assert.equal(touched.Attributes.expires, Number(after.expires.N))
        assertNear(touched.Attributes.sess.updated, Number(after.sess.M.updated.N), 500)

        await value(reader, 'set', sid, expressSession({ ...data, user: 'changed' }))
        assert.equal((await value(writer, 'get', sid)).user, 'changed')
        assert.equal(await value(reader, 'destroy', sid), null)
        assert.equal(await value(writer, 'get', sid), null)
        assert.equal(await itemOf(sid), undefined)
      })
    }

    testDeployments(['dynamodb-store', 'dynamodb-session/dynamodb-store'], () => ({
      name: 'dynamodb-store',
      table,
      connection: dynamodb.connection,
      touchInterval: 0
    }))
  })

  describe('cookies that dynamodb-store has written', () => {
    test('get repairs the dates of a cookie that dynamodb-store has written', async () => {
      const sid = newSid()
      await value(await original(), 'set', sid, expressSession({ a: 1 }))
      assert.deepEqual((await itemOf(sid)).sess.M.cookie.M.expires, { M: {} }, 'the item of dynamodb-store')
      const { cookie } = await value(ours(), 'get', sid)
      const { expires, originalMaxAge, ...others } = cookie
      assert.deepEqual(others, { httpOnly: true, path: '/' })
      // express-session computes it from the current time and can lose a millisecond.
      assertNear(originalMaxAge, 60_000, 500)
      assertNear(Date.parse(expires), Date.now() + 60_000, 12_000)
      const request = { sessionID: sid, sessionStore: ours() }
      const loaded = request.sessionStore.createSession(request, { cookie })
      assert.ok(loaded.cookie.expires instanceof Date)
      assertNear(loaded.cookie.maxAge, 60_000, 12_000)
    })

    test('get repairs a browser-session cookie that dynamodb-store has written', async () => {
      const sid = newSid()
      await value(await original(), 'set', sid, expressSession({}, { maxAge: null }))
      const { cookie } = await value(ours(), 'get', sid)
      assert.deepEqual(cookie, { originalMaxAge: null, expires: null, httpOnly: true, path: '/' })
    })
  })

  describe('the options of dynamodb-store', () => {
    test('options are properties of the store, as in dynamodb-store', async () => {
      const sets = [
        {},
        { table: { hashKey: 'k', hashPrefix: '', readCapacityUnits: '7', writeCapacityUnits: 8 } },
        { ttl: 1, touchInterval: 0, keepExpired: true }
      ]
      for (const options of sets) {
        const [theirs, mine] = [await original(options), ours(options)]
        for (const name of Object.keys(theirs).filter((key) => !/^_|^dynamoService$|^documentClient$/.test(key))) {
          assert.deepEqual(mine[name], theirs[name], name)
        }
      }
      const bare = new Ours()
      const named = [bare.tableName, bare.hashKey, bare.hashPrefix, bare.readCapacityUnits, bare.writeCapacityUnits]
      assert.deepEqual(named, ['sessions', 'sessionId', 'sess:', 5, 5])
      assert.deepEqual([bare.touchInterval, bare.ttl, bare.keepExpired], [30_000, undefined, false])
      for (const name of ['documentClient', 'dynamoService']) {
        assert.ok(name in bare)
        bare[name] = undefined
      }
    })

    test('the constructor throws a TypeError for null options and a null table', () => {
      for (const Store of [Original, Ours]) {
        assert.throws(() => new Store(null), TypeError)
        assert.throws(() => new Store({ table: null }), TypeError)
      }
    })

    test('touch sends no request within touchInterval after updated', async () => {
      const sid = newSid()
      await putItem(sid, { expires: { N: '4000000000' }, sess: { M: { updated: { N: '1' } } } })
      const store = ours({ endpoint: proxy.endpoint, touchInterval: 60_000 })
      const stamped = (updated) => Object.assign(expressSession(), { updated })
      for (const updated of [Date.now(), Date.now() - 30_000, String(Date.now())]) {
        assert.equal(await value(store, 'touch', sid, stamped(updated)), undefined)
      }
      assert.deepEqual(proxy.operations, [])
      for (const updated of [Date.now() - 60_001, 1, undefined, 0, 'junk']) {
        assert.ok((await value(store, 'touch', sid, stamped(updated))).Attributes)
      }
      assert.deepEqual(new Set(proxy.operations), new Set(['UpdateItem']))
      store.touchInterval = 0
      assert.ok((await value(store, 'touch', sid, stamped(Date.now() - 1))).Attributes)
    })

    for (const keepExpired of [undefined, false, true]) {
      test(`get ${keepExpired ? 'keeps' : 'deletes'} an expired item with keepExpired ${keepExpired}`, async () => {
        for (const make of [original, ours]) {
          const sid = newSid()
          await putItem(sid, { expires: { N: `${nowInSeconds() - 5}` }, sess: { M: { a: { N: '1' } } } })
          assert.equal(await value(await make({ keepExpired }), 'get', sid), null)
          assert.equal((await itemOf(sid)) !== undefined, keepExpired === true)
        }
      })
    }

    test('handleExpiredSession does not delete a session that has been extended', async () => {
      const sid = newSid()
      await putItem(sid, { expires: { N: '4000000000' }, sess: { M: { a: { N: '1' } } } })
      assert.equal(await value(ours(), 'handleExpiredSession', sid), null)
      assert.ok(await itemOf(sid))
    })

    test('reads are consistent, and each operation sends one request', async () => {
      const store = ours({ endpoint: proxy.endpoint, touchInterval: 0 })
      const sid = newSid()
      await value(store, 'set', sid, expressSession())
      await value(store, 'get', sid)
      await value(store, 'touch', sid, expressSession())
      await value(store, 'destroy', sid)
      assert.deepEqual(proxy.operations, ['PutItem', 'GetItem', 'UpdateItem', 'DeleteItem'])
      assert.equal(proxy.sent('GetItem')[0].ConsistentRead, true)
    })

    test('dynamoConfig accepts an endpoint without a scheme, credentials, and a provider chain', async () => {
      const { region, endpoint, credentials } = dynamodb.connection
      const { Credentials, CredentialProviderChain } = require('aws-sdk')
      const given = [
        { region, endpoint: new URL(endpoint).host, sslEnabled: false, ...credentials },
        { region, endpoint, credentials: new Credentials(credentials) },
        { region, endpoint, credentialProvider: new CredentialProviderChain([() => new Credentials(credentials)]) }
      ]
      for (const dynamoConfig of given) {
        const store = new Ours({ table: { name: table }, dynamoConfig })
        assert.equal(await value(store, 'get', newSid()), null)
      }
    })

    test('an invalid option is ignored, with one warning', async () => {
      const warned = []
      const listen = (warning) => warned.push(warning.message)
      process.on('warning', listen)
      const given = { tabel: 'x', ttl: 'long', table: { readCapacityUnits: 'many' } }
      const store = ours(given)
      ours(given)
      await new Promise(setImmediate)
      process.off('warning', listen)
      const about = warned.filter((text) => text.startsWith('dynamodb-store: '))
      assert.equal(about.length, 3, about.join('\n'))
      assertNear(store.getExpirationDate(expressSession()).getTime(), Date.now() + 60_000, 500)
    })

    test('the constructor accepts all options that dynamodb-store accepts', () => {
      const tables = [{ name: 5 }, { name: 't' }, { hashKey: null, hashPrefix: null }, { hashKey: 'sess' }]
      for (const own of [...tables, { readCapacityUnits: Infinity }, { writeCapacityUnits: -1 }]) {
        assert.doesNotThrow(() => ours({ table: own }))
      }
      const { region, credentials } = dynamodb.connection
      const configs = [null, undefined, {}, { endpoint: 'no URL at all' }, { region: '' }]
      for (const config of [...configs, { region, ...credentials, maxRetries: 0, httpOptions: { timeout: 0 } }]) {
        assert.doesNotThrow(() => new Ours({ dynamoConfig: config }))
      }
    })
  })

  describe('the methods of dynamodb-store', () => {
    test('the class has the methods of dynamodb-store and can be extended', async () => {
      for (const name of Object.getOwnPropertyNames(Original.prototype)) {
        assert.equal(typeof Ours.prototype[name], 'function', name)
      }
      assert.equal(Ours.name, 'DynamoDBStore')
      const store = ours()
      assert.ok(store instanceof session.Store && store instanceof EventEmitter)
      assert.throws(() => Ours(), TypeError)
      class Own extends Ours {
        get(sid, callback) {
          return super.get(sid, (error, found) => callback(error, found && { ...found, own: true }))
        }
      }
      const sid = newSid()
      const extended = new Own(optionsOf())
      await value(extended, 'set', sid, expressSession())
      assert.equal((await value(extended, 'get', sid)).own, true)
    })

    test('getSessionId and getExpirationDate return the same values as the original', async () => {
      for (const options of [{}, { ttl: 5000 }, { table: { hashPrefix: 'a' } }]) {
        const [theirs, mine] = [await original(options), ours(options)]
        assert.equal(mine.getSessionId('x'), theirs.getSessionId('x'))
        for (const cookie of [{ maxAge: 1000 }, { maxAge: null }]) {
          const dates = [theirs, mine].map((store) => store.getExpirationDate(expressSession({}, cookie)))
          assert.ok(dates[1] instanceof Date)
          assertNear(dates[0].getTime(), dates[1].getTime(), 500)
        }
      }
      assertNear(
        ours()
          .getExpirationDate({ cookie: { maxAge: 1000.5 } })
          .getTime(),
        Date.now() + 1000,
        500
      )
    })

    test('set uses an overridden getExpirationDate', async () => {
      class Own extends Ours {
        getExpirationDate() {
          return new Date(4_000_000_000_000)
        }
      }
      const sid = newSid()
      await value(new Own(optionsOf()), 'set', sid, expressSession())
      assertNear(Number((await itemOf(sid)).expires.N), 4_000_000_000)
    })

    test('get calls an overridden handleExpiredSession', async () => {
      class Own extends Ours {
        handleExpiredSession(sid, callback) {
          callback(null, { handled: sid })
        }
      }
      const sid = newSid()
      await putItem(sid, { expires: { N: '1' }, sess: { M: {} } })
      assert.deepEqual(await value(new Own(optionsOf()), 'get', sid), { handled: sid })
    })

    test('get, destroy, and handleExpiredSession resolve after they call their callback', async () => {
      for (const method of ['get', 'destroy', 'handleExpiredSession']) {
        let called = false
        assert.equal(await ours()[method](newSid(), () => (called = true)), undefined)
        assert.ok(called, method)
      }
    })

    test('methods return a promise if there is no callback', async () => {
      const store = ours({ touchInterval: 0 })
      const sid = newSid()
      assert.deepEqual(await store.set(sid, expressSession({ a: 1 })), {})
      assert.equal((await store.get(sid)).a, 1)
      assert.ok((await store.touch(sid, expressSession())).Attributes)
      assert.equal(await store.destroy(sid), null)
      assert.equal(await itemOf(sid), undefined)
    })

    test('touch of a missing session succeeds, creates no item, and emits missing', async () => {
      const sid = newSid()
      const [error] = await call(await original(), 'touch', sid, expressSession())
      assert.equal(error.code, 'ValidationException', 'the behavior of dynamodb-store')
      const store = ours()
      const missing = once(store, 'missing')
      assert.equal(await value(store, 'touch', sid, expressSession()), undefined)
      await missing
      assert.equal(await itemOf(sid), undefined)
    })

    test('get returns null and emits corrupt for an item without a valid session', async () => {
      for (const sess of [{ S: 'no JSON' }, { S: '5' }, { L: [] }, { N: '5' }, undefined]) {
        const sid = newSid()
        await putItem(sid, { expires: { N: '4000000000' }, ...(sess && { sess }) })
        const store = ours()
        const corrupt = once(store, 'corrupt')
        assert.equal(await value(store, 'get', sid), null)
        await corrupt
      }
    })

    test("get and touch work with connect-dynamodb's JSON text", async () => {
      const sid = newSid()
      await putItem(sid, {
        expires: { N: `${nowInSeconds() + 20}.5` },
        sess: { S: JSON.stringify({ cookie: {}, a: 1 }) }
      })
      assert.equal((await value(ours(), 'get', sid)).a, 1)
      await value(ours(), 'touch', sid, expressSession())
      assertNear(Number((await itemOf(sid)).expires.N), nowInSeconds() + 60)
    })

    test('every error is passed to the callback, asynchronously and once', async () => {
      proxy.on('*', errorResponse(400, 'ValidationException'))
      const store = ours({ endpoint: proxy.endpoint })
      const calls = [
        ['get', 'a'],
        ['set', 'a', expressSession()],
        ['touch', 'a', expressSession()],
        ['destroy', 'a'],
        ['handleExpiredSession', 'a'],
        ['createTableIfDontExists']
      ]
      for (const [method, ...args] of calls) {
        const [error] = await call(store, method, ...args)
        assert.equal(error.code, 'ValidationException', method)
      }
      const cycle = expressSession()
      cycle.self = cycle
      for (const broken of [null, cycle]) {
        assert.equal((await call(store, 'set', 'a', broken))[0].code, 'SerializationError')
      }
      assert.equal((await call(store, 'get', Symbol('s')))[0].code, 'InvalidSessionIdError')
    })
  })

  describe('the table of dynamodb-store', () => {
    test('the constructor creates the table before it calls its callback', async () => {
      const descriptions = []
      for (const Store of [Original, Ours]) {
        const name = dynamodb.newTableName()
        const given = optionsOf({ table: { name, hashKey: 'key', readCapacityUnits: 3, writeCapacityUnits: 4 } })
        const results = await new Promise((resolve) => new Store(given, (...all) => resolve(all)))
        assert.deepEqual(results, [])
        const { Table } = await dynamodb.raw.sdk.describeTable({ TableName: name })
        if (Store === Ours) assert.equal(Table.TableStatus, 'ACTIVE')
        const { ReadCapacityUnits, WriteCapacityUnits } = Table.ProvisionedThroughput
        descriptions.push([Table.KeySchema, Table.AttributeDefinitions, ReadCapacityUnits, WriteCapacityUnits])
      }
      assert.deepEqual(descriptions[1], descriptions[0])
    })

    test('the first operation creates a missing table', async () => {
      const name = dynamodb.newTableName()
      const store = ours({ table: { name }, endpoint: proxy.endpoint })
      assert.deepEqual(proxy.operations, [])
      await Promise.all(Array.from({ length: 10 }, () => value(store, 'set', newSid(), expressSession())))
      assert.equal(proxy.sent('CreateTable').length, 1)
      assert.deepEqual(proxy.sent('UpdateTimeToLive'), [])
    })

    test('createTableIfDontExists does not change an existing table', async () => {
      const store = ours({ endpoint: proxy.endpoint })
      assert.deepEqual(await call(store, 'createTableIfDontExists'), [])
      assert.equal(await store.createTableIfDontExists(), undefined)
      assert.deepEqual(proxy.operations, ['DescribeTable', 'DescribeTable'])
    })

    test('createTableIfDontExists rejects a table with a different key', async () => {
      const name = await dynamodb.newTable({ hashKey: 'other' })
      const store = ours({ table: { name } })
      const message = /is other \(S\), not sessionId \(S\)\. Set option hashKey to "other"/
      await assert.rejects(store.createTableIfDontExists(), { code: 'ConfigError', message })
      assert.match((await call(store, 'createTableIfDontExists'))[0].message, message)
    })

    test('isTableCreated and createTable return the same values as the original', async () => {
      for (const Store of [Original, Ours]) {
        const name = dynamodb.newTableName()
        const store = new Store(optionsOf({ table: { name } }), () => {})
        await new Promise((resolve) => store.createTableIfDontExists(resolve))
        await dynamodb.raw.deleteTable(name)
        await eventually(async () => !(await store.isTableCreated()))
        const { TableDescription } = await store.createTable()
        assert.equal(TableDescription.TableName, name)
        assert.deepEqual(TableDescription.KeySchema, [{ AttributeName: 'sessionId', KeyType: 'HASH' }])
        assert.ok(TableDescription.CreationDateTime instanceof Date)
        assert.equal(await store.isTableCreated(), true)
      }
    })

    test('isTableCreated rejects if DescribeTable is denied, and no table is created', async () => {
      proxy.on('DescribeTable', errorResponse(400, 'AccessDeniedException'))
      const store = ours({ endpoint: proxy.endpoint })
      await assert.rejects(store.isTableCreated(), { code: 'AccessDeniedException' })
      const [error] = await call(store, 'createTableIfDontExists')
      assert.equal(error.code, 'AccessDeniedException')
      assert.deepEqual(proxy.sent('CreateTable'), [])
    })

    test('an unreachable service does not end the process', async () => {
      const { code, stderr } = await runNode([
        '-e',
        `const Store = require('./lib/compat/dynamodb-store')
       const dynamoConfig = { endpoint: 'http://127.0.0.1:1', region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 's' }
       new Store({ dynamoConfig }).createTableIfDontExists()
       new Store({ dynamoConfig }).set('a', { cookie: {} })
       new Store({ dynamoConfig }, (error) => { if (error.code !== 'NetworkError') process.exit(1) })`
      ])
      assert.deepEqual([code, stderr], [0, ''])
    })
  })

  describe('callbacks of dynamodb-store', () => {
    test('a callback that throws is not called again', async () => {
      const { code, stderr, stdout } = await runNode([
        '-e',
        `const Store = require('./lib/compat/dynamodb-store')
       const store = new Store({ dynamoConfig: ${JSON.stringify(optionsOf().dynamoConfig)}, table: { name: '${table}' } })
       process.on('uncaughtException', (error) => console.log(error.message))
       for (const method of ['get', 'destroy']) store[method]('a', () => { throw new Error(method) })`
      ])
      assert.deepEqual([code, stderr, stdout.trim().split('\n').sort()], [0, '', ['destroy', 'get']])
    })
  })

  describe('DYNAMODB_STORE_DEBUG', () => {
    after(() => delete process.env.DYNAMODB_STORE_DEBUG)

    test('DYNAMODB_STORE_DEBUG prints the lines of dynamodb-store, without session IDs, contents, and secrets', async (t) => {
      const lines = []
      t.mock.method(console, 'log', (...words) => lines.push(words.join(' ').trim()))
      const sid = newSid()
      const run = async (make) => {
        process.env.DYNAMODB_STORE_DEBUG = 'true'
        const store = await make({ touchInterval: 1000 })
        await value(store, 'get', sid)
        await value(store, 'set', sid, expressSession({ password: 'hush' }))
        await value(store, 'get', sid)
        await value(store, 'touch', sid, Object.assign(expressSession(), { updated: 1 }))
        await value(store, 'touch', sid, Object.assign(expressSession(), { updated: Date.now() }))
        await dynamodb.raw.setExpires(table, { sessionId: `sess:${sid}` }, 1)
        await value(store, 'get', sid)
        delete process.env.DYNAMODB_STORE_DEBUG
        const messages = lines.splice(0)
        // Without the date, the quoted session ID, and the JSON.
        const plain = messages.map((line) =>
          line
            .replace(/^.* - DYNAMODB_STORE/, '')
            .replace(/ ?[{].*$/, '')
            .replace(/'.*?'/, 'ID')
        )
        return { text: messages.join('\n'), plain }
      }
      const theirs = await run(original)
      const mine = await run(
        (options) =>
          new Promise((resolve) => {
            const store = new Ours(optionsOf(options), () => resolve(store))
          })
      )
      assert.deepEqual(mine.plain, theirs.plain)
      for (const secret of [sid, 'hush', dynamodb.connection.credentials.secretAccessKey]) {
        assert.equal(mine.text.includes(secret), false, secret)
      }
      assert.ok(theirs.text.includes(sid))
    })
  })

  describe('the README of dynamodb-store', () => {
    test('the README example of dynamodb-store keeps sessions', async () => {
      const DynamoDBStore = Ours
      const { endpoint, region, credentials } = dynamodb.connection
      const options = {
        table: {
          name: table,
          hashKey: 'sessionId',
          hashPrefix: 'sess:',
          readCapacityUnits: 10,
          writeCapacityUnits: 10
        },
        dynamoConfig: { ...credentials, region, endpoint },
        keepExpired: false,
        touchInterval: 30000,
        ttl: 600000
      }
      const app = require('express')()
      app.use(
        session({
          store: new DynamoDBStore(options),
          secret: 'secret',
          resave: false,
          saveUninitialized: true
        })
      )
      app.get('/', (req, res) => res.json({ views: (req.session.views = (req.session.views ?? 0) + 1) }))
      const server = app.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { Browser } = require('../support/browser')
      const browser = new Browser(`http://127.0.0.1:${server.address().port}`)
      for (const views of [1, 2]) assert.deepEqual((await browser.get('/')).body, { views })
      server.closeAllConnections()
      server.close()
    })
  })
})
