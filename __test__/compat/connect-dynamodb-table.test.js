'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { describe, test } = require('node:test')
const { callWithCallback, callWithPromise, collectEvents, eventually } = require('../support/calls')
const { root, runScript } = require('../support/child')
const { errorResponse, heldUntil } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')
const { Original, Ours, call, useStores } = require('./support/connect-dynamodb-stores')

const { dynamodb, open } = useStores()

describe('errors of the connect-dynamodb store', () => {
  const cycle = newSession()
  cycle.self = cycle
  const sessions = { circular: cycle, 'not serializable': newSession({ n: 1n }), null: null, undefined: undefined }
  for (const [name, session] of Object.entries(sessions)) {
    test(`set passes an error to its callback for a session that is ${name}`, async () => {
      const { error } = await callWithCallback(open(Ours), 'set', newSid(), session)
      assert.equal(error.code, 'SerializationError')
    })
  }

  test('a session without a cookie expires after one day', async () => {
    const sid = newSid()
    await call(open(Ours), 'set', sid, { user: 'Ann' })
    assert.ok(Math.abs((await dynamodb.item(sid)).expires.N - nowInSeconds() - 86_400) <= 12)
  })

  test('the error names the missing special keys', async () => {
    const specialKeys = ['user', 'team'].map((name) => ({ name, type: 'S' }))
    for (const options of [{}, { skipThrowMissingSpecialKeys: false }]) {
      const { error } = await callWithCallback(open(Ours, { specialKeys, ...options }), 'set', newSid(), newSession())
      assert.match(error.message, /special keys \["user","team"\]/)
    }
  })

  test('every method passes an error to its callback for a session ID that is a symbol', async () => {
    for (const args of [['get'], ['set', newSession()], ['touch', newSession()], ['destroy']]) {
      const [method, ...rest] = args
      const { error } = await callWithCallback(open(Ours), method, Symbol('id'), ...rest)
      assert.equal(error.code, 'InvalidSessionIdError')
    }
  })

  test('every method reports a NetworkError if the service is unreachable', async () => {
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

  test('a callback that throws is called only once', async () => {
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

  test('calls without a callback send their requests, and their errors do not end the process', async () => {
    const store = open(Ours)
    const sid = newSid()
    store.set(sid, newSession({ user: 'Ann' }))
    await eventually(() => dynamodb.item(sid))
    store.destroy(sid)
    await eventually(async () => (await dynamodb.item(sid)) === undefined)
    new Ours({ ...dynamodb.connection, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 }).set(sid, newSession())
  })
})

describe('table creation by the connect-dynamodb store', () => {
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
    test(`createSessionsTable creates the table of connect-dynamodb with ${JSON.stringify(options)}`, async () => {
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

  test('initialize and createTable reject a table with a different key', async () => {
    const table = await dynamodb.newTable({ hashKey: 'other' })
    const store = open(Ours, { table })
    const expected = { code: 'ConfigError', message: /is other \(S\), not id \(S\)\. Set option hashKey to "other"/ }
    await assert.rejects(store.initialize(), expected)
    await assert.rejects(store.createTable(), expected)
    await assert.rejects(open(Ours, { table, createTable: true }).createTable(), expected)
  })

  test('initialize does not enable the time to live of a new table', needs('timeToLive'), async () => {
    const store = open(Ours, { table: dynamodb.newTableName() })
    await store.initialize()
    const { TimeToLiveDescription } = await dynamodb.raw.sdk.describeTimeToLive({ TableName: store.table })
    assert.equal(TimeToLiveDescription.TimeToLiveStatus, 'DISABLED')
  })

  test('the first operation creates a missing table', needs('provisioned'), async () => {
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

  test('set writes the session as it was at the call, even if the table must be created first', async () => {
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

  test('with initialized: true or createTable: false, a missing table is not created', async () => {
    const table = dynamodb.newTableName()
    for (const options of [{ initialized: true }, { createTable: false }]) {
      const store = open(Ours, { table, ...options })
      await store.initialize()
      const { error } = await callWithCallback(store, 'get', 'a')
      assert.equal(error.name, 'ResourceNotFoundException')
    }
    assert.equal(await dynamodb.raw.tableExists(table), false)
  })

  test('option createTable sets how a missing table is created', async () => {
    for (const create of ['get', 'initialize', 'createTable']) {
      const store = open(Ours, { table: dynamodb.newTableName(), createTable: { ttl: false } })
      await call(store, create, ...(create === 'get' ? ['a'] : []))
      assert.equal((await schemaOf(store.table)).billing, 'PAY_PER_REQUEST')
    }
  })

  test('concurrent operations share one call of overridden table methods', needs('proxy'), async () => {
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

  test('two stores can create the same table at the same time', async () => {
    const table = dynamodb.newTableName()
    await Promise.all([open(Ours, { table }), open(Ours, { table })].map((store) => store.initialize()))
    assert.equal(await dynamodb.raw.tableExists(table), true)
  })

  test('operations wait for a table that another store is creating', async () => {
    const slow = require('dynalite')({ createTableMs: 300 }).listen(0, '127.0.0.1')
    await once(slow, 'listening')
    const endpoint = `http://127.0.0.1:${slow.address().port}`
    const [one, other] = [open(Ours, { endpoint, table: 'slow' }), open(Ours, { endpoint, table: 'slow' })]
    await Promise.all([call(one, 'set', 'a', newSession({ user: 'Ann' })), other.initialize()])
    assert.equal((await call(other, 'get', 'a')).user, 'Ann')
    slow.closeAllConnections()
    await new Promise((resolve) => slow.close(resolve))
  })

  test('initialize creates no table if DescribeTable is denied', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('DescribeTable', errorResponse(400, 'AccessDeniedException'))
    const store = open(Ours, { endpoint: proxy.endpoint })
    await assert.rejects(store.initialize(), { name: 'AccessDeniedException' })
    await call(store, 'get', 'a')
    assert.equal(store.initialized, true)
    assert.deepEqual(proxy.operations, ['DescribeTable', 'GetItem'])
  })

  test('requests have the same table, keys, and consistency as those of connect-dynamodb', needs('proxy'), async () => {
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

describe('reap of the connect-dynamodb store', () => {
  const old = { expires: { N: '1000' } }

  test('reap deletes expired sessions with the prefix, over several pages, and calls back once', async () => {
    const table = await dynamodb.newTable()
    const store = open(Ours, { table })
    const large = 'x'.repeat(390_000)
    for (let i = 0; i < 6; i++) await dynamodb.putItem(`dead-${i}`, { sess: { S: large }, ...old }, { table })
    await dynamodb.putItem('alive', { sess: { S: '{}' } }, { table })
    // A key without the prefix that ends with the ID of a session that has not expired.
    await dynamodb.putItem('alive', old, { table, prefix: 'else:' })
    await call(store, 'reap')
    const keys = (await dynamodb.raw.items(table)).map((item) => item.id.S)
    assert.deepEqual(keys.sort(), ['else:alive', 'sess:alive'])
  })

  test('reap keeps a session that is extended after the scan', needs('proxy'), async () => {
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

  test('reap reports an error of a delete', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = await dynamodb.newTable()
    await dynamodb.putItem('a', old, { table })
    proxy.on('DeleteItem', errorResponse(400, 'AccessDeniedException'))
    const { error } = await callWithCallback(open(Ours, { table, endpoint: proxy.endpoint }), 'reap')
    assert.equal(error.code, 'AccessDeniedException')
  })

  test('reap runs every reapInterval until clearInterval is called', async () => {
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

  test('a failed run of the reap timer emits reapError and does not end the process', async () => {
    const endpoint = 'http://127.0.0.1:1'
    const store = new Ours({ ...dynamodb.connection, endpoint, maxAttempts: 1, reapInterval: 20 })
    const errors = collectEvents(store, 'reapError')
    await eventually(() => errors.length > 1)
    await store.close()
    assert.equal(errors[0].code, 'NetworkError')
  })

  test('the reap timer does not keep the process alive', async () => {
    const script = `
      const Store = require(DYNAMODB_SESSION + '/lib/compat/connect-dynamodb.js')(require('express-session'))
      new Store({ reapInterval: 60_000, region: 'us-east-1' })
    `
    const { code, stderr } = await runScript(script.replace('DYNAMODB_SESSION', JSON.stringify(root)))
    assert.equal(code, 0, stderr)
  })
})
