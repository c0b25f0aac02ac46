'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { eventually } = require('../support/calls')
const { runCli, startCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { changedResponse, errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')

const dynamodb = useDynamoDB()

const init = (...args) => runCli(['init', ...args], { connection: dynamodb.connection })
const describeTable = async (table) => (await dynamodb.raw.sdk.describeTable({ TableName: table })).Table

/** Replaces a text in a response. */
const withText = (from, to) => changedResponse(({ text }) => ({ text: text.replace(from, to), headers: {} }))
const isCreating = withText('"IndexStatus":"ACTIVE"', '"IndexStatus":"CREATING"')
const timeToLive = (table) => dynamodb.raw.sdk.describeTimeToLive({ TableName: table })

describe('init', needs('timeToLive'), () => {
  test('creates the table with time to live, and leaves an existing table unchanged', async () => {
    const table = dynamodb.newTableName()
    const made = await init('--table', table, '--json')
    assert.equal(made.code, 0, made.stderr)
    assert.deepEqual(
      { ...made.json, arn: undefined },
      {
        table,
        arn: undefined,
        status: 'ACTIVE',
        key: ['id'],
        billingMode: 'PAY_PER_REQUEST',
        timeToLive: { status: 'ENABLED', attribute: 'expires' },
        created: true,
        done: ['created']
      }
    )
    await dynamodb.store({ table }).set('a', { cookie: {} })
    const again = await init('--table', table, '--json')
    assert.deepEqual([again.code, again.json.created, again.json.done], [0, false, []])
    assert.equal((await dynamodb.raw.items(table)).length, 1)
  })

  test('creates the table of a layout, with capacity and tags', needs('tags'), async () => {
    const table = dynamodb.newTableName()
    const args = [
      '--table',
      table,
      '--layout',
      '@baseline-dev/koa-session-dynamodb-store',
      '--read',
      '3',
      '--write',
      '4'
    ]
    const { code, stdout, stderr } = await init(...args, '--tag', 'team=web', '--tag', 'cost=a=b')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /3 read and 4 write capacity units/)
    const { Table } = await dynamodb.raw.sdk.describeTable({ TableName: table })
    assert.deepEqual(
      Table.KeySchema.map(({ AttributeName, KeyType }) => [AttributeName, KeyType]),
      [
        ['pk', 'HASH'],
        ['sk', 'RANGE']
      ]
    )
    assert.deepEqual(
      [Table.ProvisionedThroughput.ReadCapacityUnits, Table.ProvisionedThroughput.WriteCapacityUnits],
      [3, 4]
    )
    const { Tags } = await dynamodb.raw.sdk.listTagsOfResource({ ResourceArn: Table.TableArn })
    assert.deepEqual(Tags.map(({ Key, Value }) => `${Key}=${Value}`).sort(), ['cost=a=b', 'team=web'])
  })

  test('enables the time to live of an existing table', async () => {
    const table = await dynamodb.newTable()
    const dry = await init('--table', table, '--dry-run')
    assert.match(dry.stdout, /would be enabled/)
    assert.equal((await timeToLive(table)).TimeToLiveDescription.TimeToLiveStatus, 'DISABLED')
    const left = await init('--table', table, '--no-ttl')
    assert.match(left.stdout, /time to live {2}DISABLED/)
    const { code, stdout } = await init('--table', table, '--expires-attribute', 'until')
    assert.equal(code, 0)
    assert.match(stdout, /was off and has been enabled/)
    assert.equal((await timeToLive(table)).TimeToLiveDescription.AttributeName, 'until')
    const other = await init('--table', table, '--json')
    assert.deepEqual([other.code, other.json.error.code], [1, 'WrongTimeToLive'])
    assert.match(other.json.error.todo, /--expires-attribute until/)
  })

  test('rejects a table with a different key', async () => {
    const table = await dynamodb.newTable({ hashKey: 'sessionId' })
    const { code, stderr } = await init('--table', table)
    assert.equal(code, 1)
    assert.match(stderr, /is sessionId \(S\), not id \(S\)\n.*--layout/)
  })

  test('creates nothing in a dry run', async () => {
    const table = dynamodb.newTableName()
    const { code, json } = await init('--table', table, '--dry-run', '--json')
    assert.deepEqual([code, json.created, json.dryRun], [0, false, true])
    assert.equal(await dynamodb.raw.tableExists(table), false)
  })

  test('creates a table with the index of the users', async () => {
    const table = dynamodb.newTableName()
    const dry = await init('--table', table, '--user-index', '--dry-run')
    assert.match(dry.stdout, /would be created with the index user-index/)
    const { code, json, stderr } = await init('--table', table, '--user-index', '--json')
    assert.equal(code, 0, stderr)
    assert.deepEqual(json.done, ['created'])
    assert.deepEqual(json.userIndex, { name: 'user-index', attribute: 'user', status: 'ACTIVE' })
    const [index] = (await describeTable(table)).GlobalSecondaryIndexes
    assert.deepEqual(index.KeySchema, [{ AttributeName: 'user', KeyType: 'HASH' }])
    assert.deepEqual(index.Projection, { ProjectionType: 'KEYS_ONLY' })
    assert.deepEqual((await init('--table', table, '--user-index', '--json')).json.done, [])
  })

  test('adds the index of the users to an existing table, and waits until it is active', needs('proxy'), async () => {
    const table = dynamodb.newTableName()
    await dynamodb.store({ table, createTable: { readCapacityUnits: 3, writeCapacityUnits: 4 } }).createTable()
    await dynamodb.putItem('a', { owner: { S: 'ann' } }, { table })
    const proxy = await dynamodb.proxy()
    const args = ['--table', table, '--user-index', '--user-attribute', 'owner', '--endpoint', proxy.endpoint]
    const dry = await init(...args, '--dry-run')
    assert.match(dry.stdout, /index owner-index would be added/)
    assert.deepEqual(proxy.sent('UpdateTable'), [])
    // The first responses after the request say that the index is being created.
    proxy.on('UpdateTable', ({ response, forward }) => {
      proxy.on('DescribeTable', isCreating, 2)
      return forward().then(({ status, headers, text }) => response.writeHead(status, headers).end(text))
    })
    const { code, json, stderr } = await init(...args, '--json')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /waiting until the index owner-index is ACTIVE/)
    assert.deepEqual([json.created, json.done, json.userIndex.status], [false, ['index owner-index added'], 'ACTIVE'])
    assert.deepEqual((await describeTable(table)).GlobalSecondaryIndexes[0].Projection, { ProjectionType: 'KEYS_ONLY' })
    const [{ Create }] = proxy.sent('UpdateTable')[0].GlobalSecondaryIndexUpdates
    assert.deepEqual(Create.ProvisionedThroughput, { ReadCapacityUnits: 3, WriteCapacityUnits: 4 })
    // A run after one that was interrupted only waits.
    proxy.reset()
    proxy.on('DescribeTable', isCreating, 2)
    const again = await init(...args, '--json')
    assert.deepEqual([again.code, again.json.done, proxy.sent('UpdateTable')], [0, [], []])
    assert.match(again.stderr, /waiting until/)
  })

  test(
    'ends only the waiting for an index when it is interrupted',
    { ...needs('proxy'), timeout: 20_000 },
    async () => {
      const table = await dynamodb.newTable()
      assert.equal((await init('--table', table, '--user-index')).code, 0)
      const proxy = await dynamodb.proxy()
      proxy.on('DescribeTable', isCreating)
      const args = ['init', '--table', table, '--user-index', '--endpoint', proxy.endpoint, '--json']
      const { interrupt, ended } = startCli(args, { connection: dynamodb.connection })
      // The command sends these requests before and while it waits.
      await eventually(() => proxy.sent('DescribeTable').length > 4)
      interrupt()
      const { code, json } = await ended
      assert.deepEqual([code, json.error.code], [130, 'Interrupted'])
      assert.match(json.error.message, /the index user-index is CREATING/)
      assert.match(json.error.todo, /run the same command/)
      assert.equal((await describeTable(table)).GlobalSecondaryIndexes.length, 1)
    }
  )

  test(
    'rejects an index with a different key, and waits for no index that is being deleted',
    needs('proxy'),
    async () => {
      const table = await dynamodb.newTable()
      const added = await init('--table', table, '--user-index')
      assert.equal(added.code, 0, added.stderr)
      const proxy = await dynamodb.proxy()
      const args = ['--table', table, '--user-index', '--endpoint', proxy.endpoint, '--json']
      proxy.on('DescribeTable', withText('"AttributeName":"user","KeyType"', '"AttributeName":"x","KeyType"'))
      const wrong = await init(...args)
      assert.deepEqual([wrong.code, wrong.json.error.code], [1, 'WrongIndex'])
      assert.match(wrong.json.error.message, /the key of the index user-index is x \(S\), not user \(S\)/)
      assert.match(wrong.json.error.todo, /--user-attribute/)
      proxy.reset()
      proxy.on('DescribeTable', withText('"IndexStatus":"ACTIVE"', '"IndexStatus":"DELETING"'))
      const deleting = await init(...args)
      assert.deepEqual([deleting.code, deleting.json.error.code], [1, 'WrongIndex'])
      assert.match(deleting.json.error.todo, /run this command again/)
    }
  )

  test('names the feature of the policy that adds an index', needs('proxy'), async () => {
    const table = await dynamodb.newTable()
    const proxy = await dynamodb.proxy()
    proxy.on('UpdateTable', errorResponse(400, 'AccessDeniedException'))
    const { json } = await init('--table', table, '--user-index', '--endpoint', proxy.endpoint, '--json')
    assert.match(json.error.todo, /dynamodb:UpdateTable.*policy --features init,user-index/)
  })

  test('names the action that the policy must allow', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('CreateTable', errorResponse(400, 'AccessDeniedException'))
    const args = ['init', '--table', dynamodb.newTableName(), '--endpoint', proxy.endpoint]
    const { code, stderr } = await runCli(args, { connection: dynamodb.connection })
    assert.equal(code, 1)
    assert.match(stderr, /allow dynamodb:CreateTable/)
  })
})
