'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { changedResponse, errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')
const { callDuringFault, eventually } = require('../support/calls')

const dynamodb = useDynamoDB()

/** Writes sessions until `end()`, and collects the outcomes. */
function load(store, lanes = 10) {
  const outcomes = []
  let isOver = false
  const lane = async () => {
    while (!isOver) {
      const sid = newSid()
      const error = await store.set(sid, newSession({ user: 'Ann' })).then(
        () => undefined,
        (error) => error
      )
      outcomes.push(error?.code ?? 'done')
    }
  }
  const running = Promise.all(Array.from({ length: lanes }, lane))
  return { outcomes, end: () => ((isOver = true), running) }
}

const count = (list, value) => list.filter((member) => member === value).length

/** Deletes the table under load and creates it again; returns the outcomes of the operations. */
async function recreateUnderLoad(store, table, recreate) {
  const { outcomes, end } = load(store)
  await eventually(() => count(outcomes, 'done') > 20)
  // Operations may fail before the response to DeleteTable arrives.
  const before = outcomes.length
  await dynamodb.raw.deleteTable(table)
  await recreate(outcomes)
  const again = outcomes.length
  await eventually(() => count(outcomes.slice(again), 'done') > 20, 20_000)
  await end()
  return outcomes.slice(before)
}

describe('a table deleted under load', () => {
  test('makes operations fail until it is created again', async () => {
    const table = await dynamodb.newTable()
    const store = dynamodb.store({ table })
    const outcomes = await recreateUnderLoad(store, table, async (outcomes) => {
      await eventually(() => outcomes.includes('ResourceNotFoundException'))
      await dynamodb.raw.createTable(table)
    })
    assert.deepEqual(new Set(outcomes), new Set(['done', 'ResourceNotFoundException']))
    assert.equal(await store.get(newSid()), null)
  })

  test('with createTable is created again, and no operation fails', async () => {
    const table = await dynamodb.newTable()
    const store = dynamodb.store({ table, createTable: true })
    const outcomes = await recreateUnderLoad(store, table, async () => {})
    assert.deepEqual(new Set(outcomes), new Set(['done']))
  })
})

describe('a table that is being created', needs('proxy'), () => {
  const creating = changedResponse(({ text }) => ({ text: text.replace('"ACTIVE"', '"CREATING"') }))
  const missing = errorResponse(400, 'ResourceNotFoundException')

  test('without createTable, operations fail at once until it is active', async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint })
    proxy.on('*', missing)
    const { error } = await callDuringFault({ proxy, store, timeout: 1000 }, 'get', newSid())
    assertOperationError(error, { code: 'ResourceNotFoundException', operation: 'GetItem', tableName: dynamodb.table })
    assert.equal(error.$metadata.attempts, 1)
  })

  test('with createTable, all operations share one wait', async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, createTable: true })
    proxy.on('GetItem', missing, 20).on('DescribeTable', creating, 3)
    const values = await Promise.all(Array.from({ length: 20 }, () => store.get(newSid())))
    assert.deepEqual(new Set(values), new Set([null]))
    assert.equal(proxy.sent('DescribeTable').length, 4)
    assert.equal(proxy.sent('CreateTable').length, 0)
  })
})

describe('the time to live of the table', needs('proxy', 'timeToLive'), () => {
  test('can change while operations run', async () => {
    const { outcomes, end } = load(dynamodb.store())
    for (const Enabled of [true, false, true]) {
      const TimeToLiveSpecification = { AttributeName: 'expires', Enabled }
      // Like DynamoDB, the in-memory server rejects a second change within an hour.
      await dynamodb.raw.sdk.updateTimeToLive({ TableName: dynamodb.table, TimeToLiveSpecification }).catch(() => {})
      const before = outcomes.length
      await eventually(() => outcomes.length > before + 20)
    }
    await end()
    assert.deepEqual(new Set(outcomes), new Set(['done']))
  })

  test('that cannot be changed now causes a warning, and the table is used', async (t) => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, table: dynamodb.newTableName(), createTable: true })
    const message = 'Time to live has been modified multiple times within a fixed interval'
    proxy.on('UpdateTimeToLive', errorResponse(400, 'ValidationException', message))
    const warnings = []
    const onWarning = (warning) => warnings.push(warning)
    process.on('warning', onWarning)
    t.after(() => process.off('warning', onWarning))
    await store.set(newSid(), newSession())
    await eventually(() => warnings.length > 0)
    assert.deepEqual([warnings.length, warnings[0].code], [1, 'DYNAMODB_SESSION_TABLE'])
    assert.match(warnings[0].message, /fixed interval/)
  })
})
