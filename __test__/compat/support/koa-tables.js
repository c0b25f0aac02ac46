'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { describe, test } = require('node:test')
const { assertStoreError } = require('../../support/errors')
const { changedResponse, errorResponse } = require('../../support/fault-proxy')
const { needs } = require('../../support/features')

const unknownOperation = errorResponse(400, 'UnknownOperationException')

function testTables(compatible, dynamodb) {
  const keySchema = Object.values(compatible.schema).map((AttributeName, i) => ({
    AttributeName,
    KeyType: ['HASH', 'RANGE'][i]
  }))
  const describeTable = async (TableName) => (await dynamodb.raw.sdk.describeTable({ TableName })).Table
  const timeToLive = async (TableName) =>
    (await dynamodb.raw.sdk.describeTimeToLive({ TableName })).TimeToLiveDescription

  /** A store whose table does not exist, and a proxy that records its requests. */
  async function newStore(table = {}, ...more) {
    const proxy = await dynamodb.proxy()
    const options = compatible.options({ name: dynamodb.newTableName(), endpoint: proxy.endpoint, ...table })
    return { proxy, table: options.table.name, options, store: new compatible.Store(options, ...more) }
  }

  const callbackOf = (store) => new Promise((resolve) => store.createTableIfDontExists((error) => resolve(error)))

  describe('createTableIfDontExists', () => {
    test(
      'createTableIfDontExists creates a table with its keys, capacity, and time to live',
      needs('timeToLive', 'provisioned'),
      async () => {
        const { table, store, proxy } = await newStore({
          readCapacityUnits: '7',
          writeCapacityUnits: 3,
          ttlKey: 'ends'
        })
        assert.equal(await store.createTableIfDontExists(), undefined)
        const { KeySchema, ProvisionedThroughput, TableStatus } = await describeTable(table)
        assert.deepEqual(KeySchema, keySchema)
        assert.equal(TableStatus, 'ACTIVE')
        assert.deepEqual([ProvisionedThroughput.ReadCapacityUnits, ProvisionedThroughput.WriteCapacityUnits], [7, 3])
        const { TimeToLiveStatus, AttributeName } = await timeToLive(table)
        assert.match(TimeToLiveStatus, /^ENABL/)
        assert.equal(AttributeName, 'ends')
        assert.equal(proxy.operations.filter((operation) => operation === 'UpdateTimeToLive').length, 1)
        await store.set('a', { user: 'Ann' }, 60_000)
        assert.deepEqual(await store.get('a'), { user: 'Ann' })
        assert.deepEqual(await store.destroy('a'), {})
      }
    )

    test('createTableIfDontExists of the original fails and creates no table', async () => {
      const { options, table } = await newStore()
      const theirs = new compatible.Original(options)
      const error = await callbackOf(theirs)
      assert.ok(error)
      assert.equal(await dynamodb.raw.tableExists(table), false)
    })

    test('createTableIfDontExists calls its callback once, without an error', async () => {
      const { store, table } = await newStore({ region: 'us-local-1' })
      let calls = 0
      const result = await store.createTableIfDontExists((error) => {
        calls += 1
        assert.equal(error, undefined)
      })
      assert.equal(result, undefined)
      assert.equal(calls, 1)
      assert.deepEqual((await describeTable(table)).KeySchema, keySchema)
    })

    test('createTableIfDontExists does not enable time to live if the Region is local', async () => {
      const { store, proxy } = await newStore({ region: 'local' })
      await store.createTableIfDontExists()
      assert.ok(proxy.operations.includes('CreateTable'))
      assert.equal(proxy.operations.includes('UpdateTimeToLive'), false)
      proxy.reset()
      await store.createTableIfDontExists()
      assert.equal(proxy.operations.includes('CreateTable'), false)
    })

    test('createTableIfDontExists does not enable time to live with useTtlExpired false', async () => {
      const { store, proxy } = await newStore({ useTtlExpired: false })
      await store.createTableIfDontExists()
      assert.equal(proxy.operations.includes('UpdateTimeToLive'), false)
    })

    test('createTableIfDontExists only warns if the server does not support time to live', async () => {
      const { store, proxy, table } = await newStore()
      proxy.on('DescribeTimeToLive', unknownOperation).on('UpdateTimeToLive', unknownOperation)
      const warned = once(process, 'warning')
      await store.createTableIfDontExists()
      const [{ name, message }] = await warned
      assert.equal(name, 'DynamoDBSessionWarning')
      assert.match(
        message,
        new RegExp(`cannot enable the time to live of the table ${table} .UnknownOperationException`)
      )
      await store.set('a', { user: 'Ann' }, 60_000)
      assert.deepEqual(await store.get('a'), { user: 'Ann' })
      await store.createTableIfDontExists()
    })

    for (const region of ['us-east-1', 'local']) {
      test(`createTableIfDontExists does not change an existing table, in Region ${region}`, async () => {
        const table = await dynamodb.newTable(compatible.schema)
        const before = await describeTable(table)
        const { store, proxy } = await newStore({ name: table, region, readCapacityUnits: 50 })
        await store.createTableIfDontExists()
        assert.equal(await callbackOf(store), undefined)
        const after = await describeTable(table)
        assert.deepEqual(
          [after.KeySchema, after.ProvisionedThroughput, after.BillingModeSummary?.BillingMode],
          [before.KeySchema, before.ProvisionedThroughput, before.BillingModeSummary?.BillingMode]
        )
        assert.deepEqual(new Set(proxy.operations), new Set(['DescribeTable', 'DescribeTimeToLive']))
      })
    }

    test("the store uses the attribute of the table's time to live", needs('timeToLive', 'provisioned'), async () => {
      const { store, table } = await newStore()
      // The original fails with an on-demand table.
      await store.createTable()
      await dynamodb.raw.sdk.updateTimeToLive({
        TableName: table,
        TimeToLiveSpecification: { AttributeName: 'sweep', Enabled: true }
      })
      const options = compatible.options({ name: table })
      const [original, ours] = [new compatible.Original(options), new compatible.Store(options)]
      await callbackOf(original)
      await ours.createTableIfDontExists()
      assert.deepEqual([ours.ttlKey, original.ttlKey], ['sweep', 'sweep'])
      for (const store of [original, ours]) {
        await store.set('a', { user: 'Ann' }, 60_000)
        const item = await dynamodb.raw.read(table, compatible.keyOf('a'))
        assert.deepEqual(['sweep' in item, 'expires' in item], [true, false])
      }
    })

    test('createTableIfDontExists waits until the table is ACTIVE', async () => {
      const { store, proxy, table } = await newStore({ region: 'local' })
      const creating = changedResponse(({ text }) => ({ text: text.replace('"ACTIVE"', '"CREATING"'), headers: {} }))
      for (let round = 0; round < 2; round++) {
        // In round 0, the first response is that the table does not exist.
        proxy.reset()
        proxy.on('DescribeTable', creating, 3)
        await store.createTableIfDontExists()
        assert.ok(proxy.sent('DescribeTable').length > 3)
      }
      assert.equal((await describeTable(table)).TableStatus, 'ACTIVE')
    })

    test('createTableIfDontExists rejects a table with a different key', async () => {
      const table = await dynamodb.newTable({ hashKey: 'other' })
      const { store } = await newStore({ name: table })
      const message = /the key of the table .* is other \(S\), not .*Set option hashKey to "other"/
      await assert.rejects(store.createTableIfDontExists(), { code: 'ConfigError', message })
      assert.match((await callbackOf(store)).message, message)
    })

    test('createTableIfDontExists recreates a table once its deletion finishes', async () => {
      const { store, proxy, table } = await newStore({ region: 'local' })
      const deleting = changedResponse(({ text }) => ({ text: text.replace('"ACTIVE"', '"DELETING"'), headers: {} }))
      await store.createTable()
      proxy.on('DescribeTable', deleting, 2).on('DescribeTimeToLive', errorResponse(400, 'ResourceNotFoundException'))
      await store.createTableIfDontExists()
      assert.equal((await describeTable(table)).TableStatus, 'ACTIVE')
    })

    test('several stores can create the same table at the same time', async () => {
      const { store, options, table } = await newStore({ region: 'local' })
      const others = Array.from({ length: 4 }, () => new compatible.Store(options))
      await Promise.all([store, ...others].map((one) => one.createTableIfDontExists()))
      assert.equal((await describeTable(table)).TableStatus, 'ACTIVE')
    })

    test('createTableIfDontExists reports an error through its callback or its promise', async () => {
      const { store, proxy } = await newStore()
      proxy.on('*', errorResponse(400, 'AccessDeniedException'))
      assertStoreError(await callbackOf(store), { code: 'AccessDeniedException', operation: 'DescribeTable' })
      const error = await store.createTableIfDontExists().catch((thrown) => thrown)
      assertStoreError(error, { code: 'AccessDeniedException', operation: 'DescribeTable' })
      assert.equal(await store.createTableIfDontExists(() => {}), undefined)
    })
  })

  describe('autoCreate', () => {
    test('with autoCreate, the constructor calls an overridden createTableIfDontExists', () => {
      const calls = []
      class Extended extends compatible.Store {
        createTableIfDontExists(...args) {
          calls.push(args)
        }
      }
      const callback = () => {}
      new Extended(compatible.options({ autoCreate: true }), callback)
      new Extended(compatible.options({}), callback)
      assert.deepEqual(calls, [[callback]])
    })

    test('without autoCreate, the constructor sends no request', async () => {
      const { proxy } = await newStore()
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.deepEqual(proxy.operations, [])
    })

    test('with autoCreate, the first operations wait for the table', async () => {
      const { store, table } = await newStore({ autoCreate: true, region: 'local' })
      await Promise.all(['a', 'b', 'c'].map((id) => store.set(id, { id }, 60_000)))
      const read = await Promise.all(['a', 'b', 'c'].map((id) => store.get(id)))
      assert.deepEqual(read, [{ id: 'a' }, { id: 'b' }, { id: 'c' }])
      assert.deepEqual((await describeTable(table)).KeySchema, keySchema)
    })

    test('with autoCreate, the constructor calls its callback when the table exists', async () => {
      const options = compatible.options({ name: dynamodb.newTableName(), autoCreate: true, region: 'local' })
      const error = await new Promise((resolve) => new compatible.Store(options, resolve))
      assert.equal(error, undefined)
      assert.ok(await dynamodb.raw.tableExists(options.table.name))
    })

    test('with autoCreate, the constructor passes an error to its callback', async () => {
      const proxy = await dynamodb.proxy()
      proxy.on('*', errorResponse(400, 'AccessDeniedException'))
      const options = compatible.options({ endpoint: proxy.endpoint, autoCreate: true })
      const error = await new Promise((resolve) => new compatible.Store(options, resolve))
      assertStoreError(error, { code: 'AccessDeniedException' })
    })

    test('a failed autoCreate causes only a warning, and a later operation creates the table', async () => {
      const proxy = await dynamodb.proxy()
      proxy.on('DescribeTable', errorResponse(400, 'AccessDeniedException'), 1)
      const warned = once(process, 'warning')
      const name = dynamodb.newTableName()
      const store = new compatible.Store(
        compatible.options({ name, region: 'local', endpoint: proxy.endpoint, autoCreate: true })
      )
      const [{ message }] = await warned
      assert.match(message, new RegExp(`cannot create the table ${name} .AccessDeniedException`))
      await store.set('a', { user: 'Ann' }, 60_000)
      assert.deepEqual(await store.get('a'), { user: 'Ann' })
    })
  })

  describe('the table methods of the koa-session store', () => {
    test('isTableCreated resolves to null or to the descriptions of the table', async () => {
      const { store, table } = await newStore()
      assert.equal(await store.isTableCreated(), null)
      await store.createTable()
      const { describeTable: described, describeTimeToLive } = await store.isTableCreated()
      assert.equal(described.Table.TableName, table)
      assert.ok(described.Table.CreationDateTime instanceof Date)
      assert.equal(describeTimeToLive.TimeToLiveDescription.TimeToLiveStatus, 'DISABLED')
    })

    test('isTableCreated returns the same value as the original', needs('timeToLive'), async () => {
      const { original, ours } = await compatible.pair()
      const [our, their] = [await ours.isTableCreated(), await original.isTableCreated()]
      assert.deepEqual(our.describeTimeToLive, their.describeTimeToLive)
      // The original's SDK omits newer members.
      for (const [name, value] of Object.entries(their.describeTable.Table)) {
        assert.deepEqual(our.describeTable.Table[name], value, name)
      }
    })

    test('isTableCreated resolves to null if the table disappears between its two requests', async () => {
      const { store, proxy, options } = await newStore()
      await store.createTable()
      proxy.on('DescribeTimeToLive', errorResponse(400, 'ResourceNotFoundException'))
      assert.equal(await store.isTableCreated(), null)
      assert.equal(await new compatible.Original(options).isTableCreated(), null)
    })

    test('isTableCreated rejects if DescribeTable is denied', async () => {
      const { store, proxy } = await newStore()
      proxy.on('DescribeTable', errorResponse(400, 'AccessDeniedException'))
      const error = await store.isTableCreated().catch((thrown) => thrown)
      assertStoreError(error, { code: 'AccessDeniedException', operation: 'DescribeTable' })
    })

    test('createTable creates the table, and rejects if it exists', async () => {
      const { store, table } = await newStore({ readCapacityUnits: 2 })
      const { TableDescription } = await store.createTable()
      assert.equal(TableDescription.TableName, table)
      assert.deepEqual((await describeTable(table)).KeySchema, keySchema)
      const error = await store.createTable().catch((thrown) => thrown)
      assertStoreError(error, { code: 'ResourceInUseException', operation: 'CreateTable' })
    })

    test('updateTable changes the capacity', needs('provisioned'), async () => {
      const { store, table } = await newStore()
      await store.createTable()
      assert.equal(await store.updateTable(await store.isTableCreated()), true)
      store.readCapacityUnits = 8
      const { TableDescription } = await store.updateTable(await store.isTableCreated())
      assert.equal(TableDescription.TableName, table)
      assert.equal((await describeTable(table)).ProvisionedThroughput.ReadCapacityUnits, 8)
    })

    test('updateTable does not change an on-demand table', async () => {
      const { ours, table } = await compatible.pair()
      assert.equal(await ours.updateTable(await ours.isTableCreated()), true)
      assert.equal((await describeTable(table)).BillingModeSummary.BillingMode, 'PAY_PER_REQUEST')
    })

    test('setTtlField enables time to live on ttlKey', needs('timeToLive'), async () => {
      const { original, ours, table } = await compatible.pair({ ttlKey: 'ends' })
      const answer = await ours.setTtlField()
      assert.deepEqual(answer, { TimeToLiveSpecification: { AttributeName: 'ends', Enabled: true } })
      assert.equal((await timeToLive(table)).AttributeName, 'ends')
      assert.equal((await original.isTableCreated()).describeTimeToLive.TimeToLiveDescription.AttributeName, 'ends')
    })

    test('setTtlField disables time to live with useTtlExpired false', async () => {
      const { store, proxy } = await newStore({ useTtlExpired: false })
      proxy.on('UpdateTimeToLive', errorResponse(400, 'ValidationException'))
      await store.setTtlField().catch(() => {})
      const [{ TimeToLiveSpecification }] = proxy.sent('UpdateTimeToLive')
      assert.deepEqual(TimeToLiveSpecification, { AttributeName: 'expires', Enabled: false })
    })

    test('the store uses a tableName that is assigned later', async () => {
      const { ours } = await compatible.pair()
      const { table, original } = await compatible.pair()
      ours.tableName = table
      await ours.set('a', { user: 'Ann' }, 60_000)
      assert.deepEqual(await original.get('a'), { user: 'Ann' })
    })
  })
}

module.exports = { testTables }
