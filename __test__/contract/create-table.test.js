'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { callBothWays, collectEvents, eventually } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, failure } = require('../support/errors')
const { errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** Also works on a server without time to live. */
const createTable = { ttl: false }

/** A store on a table that does not exist yet. */
function newStore(options) {
  const table = dynamodb.newTableName()
  return { table, store: dynamodb.store({ table, ...options }) }
}

async function describeTable(TableName) {
  return (await dynamodb.raw.sdk.describeTable({ TableName })).Table
}

async function timeToLive(TableName) {
  return (await dynamodb.raw.sdk.describeTimeToLive({ TableName })).TimeToLiveDescription
}

const keySchema = (...names) => names.map((AttributeName, i) => ({ AttributeName, KeyType: ['HASH', 'RANGE'][i] }))

describe('the option createTable', () => {
  test('true creates a missing table with on-demand capacity and time to live', needs('timeToLive'), async () => {
    const { table, store } = newStore({ createTable: true })
    const sid = newSid()
    await store.set(sid, newSession({ user: 'Ann' }))
    assert.equal((await store.get(sid)).user, 'Ann')
    const { KeySchema, BillingModeSummary, TableStatus } = await describeTable(table)
    assert.deepEqual([KeySchema, BillingModeSummary.BillingMode], [keySchema('id'), 'PAY_PER_REQUEST'])
    assert.equal(TableStatus, 'ACTIVE')
    const { AttributeName, TimeToLiveStatus } = await timeToLive(table)
    assert.equal(AttributeName, 'expires')
    assert.match(TimeToLiveStatus, /^ENABL(ED|ING)$/)
  })

  test('enables time to live on the attribute named by attributes.expires', needs('timeToLive'), async () => {
    const { table, store } = newStore({ createTable: true, attributes: { expires: 'ends' } })
    await store.get(newSid())
    assert.equal((await timeToLive(table)).AttributeName, 'ends')
  })

  test('false or undefined creates no table', async () => {
    for (const value of [false, undefined]) {
      const { table, store } = newStore({ createTable: value })
      const error = await failure(store, 'get', newSid())
      assertOperationError(error, { code: 'ResourceNotFoundException', operation: 'GetItem', tableName: table })
      assert.equal(await dynamodb.raw.tableExists(table), false)
    }
  })

  const operations = {
    get: [newSid()],
    set: [newSid(), newSession()],
    touch: [newSid(), newSession()],
    destroy: [newSid()]
  }
  for (const [method, args] of Object.entries(operations)) {
    test(`${method} creates a missing table`, async () => {
      const { table, store } = newStore({ createTable })
      const { error } = await callBothWays(store, method, ...args)
      assert.equal(error, undefined)
      assert.equal(await dynamodb.raw.tableExists(table), true)
    })
  }

  test('creates a table with provisioned capacity', needs('provisioned'), async () => {
    const { table, store } = newStore({
      createTable: { ...createTable, billingMode: 'PROVISIONED', readCapacityUnits: 3, writeCapacityUnits: 2 }
    })
    await store.get(newSid())
    const { ReadCapacityUnits, WriteCapacityUnits } = (await describeTable(table)).ProvisionedThroughput
    assert.deepEqual([ReadCapacityUnits, WriteCapacityUnits], [3, 2])
  })

  test('creates a table with tags', needs('tags'), async () => {
    const { table, store } = newStore({ createTable: { ...createTable, tags: { team: 'web', 'cost center': '5' } } })
    await store.get(newSid())
    const { TableArn } = await describeTable(table)
    const { Tags } = await dynamodb.raw.sdk.listTagsOfResource({ ResourceArn: TableArn })
    assert.deepEqual(Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])), {
      team: 'web',
      'cost center': '5'
    })
  })

  test('creates a table with a sort key', async () => {
    const { table, store } = newStore({ createTable, hashKey: 'pk', sortKey: 'sk' })
    const sid = newSid()
    await store.set(sid, newSession({ user: 'Ann' }))
    assert.deepEqual((await describeTable(table)).KeySchema, keySchema('pk', 'sk'))
    assert.equal((await store.get(sid)).user, 'Ann')
  })

  test('concurrent first operations create the table once', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const { store } = newStore({ createTable, endpoint: proxy.endpoint })
    const values = await Promise.all(Array.from({ length: 20 }, () => store.get(newSid())))
    assert.deepEqual(new Set(values), new Set([null]))
    assert.equal(proxy.sent('CreateTable').length, 1)
  })

  test('two stores can create the same table at the same time', async () => {
    const { table, store } = newStore({ createTable })
    const other = dynamodb.store({ table, createTable })
    assert.deepEqual(await Promise.all([store.get(newSid()), other.get(newSid())]), [null, null])
  })

  test('sends no extra request for an existing table, and does not modify it', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = await dynamodb.newTable()
    const before = await describeTable(table)
    const store = dynamodb.store({
      table,
      endpoint: proxy.endpoint,
      createTable: { billingMode: 'PROVISIONED', readCapacityUnits: 7, writeCapacityUnits: 7 }
    })
    await store.get(newSid())
    assert.deepEqual(proxy.operations, ['GetItem'])
    assert.deepEqual((await describeTable(table)).ProvisionedThroughput, before.ProvisionedThroughput)
    assert.equal((await timeToLive(table)).TimeToLiveStatus, 'DISABLED')
  })

  test('creates a deleted table again', async () => {
    const { table, store } = newStore({ createTable })
    await store.get(newSid())
    await dynamodb.raw.deleteTable(table)
    await eventually(async () => !(await dynamodb.raw.tableExists(table)), 30_000)
    assert.equal(await store.get(newSid()), null)
    assert.equal(await dynamodb.raw.tableExists(table), true)
  })

  test('fails if another process creates the table first with a different key', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = await dynamodb.newTable({ hashKey: 'sessionId' })
    proxy.on('GetItem', errorResponse(400, 'ResourceNotFoundException'), 1)
    const store = dynamodb.store({ table, createTable: true, endpoint: proxy.endpoint })
    await assert.rejects(store.get(newSid()), { code: 'ConfigError', message: /Set option hashKey to "sessionId"/ })
    assert.equal((await timeToLive(table)).TimeToLiveStatus, 'DISABLED')
  })

  test(
    'a rejected CreateTable request makes the operation fail, and the next operation tries again',
    needs('proxy'),
    async () => {
      const proxy = await dynamodb.proxy()
      const { table, store } = newStore({ createTable, endpoint: proxy.endpoint })
      proxy.on('CreateTable', errorResponse(400, 'AccessDeniedException'), 2)
      const error = await failure(store, 'get', newSid())
      assertOperationError(error, { code: 'AccessDeniedException', operation: error.operation, tableName: table })
      assert.equal(await store.get(newSid()), null)
    }
  )
})

