'use strict'

// The published original loads only if TypeScript's helpers are global.
globalThis.__importDefault ??= require('tslib').__importDefault

const assert = require('node:assert/strict')
const { EventEmitter, once } = require('node:events')
const { after, before, beforeEach, describe, test } = require('node:test')
const session = require('express-session')
const { runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const { DynamoDBStore: Original } = require('@pwrdrvr/dynamodb-session-store')
const { DynamoDBStore: Ours } = require('../../lib/compat/pwrdrvr-dynamodb-session-store')
const { eventually } = require('../support/calls')
const { delayed, errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { Browser } = require('../support/browser')
const { expressSession, newSid, nowInSeconds } = require('../support/sessions')
const { testDeployments } = require('./support/deployment')

const dynamodb = useDynamoDB()

/** The arguments of the callback of a method. */
const call = (store, method, ...args) =>
  new Promise((resolve) => store[method](...args, (...results) => resolve(results)))

async function value(store, method, ...args) {
  const [error, result] = await call(store, method, ...args)
  assert.ifError(error)
  return result
}

const assertNear = (actual, expected, tolerance = 12) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not near ${expected}`)

const secondsAgo = (seconds) => new Date(Date.now() - seconds * 1000).toISOString()

/** The part of an item that is the same if both stores write it at about the same time. */
function comparable(item) {
  const { expires, sess, ...others } = item
  assert.match(expires.N, /^\d+$/)
  const { cookie, lastModified, ...data } = sess.M
  const { expires: date, originalMaxAge, ...cookieOthers } = cookie.M
  // express-session computes it from the clock, so it may be a millisecond less.
  assertNear(Number(originalMaxAge.N), 60_000, 1000)
  if (lastModified !== undefined) assertNear(Date.parse(lastModified.S), Date.now(), 12_000)
  return { ...others, data, cookie: cookieOthers, dateType: Object.keys(date), isStamped: lastModified !== undefined }
}

describe('@pwrdrvr/dynamodb-session-store', () => {
  let table
  let proxy
  let client
  let proxyClient

  before(async () => {
    table = dynamodb.table
    proxy = await dynamodb.proxy()
    client = new DynamoDBClient(dynamodb.connection)
    proxyClient = new DynamoDBClient({ ...dynamodb.connection, endpoint: proxy.endpoint })
  })
  beforeEach(() => proxy.reset())
  after(() => {
    client.destroy()
    proxyClient.destroy()
  })

  const optionsOf = (options) => ({ dynamoDBClient: client, tableName: table, ...options })
  const original = (options) => new Original(optionsOf(options))
  const ours = (options) => new Ours(optionsOf(options))
  const onProxy = (options) => ours({ dynamoDBClient: proxyClient, ...options })

  test('touch sets lastModified synchronously, so that express-session renews the cookie', async () => {
    const stampOf = (store) => {
      const touched = { cookie: { originalMaxAge: 60_000, maxAge: 60_000 }, lastModified: secondsAgo(5000) }
      const answered = call(store, 'touch', newSid(), touched)
      return [touched.lastModified, answered]
    }
    for (const store of [original(), ours()]) {
      const [stamp, answered] = stampOf(store)
      assertNear(Date.parse(stamp), Date.now(), 1000)
      await answered
    }
  })

  const itemOf = (sid, { hashKey = 'id', prefix = 'session#', name = table } = {}) =>
    dynamodb.raw.read(name, { [hashKey]: prefix + sid })
  const putItem = (sid, attributes) => dynamodb.raw.putItem(table, { id: { S: `session#${sid}` }, ...attributes })

  describe('the items of @pwrdrvr/dynamodb-session-store', () => {
    const optionSets = {
      'the defaults': {},
      'hashKey and prefix': { hashKey: 'key', prefix: 'web:' },
      'an empty prefix': { prefix: '' },
      'a prefix of null': { prefix: null },
      'touchAfter 0': { touchAfter: 0 },
      'touchAfter 10': { touchAfter: 10 }
    }
    for (const [name, options] of Object.entries(optionSets)) {
      test(`items are the same as those of the original with ${name}`, async () => {
        const { hashKey = 'id', prefix = 'session#' } = options
        const tableName = hashKey === 'id' ? table : await dynamodb.newTable({ hashKey })
        const place = { hashKey, prefix: String(prefix), name: tableName }
        const [theirs, mine] = [newSid(), newSid()]
        const data = {
          text: 'é',
          n: 1.5,
          yes: true,
          no: null,
          list: [1, 'a', { b: [] }],
          deep: { a: { when: new Date(5) } },
          when: new Date(6),
          gone: undefined,
          empty: ''
        }
        await value(original({ ...options, tableName }), 'set', theirs, expressSession(data))
        await value(ours({ ...options, tableName }), 'set', mine, expressSession(data))
        const [a, b] = await Promise.all([theirs, mine].map((sid) => itemOf(sid, place)))
        assertNear(Number(a.expires.N), Number(b.expires.N))
        const withoutKey = (item) => ({ ...comparable(item), [hashKey]: undefined })
        assert.deepEqual(withoutKey(b), withoutKey(a))
        assert.deepEqual(b[hashKey], { S: prefix + mine })
        assert.equal(comparable(b).isStamped, options.touchAfter !== 0)
      })
    }

    for (const cookie of [{ maxAge: 120_000 }, { maxAge: null }, { expires: false }]) {
      test(`items expire when those of the original do, with the cookie ${JSON.stringify(cookie)}`, async () => {
        const [theirs, mine] = [newSid(), newSid()]
        await value(original(), 'set', theirs, expressSession({}, cookie))
        await value(ours(), 'set', mine, expressSession({}, cookie))
        assertNear(Number((await itemOf(theirs)).expires.N), Number((await itemOf(mine)).expires.N))
      })
    }

    test('set stamps the item with lastModified, but not the session object', async () => {
      const sid = newSid()
      const written = expressSession({ a: 1 })
      assert.equal(await value(ours(), 'set', sid, written), undefined)
      assert.equal('lastModified' in written, false)
      assertNear(Date.parse((await value(ours(), 'get', sid)).lastModified), Date.now(), 12_000)
    })

    test('items keep undefined array elements as null, and names such as __proto__', needs('protoName'), async () => {
      const sid = newSid()
      const data = JSON.parse('{"list":[1,2],"deep":{"__proto__":{"isAdmin":true}}}')
      await value(ours(), 'set', sid, expressSession({ ...data, list: [undefined, 1] }))
      const read = await value(ours(), 'get', sid)
      assert.deepEqual(read.list, [null, 1])
      assert.equal(read.deep.isAdmin, undefined)
    })
  })

  describe('the original and dynamodb-session on one table', () => {
    const pairs = {
      'the original, then dynamodb-session': [original, ours],
      'dynamodb-session, then the original': [ours, original]
    }
    for (const [name, [writing, reading]] of Object.entries(pairs)) {
      test(`one store reads, changes, touches, and destroys a session of the other: ${name}`, async () => {
        const sid = newSid()
        const [writer, reader] = [writing(), reading({ touchAfter: 0 })]
        const data = { user: 'u', list: [1, { a: 'b' }], deep: { nothing: null } }
        await value(writer, 'set', sid, expressSession(data))
        const read = await value(reader, 'get', sid)
        assert.deepEqual({ ...read, ...data }, read)

        await dynamodb.raw.setExpires(table, { id: `session#${sid}` }, nowInSeconds() + 10)
        const before = await itemOf(sid)
        const touched = expressSession(read)
        assert.equal(await value(reader, 'touch', sid, touched), undefined)
        const after = await itemOf(sid)
        assertNear(Number(after.expires.N), nowInSeconds() + 60)
        assertNear(Date.parse(touched.lastModified), Date.parse(after.sess.M.lastModified.S), 500)
        const rest = (item) => ({ ...item, expires: undefined, sess: { ...item.sess.M, lastModified: undefined } })
        assert.deepEqual(rest(after), rest(before))

        await value(reader, 'set', sid, expressSession({ ...data, user: 'changed' }))
        assert.equal((await value(writer, 'get', sid)).user, 'changed')
        await value(reader, 'destroy', sid)
        assert.equal(await value(writer, 'get', sid), null)
        assert.equal(await itemOf(sid), undefined)
      })
    }

    const modules = ['@pwrdrvr/dynamodb-session-store', 'dynamodb-session/pwrdrvr-dynamodb-session-store']
    for (const options of [{}, { touchAfter: 0 }]) {
      describe(`a rolling deployment with the options ${JSON.stringify(options)}`, () => {
        testDeployments(modules, () => ({
          name: '@pwrdrvr/dynamodb-session-store',
          table,
          connection: dynamodb.connection,
          ...options
        }))
      })
    }
  })

  describe('the options of @pwrdrvr/dynamodb-session-store', () => {
    test('options have the getters of the original', () => {
      const sets = [
        {},
        { tableName: 'other', hashKey: 'k', prefix: '', touchAfter: 5, useStronglyConsistentReads: true }
      ]
      for (const options of sets) {
        const [theirs, mine] = [new Original({ dynamoDBClient: client, ...options }), new Ours(options)]
        for (const name of ['tableName', 'hashKey', 'prefix', 'touchAfter', 'useStronglyConsistentReads']) {
          assert.equal(mine[name], theirs[name], name)
          if (name === 'useStronglyConsistentReads') continue
          for (const store of [theirs, mine]) assert.throws(() => (store[name] = 'x'), TypeError)
        }
      }
    })

    test('the constructor throws a TypeError without options, like the original', () => {
      for (const Store of [Original, Ours]) assert.throws(() => new Store(), TypeError)
    })

    test('useStronglyConsistentReads sets the consistency of later reads', async () => {
      const store = onProxy()
      await value(store, 'get', newSid())
      store.useStronglyConsistentReads = true
      await value(store, 'get', newSid())
      store.useStronglyConsistentReads = false
      await value(store, 'get', newSid())
      const sent = proxy.sent('GetItem').map(({ ConsistentRead = false }) => ConsistentRead)
      assert.deepEqual(sent, [false, true, false])
    })

    /** The seconds after lastModified within which a touch sends no request. */
    const limits = [
      ['one hour by default', {}, 14 * 24 * 3_600_000, 3600],
      ['option touchAfter', { touchAfter: 100 }, 3_600_000, 100],
      ['a tenth of a lifetime shorter than touchAfter', { touchAfter: 3600 }, 1_000_000, 100]
    ]
    for (const [name, options, maxAge, limit] of limits) {
      test(`touch sends no request within the original's interval: ${name}`, async () => {
        const stores = [original({ ...options, dynamoDBClient: proxyClient }), onProxy(options)]
        for (const store of stores) {
          for (const [seconds, isWritten] of [
            [0, false],
            [limit - 20, false],
            [limit + 1, true]
          ]) {
            const sid = newSid()
            await putItem(sid, { expires: { N: '4000000000' }, sess: { M: { a: { N: '1' } } } })
            proxy.reset()
            const given = expressSession({ lastModified: secondsAgo(seconds) }, { maxAge })
            await value(store, 'touch', sid, given)
            assert.equal(proxy.sent('UpdateItem').length, isWritten ? 1 : 0, `${seconds} s`)
          }
        }
      })
    }

    test('touchAfter applies to a session without maxAge', async () => {
      const given = () => expressSession({ lastModified: secondsAgo(1000) }, { maxAge: null })
      const sid = newSid()
      await putItem(sid, { expires: { N: '4000000000' }, sess: { M: { a: { N: '1' } } } })
      await value(original({ dynamoDBClient: proxyClient }), 'touch', sid, given())
      assert.equal(proxy.sent('UpdateItem').length, 1, 'the behavior of the original')
      await value(onProxy(), 'touch', sid, given())
      assert.equal(proxy.sent('UpdateItem').length, 1)
      await value(onProxy({ touchAfter: 999 }), 'touch', sid, given())
      assert.equal(proxy.sent('UpdateItem').length, 2)
      assertNear(Number((await itemOf(sid)).expires.N), nowInSeconds() + 86_400)
    })

    test('touch writes a session whose lastModified is missing or invalid', async () => {
      for (const lastModified of [undefined, 'junk', 0]) {
        const sid = newSid()
        await putItem(sid, { expires: { N: '4000000000' }, sess: { M: { a: { N: '1' } } } })
        await value(ours(), 'touch', sid, expressSession({ lastModified }))
        assertNear(Number((await itemOf(sid)).expires.N), nowInSeconds() + 60)
      }
    })

    test('the constructor accepts all options that the original accepts', () => {
      const given = [
        { tableName: null },
        { tableName: 't' },
        { hashKey: null },
        { touchAfter: null },
        { touchAfter: '60' }
      ]
      for (const options of given) assert.doesNotThrow(() => new Ours(options))
    })

    test('dynamoDBClient is optional, and an invalid one is ignored with a warning', async () => {
      const warned = []
      const listen = (warning) => warned.push(warning.message)
      process.on('warning', listen)
      new Ours({ dynamoDBClient: 'none', tabel: 'x' })
      assert.equal(new Ours({}).client, undefined)
      assert.equal(ours().client, client)
      await new Promise(setImmediate)
      process.off('warning', listen)
      assert.equal(warned.filter((text) => text.startsWith('@pwrdrvr/dynamodb-session-store: ')).length, 2)
    })
  })

  describe('the methods of @pwrdrvr/dynamodb-session-store', () => {
    test('the class has the methods of the original and can be extended', async () => {
      const own = Object.getOwnPropertyNames(Original.prototype).filter((name) => !/create|newExpire|getTTL/.test(name))
      for (const name of own) assert.ok(name in Ours.prototype, name)
      assert.equal(Ours.name, 'DynamoDBStore')
      const store = ours()
      assert.ok(store instanceof session.Store && store instanceof EventEmitter)
      class Own extends Ours {
        get(sid, callback) {
          return super.get(sid, (error, found) => callback(error, found && { ...found, own: true }))
        }
      }
      const sid = newSid()
      const extended = await Own.create(optionsOf())
      assert.ok(extended instanceof Own)
      await value(extended, 'set', sid, expressSession())
      assert.equal((await value(extended, 'get', sid)).own, true)
    })

    test('set, touch, and destroy return a promise if there is no callback', async () => {
      const store = ours()
      const sid = newSid()
      await store.set(sid, expressSession())
      await store.touch(sid, expressSession())
      await store.destroy(sid)
      assert.equal(await itemOf(sid), undefined)
    })

    test('get returns null for an expired item and does not delete it', async () => {
      for (const make of [original, ours]) {
        const sid = newSid()
        await putItem(sid, { expires: { N: `${nowInSeconds() - 5}` }, sess: { M: { a: { N: '1' } } } })
        assert.equal(await value(make(), 'get', sid), null)
        assert.ok(await itemOf(sid))
      }
    })

    test('get returns null and emits corrupt for an item without a valid session', async () => {
      for (const sess of [{ S: 'no JSON' }, { S: '5' }, { L: [] }, undefined]) {
        const sid = newSid()
        await putItem(sid, { expires: { N: '4000000000' }, ...(sess && { sess }) })
        const store = ours()
        const corrupt = once(store, 'corrupt')
        assert.equal(await value(store, 'get', sid), null)
        await corrupt
      }
    })

    test('touch of a missing session succeeds, creates no item, and emits missing', async () => {
      const sid = newSid()
      const [error] = await call(original(), 'touch', sid, expressSession())
      assert.equal(error.name, 'ValidationException', 'the behavior of the original')
      const store = ours()
      const missing = once(store, 'missing')
      assert.equal(await value(store, 'touch', sid, expressSession()), undefined)
      await missing
      assert.equal(await itemOf(sid), undefined)
    })

    test('every error is passed to the callback, asynchronously and once', async () => {
      proxy.on('*', errorResponse(400, 'ValidationException'))
      for (const [method, ...args] of [['get'], ['set', expressSession()], ['touch', expressSession()], ['destroy']]) {
        const [error] = await call(onProxy(), method, 'a', ...args)
        assert.equal(error.name, 'ValidationException', method)
      }
      const cycle = expressSession()
      cycle.self = cycle
      for (const broken of [null, cycle]) {
        assert.equal((await call(onProxy(), 'set', 'a', broken))[0].code, 'SerializationError')
      }
      assert.equal((await call(onProxy(), 'touch', 'a', null))[0].code, 'SerializationError')
    })
  })

  describe('the migration from connect-dynamodb', () => {
    test('get and touch work with JSON text of connect-dynamodb, and set replaces it with a map', async () => {
      const Connect = require('connect-dynamodb')({ session })
      const theirs = new Connect({ client, table, prefix: 'sess:', hashKey: 'id', initialized: true })
      const store = ours({ prefix: 'sess:', touchAfter: 0 })
      const sid = newSid()
      await new Promise((resolve) => theirs.set(sid, expressSession({ a: 1, when: new Date(0) }), resolve))
      const read = await value(store, 'get', sid)
      assert.deepEqual([read.a, read.when], [1, new Date(0).toISOString()])

      const [error] = await call(original({ prefix: 'sess:' }), 'touch', sid, expressSession(read))
      assert.equal(error.name, 'ValidationException', 'the behavior of the original')
      await dynamodb.raw.setExpires(table, { id: `sess:${sid}` }, nowInSeconds() + 10)
      await value(store, 'touch', sid, expressSession(read))
      const item = await itemOf(sid, { prefix: 'sess:' })
      assertNear(Number(item.expires.N), nowInSeconds() + 60)
      assert.equal(typeof item.sess.S, 'string')

      await value(store, 'set', sid, expressSession(read))
      assert.ok((await itemOf(sid, { prefix: 'sess:' })).sess.M)
    })
  })

  describe('createTableOptions', () => {
    const describeTable = async (TableName) => (await dynamodb.raw.sdk.describeTable({ TableName })).Table

    test(
      'create() creates the table with createTableOptions and enables its time to live',
      needs('timeToLive'),
      async () => {
        const tableName = dynamodb.newTableName()
        const createTableOptions = {
          BillingMode: 'PROVISIONED',
          ProvisionedThroughput: { ReadCapacityUnits: 3, WriteCapacityUnits: 4 },
          DeletionProtectionEnabled: false,
          AttributeDefinitions: [
            { AttributeName: 'id', AttributeType: 'S' },
            { AttributeName: 'user', AttributeType: 'S' }
          ],
          GlobalSecondaryIndexes: [
            {
              IndexName: 'users',
              KeySchema: [{ AttributeName: 'user', KeyType: 'HASH' }],
              Projection: { ProjectionType: 'KEYS_ONLY' },
              ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 }
            }
          ]
        }
        const store = await Ours.create(optionsOf({ dynamoDBClient: proxyClient, tableName, createTableOptions }))
        assert.ok(store instanceof Ours)
        assert.deepEqual(proxy.sent('CreateTable'), [
          {
            TableName: tableName,
            KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
            ...createTableOptions
          }
        ])
        const made = await describeTable(tableName)
        assert.equal(made.TableStatus, 'ACTIVE')
        assert.equal(made.GlobalSecondaryIndexes[0].IndexName, 'users')
        const { TimeToLiveDescription } = await dynamodb.raw.sdk.describeTimeToLive({ TableName: tableName })
        assert.equal(TimeToLiveDescription.AttributeName, 'expires')
        const sid = newSid()
        await value(store, 'set', sid, expressSession())
        assert.ok(await value(store, 'get', sid))
      }
    )

    test('createTableOptions {} creates an on-demand table', needs('timeToLive'), async () => {
      const tableName = dynamodb.newTableName()
      await Ours.create(optionsOf({ tableName, createTableOptions: {} }))
      assert.equal((await describeTable(tableName)).BillingModeSummary.BillingMode, 'PAY_PER_REQUEST')
    })

    test('create() does not change an existing table', async () => {
      await Ours.create(optionsOf({ dynamoDBClient: proxyClient, createTableOptions: {} }))
      assert.deepEqual(proxy.operations, ['DescribeTable'])
    })

    test('create() rejects an existing table with a different key', async () => {
      const tableName = await dynamodb.newTable({ hashKey: 'other' })
      await assert.rejects(Ours.create(optionsOf({ tableName, createTableOptions: {} })), {
        code: 'ConfigError',
        message: /is other \(S\), not id \(S\)\. Set option hashKey to "other"/
      })
    })

    test('create() sends no request without createTableOptions', async () => {
      await Ours.create(optionsOf({ dynamoDBClient: proxyClient }))
      assert.deepEqual(proxy.operations, [])
    })

    test(
      'the constructor creates the table in the background, and operations wait for it',
      needs('timeToLive'),
      async () => {
        const tableName = dynamodb.newTableName()
        proxy.on('CreateTable', delayed(50))
        const store = onProxy({ tableName, createTableOptions: { BillingMode: 'PAY_PER_REQUEST' } })
        const sid = newSid()
        await value(store, 'set', sid, expressSession())
        assert.ok(await value(store, 'get', sid))
        await eventually(() => proxy.sent('UpdateTimeToLive').length === 1)
        assert.equal(proxy.sent('CreateTable').length, 1)
      }
    )

    test('create() rejects if DescribeTable or CreateTable is denied', async () => {
      const tableName = dynamodb.newTableName()
      const given = optionsOf({ dynamoDBClient: proxyClient, tableName, createTableOptions: {} })
      for (const operation of ['DescribeTable', 'CreateTable']) {
        proxy.reset()
        proxy.on(operation, errorResponse(400, 'AccessDeniedException'))
        await assert.rejects(Ours.create(given), { name: 'AccessDeniedException' })
      }
      assert.equal(await dynamodb.raw.tableExists(tableName), false)
    })

    test('a failed table creation by the constructor causes only a warning', async () => {
      const { code, stderr } = await runNode(
        [
          '-e',
          `const { DynamoDBStore } = require('./lib/compat/pwrdrvr-dynamodb-session-store')
           const store = new DynamoDBStore({ createTableOptions: {} })
           store.get('a', (error) => { if (!error) process.exit(1) })`
        ],
        {
          env: {
            AWS_REGION: 'us-east-1',
            AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
            AWS_ACCESS_KEY_ID: 'a',
            AWS_SECRET_ACCESS_KEY: 's'
          }
        }
      )
      assert.equal(code, 0, stderr)
      assert.match(stderr, /DynamoDBSessionWarning: @pwrdrvr\/dynamodb-session-store: cannot create the table/)
    })
  })

  describe('loading', () => {
    test('the module loads without TypeScript helpers and has a named export for ECMAScript modules', async () => {
      const { code, stdout, stderr } = await runNode([
        '--input-type=module',
        '-e',
        `import { DynamoDBStore } from 'dynamodb-session/pwrdrvr-dynamodb-session-store'
         console.log(new DynamoDBStore({}).prefix)`
      ])
      assert.deepEqual([code, stdout, stderr], [0, 'session#\n', ''])
    })
  })

  describe('DEBUG', () => {
    after(() => delete process.env.DEBUG)

    test('DEBUG prints the lines of the original, without session IDs', needs('timeToLive'), async (t) => {
      const text = []
      // In a traced run, the output also has lines of NODE_DEBUG.
      const isTrace = (line) => line.startsWith('DYNAMODB-SESSION ')
      t.mock.method(process.stderr, 'write', (chunk) => isTrace(String(chunk)) || text.push(String(chunk)))
      const debug = require('debug')
      const sid = newSid()
      const run = async (Store, { isSilent = false } = {}) => {
        const tableName = dynamodb.newTableName()
        const createTableOptions = { BillingMode: 'PAY_PER_REQUEST' }
        // The original's create() omits the billing mode, so DynamoDB rejects the request.
        const store = new Store(optionsOf({ tableName, createTableOptions }))
        const isCreated = () => text.join('').includes(`table ${tableName} created`)
        await eventually(isSilent ? () => dynamodb.raw.tableExists(tableName) : isCreated)
        await call(store, 'touch', sid, expressSession({ password: 'hush', lastModified: secondsAgo(0) }))
        const lines = text.splice(0).join('')
        return { lines, words: lines.match(/(does not exist|creating table|\S+ created$|Skip touching session)/gm) }
      }
      debug.enable('@pwrdrvr/*')
      const theirs = await run(Original)
      debug.disable()
      process.env.DEBUG = 'express:*,@pwrdrvr/*'
      const mine = await run(Ours)
      process.env.DEBUG = '*,-@pwrdrvr/dynamodb-session-store'
      const silent = await run(Ours, { isSilent: true })
      t.mock.restoreAll()
      const plain = (words) => words.map((word) => word.replace(/\S+ created/, 'created'))
      assert.deepEqual(plain(mine.words), plain(theirs.words))
      assert.match(mine.lines, /^\S+Z @pwrdrvr\/dynamodb-session-store table /)
      assert.ok(theirs.lines.includes(sid))
      for (const secret of [sid, 'hush']) assert.equal(mine.lines.includes(secret), false)
      assert.equal(silent.lines, '')
    })
  })

  describe('the README of @pwrdrvr/dynamodb-session-store', () => {
    test('the README example of @pwrdrvr/dynamodb-session-store keeps sessions', async () => {
      const express = require('express')
      const app = express()
      const dynamoDBClient = client
      const DynamoDBStore = Ours
      app.use(
        session({
          store: new DynamoDBStore({
            tableName: table,
            dynamoDBClient,
            touchAfter: 60 * 60 // 60 minutes in seconds
          }),
          secret: 'yeah-change-this',
          cookie: {
            maxAge: 14 * 24 * 60 * 60 * 1000 // 14 days in milliseconds
          },
          resave: false,
          saveUninitialized: false
        })
      )
      app.get('/login', (req, res) => {
        req.session.user = 'test'
        res.json({ id: req.session?.id })
      })
      app.get('/', (req, res) => res.json({ id: req.session?.id, user: req.session.user }))
      const server = app.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const browser = new Browser(`http://127.0.0.1:${server.address().port}`)
      const { id } = (await browser.get('/login')).body
      assert.deepEqual((await browser.get('/')).body, { id, user: 'test' })
      assertNear(Number((await itemOf(id)).expires.N), nowInSeconds() + 14 * 24 * 3600)
      server.closeAllConnections()
      server.close()
    })
  })
})
