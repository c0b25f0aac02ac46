'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { runCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')

const dynamodb = useDynamoDB()

const init = (...args) => runCli(['init', ...args], { connection: dynamodb.connection })
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

  test('names the action that the policy must allow', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('CreateTable', errorResponse(400, 'AccessDeniedException'))
    const args = ['init', '--table', dynamodb.newTableName(), '--endpoint', proxy.endpoint]
    const { code, stderr } = await runCli(args, { connection: dynamodb.connection })
    assert.equal(code, 1)
    assert.match(stderr, /allow dynamodb:CreateTable/)
  })
})