test(
  'a failed UpdateTimeToLive request causes a process warning, and the new table is used',
  needs('proxy'),
  async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('UpdateTimeToLive', errorResponse(400, 'AccessDeniedException'))
    const warnings = collectEvents(process, 'warning')
    const { store } = newStore({ createTable: true, endpoint: proxy.endpoint })
    const sid = newSid()
    await store.set(sid, newSession())
    assert.notEqual(await store.get(sid), null)
    await sleep(0)
    const messages = warnings.filter(({ code }) => code === 'DYNAMODB_SESSION_TABLE').map(({ message }) => message)
    assert.equal(messages.length, 1)
    assert.match(messages[0], /^UpdateTimeToLive on table/)
  }
)

describe('the method createTable', () => {
  test('creates the table and returns its description', needs('timeToLive'), async () => {
    const { table, store } = newStore()
    const { value } = await callBothWays(store, 'createTable')
    assert.deepEqual([value.TableName, value.TableStatus, value.KeySchema], [table, 'ACTIVE', keySchema('id')])
    assert.match((await timeToLive(table)).TimeToLiveStatus, /^ENABL(ED|ING)$/)
  })

  test('uses the settings of the option createTable', needs('provisioned'), async () => {
    const { table, store } = newStore({
      createTable: { ...createTable, billingMode: 'PROVISIONED', readCapacityUnits: 3, writeCapacityUnits: 2 }
    })
    await store.createTable()
    assert.equal((await describeTable(table)).ProvisionedThroughput.ReadCapacityUnits, 3)
    assert.equal((await timeToLive(table)).TimeToLiveStatus, 'DISABLED')
  })

  test('does not modify an existing table', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = await dynamodb.newTable()
    const { value } = await callBothWays(dynamodb.store({ table, endpoint: proxy.endpoint }), 'createTable')
    assert.equal(value.TableName, table)
    assert.equal((await timeToLive(table)).TimeToLiveStatus, 'DISABLED')
    assert.deepEqual(
      [...new Set(proxy.operations)].filter((operation) => !operation.startsWith('Describe')),
      []
    )
  })

  for (const [mismatch, schema, options, message] of [
    [
      'another partition key',
      { hashKey: 'sessionId' },
      {},
      /is sessionId \(S\), not id \(S\)\. Set option hashKey to "sessionId"/
    ],
    [
      'an unexpected sort key',
      { hashKey: 'id', sortKey: 'sk' },
      {},
      /is id \(S\) and sk \(S\), not id \(S\)\. Set option hashKey to "id" and sortKey to "sk"/
    ],
    [
      'no sort key although sortKey is set',
      { hashKey: 'id' },
      { sortKey: 'sk' },
      /Set option hashKey to "id" and leave out sortKey/
    ]
  ]) {
    test(`fails if an existing table has ${mismatch}, and does not modify the table`, needs('timeToLive'), async () => {
      const table = await dynamodb.newTable(schema)
      const error = await failure(dynamodb.store({ table, ...options }), 'createTable')
      assertOperationError(error, { code: 'ConfigError', operation: 'CreateTable', tableName: table })
      assert.match(error.message, message)
      assert.equal((await timeToLive(table)).TimeToLiveStatus, 'DISABLED')
    })
  }

  test('fails if the partition key of an existing table is not a string', async () => {
    const table = dynamodb.newTableName()
    await dynamodb.raw.sdk.createTable({
      TableName: table,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
      KeySchema: keySchema('id'),
      BillingMode: 'PAY_PER_REQUEST'
    })
    const error = await failure(dynamodb.store({ table }), 'createTable')
    assert.match(error.message, /is id \(N\), not id \(S\)\. Use another table/)
  })

  test('fails with the error of the service', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const { table, store } = newStore({ endpoint: proxy.endpoint })
    proxy.on('CreateTable', errorResponse(400, 'AccessDeniedException'))
    const error = await failure(store, 'createTable')
    assertOperationError(error, { code: 'AccessDeniedException', operation: 'CreateTable', tableName: table })
  })
})

describe('the method describeTable', () => {
  test('returns the description of the table and of its time to live', async () => {
    const { value } = await callBothWays(dynamodb.store(), 'describeTable')
    assert.deepEqual([value.TableName, value.TableStatus], [dynamodb.table, 'ACTIVE'])
    assert.ok(value.CreationDateTime instanceof Date)
    assert.equal(value.TimeToLiveDescription.TimeToLiveStatus, 'DISABLED')
  })

  test('omits the time to live of a table that is being deleted', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('DescribeTimeToLive', errorResponse(400, 'ResourceNotFoundException'))
    const { TableName, TimeToLiveDescription } = await dynamodb.store({ endpoint: proxy.endpoint }).describeTable()
    assert.deepEqual([TableName, TimeToLiveDescription], [dynamodb.table, undefined])
  })

  test('returns the time to live attribute once time to live is enabled', needs('timeToLive'), async () => {
    const { store } = newStore()
    await store.createTable()
    const { TimeToLiveDescription } = await store.describeTable()
    assert.equal(TimeToLiveDescription.AttributeName, 'expires')
  })
})
