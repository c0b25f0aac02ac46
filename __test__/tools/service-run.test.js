'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { after, before, beforeEach, describe, test } = require('node:test')
const { startLocalDynamoDB } = require('../../tools/local-dynamodb')
const { cleanEnvironment, root } = require('../support/child')
const { RawClient } = require('../support/raw-client')
const { eventually } = require('../support/calls')
const { FaultProxy } = require('../support/fault-proxy')
const { temporaryDirectory, write } = require('../support/temporary-packages')
const { serverKind } = require('../support/server')

const caller = { accessKeyId: 'AKIACALLER', secretAccessKey: 'the secret of the caller' }
const isTest = (name) => name.startsWith('dynamodb-session-test-')

const skip = serverKind !== 'embedded' && 'starts its own servers'

// An in-memory server takes the place of DynamoDB. It also has tables of other users.
describe('a run with DYNAMODB=service', { skip }, () => {
  const directory = temporaryDirectory({ after })
  let server, service, raw

  before(async () => {
    server = await startLocalDynamoDB()
    service = await FaultProxy.start(server.endpoint)
    raw = new RawClient({ endpoint: server.endpoint, region: 'eu-west-1', credentials: caller })
    for (const name of foreign) await raw.createTable(name)
    await raw.putItem('sessions', { id: { S: 'sess:a' }, user: { S: 'Ann' } })
  })
  beforeEach(() => service.reset())
  after(async () => {
    raw.close()
    await service.close()
    await server.close()
  })

  /** Tables of other users. One has a name like the tables of the run `cafe`, but not its tag. */
  const foreign = ['sessions', 'dynamodb-session-test-beef-1', 'dynamodb-session-test-cafe-1']

  async function assertOnlyForeignTables() {
    assert.deepEqual((await raw.sdk.listTables({})).TableNames.sort(), [...foreign].sort())
    assert.equal((await raw.items('sessions')).length, 1)
  }

  /** Writes a test file that can use the fixture `dynamodb`. */
  function testFile(name, code) {
    const fixture = JSON.stringify(path.join(root, '__test__', 'support', 'dynamodb'))
    return write(
      path.join(directory, `${name}.test.js`),
      `const assert = require('node:assert/strict')
       const { test } = require('node:test')
       const dynamodb = require(${fixture}).useDynamoDB()
       ${code}`
    )
  }

  function start(args, settings) {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: {
        ...cleanEnvironment(),
        ENDPOINT: '',
        SHARED_DYNAMODB: '',
        DYNAMODB: 'service',
        SERVICE_RUN: 'cafe',
        AWS_ENDPOINT_URL_DYNAMODB: service.endpoint,
        AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: caller.accessKeyId,
        AWS_SECRET_ACCESS_KEY: caller.secretAccessKey,
        ...settings
      }
    })
    const run = { child, output: '' }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (run.output += chunk))
    run.ended = once(child, 'close').then(([code]) => ({ code, output: run.output }))
    return run
  }

  const suite = (file, settings) => start([path.join('__test__', 'suite.js'), file], settings)
  const tablesNamed = () => new Set(service.requests.map(({ body }) => body.TableName).filter(Boolean))

  test('creates, uses, and deletes only its own tables', async () => {
    const { code, output } = await suite(path.join('__test__', 'aws', 'default-environment.test.js')).ended
    assert.equal(code, 0, output)
    assert.match(output, /# pass 2\n/)
    const created = service.sent('CreateTable')
    assert.ok(created.length > 0)
    for (const { TableName, BillingMode, Tags } of created) {
      assert.match(TableName, /^dynamodb-session-test-cafe-/)
      assert.equal(BillingMode, 'PAY_PER_REQUEST')
      assert.deepEqual(Tags, [{ Key: 'dynamodb-session-test', Value: 'cafe' }])
    }
    // The cleanup reads the table of another user that has the prefix, and leaves it.
    const own = [...tablesNamed()].filter((name) => name !== 'dynamodb-session-test-cafe-1')
    assert.deepEqual(
      own.filter((name) => !name.startsWith('dynamodb-session-test-cafe-')),
      []
    )
    assert.deepEqual(
      service.sent('DeleteTable').map(({ TableName }) => foreign.includes(TableName)),
      [false]
    )
    await assertOnlyForeignTables()
  })

  test('prints the expected cost before the first request', async () => {
    const run = suite(testFile('cost', `test('nothing', () => {})`))
    await eventually(() => service.requests.length > 0, 20_000)
    assert.match(
      run.output,
      /^Run cafe uses DynamoDB in eu-west-1, on on-demand tables named dynamodb-session-test-cafe-/m
    )
    assert.match(
      run.output,
      /send about \d+ requests and to cost about \$\d+\.\d+\.\nIt is aborted after \d+ requests\./
    )
    const { output } = await run.ended
    assert.match(output, /Run cafe sent \d+ requests and created 1 tables: about \$0\.000/)
  })

  test('signs with the credentials of the caller, which are hidden from the tests', async () => {
    const file = testFile(
      'keys',
      `test('keys', () => { console.log(dynamodb.connection, process.env.AWS_ACCESS_KEY_ID) })`
    )
    const { code, output } = await suite(file).ended
    assert.equal(code, 0, output)
    for (const { headers } of service.requests) assert.match(headers.authorization, /Credential=AKIACALLER\//)
    assert.ok(!output.includes(caller.secretAccessKey))
  })

  test('rejects requests for other tables and other operations', async () => {
    const file = testFile(
      'other-tables',
      `const isDenied = (promise) => assert.rejects(promise, { name: 'AccessDeniedException' })
       test('other-tables', async () => {
         const { sdk } = dynamodb.raw
         const TableName = 'sessions'
         await isDenied(sdk.scan({ TableName }))
         await isDenied(sdk.deleteTable({ TableName: 'arn:aws:dynamodb:eu-west-1:123456789012:table/sessions' }))
         await isDenied(sdk.batchWriteItem({ RequestItems: { sessions: [{ DeleteRequest: { Key: { id: { S: 'sess:a' } } } }] } }))
         const Delete = { TableName, Key: { id: { S: 'sess:a' } } }
         await isDenied(sdk.transactWriteItems({ TransactItems: [{ Delete }] }))
         await isDenied(sdk.executeStatement({ Statement: 'DELETE FROM sessions WHERE id = 1' }))
         await isDenied(sdk.listTables({}))
       })`
    )
    const { code, output } = await suite(file).ended
    assert.equal(code, 0, output)
    assert.ok(!tablesNamed().has('sessions'))
    assert.equal(service.sent('CreateTable').length, 1)
    await assertOnlyForeignTables()
  })

  test('creates an on-demand table when a test asks for a provisioned one', async () => {
    const file = testFile(
      'provisioned',
      `test('provisioned', async () => {
         const TableName = dynamodb.newTableName()
         const Tags = [{ Key: 'a', Value: 'b' }]
         await dynamodb.raw.sdk.createTable({
           TableName,
           Tags,
           KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
           AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
           ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 }
         })
       })`
    )
    const { code, output } = await suite(file).ended
    assert.equal(code, 0, output)
    const { BillingMode, ProvisionedThroughput, Tags } = service.sent('CreateTable').at(-1)
    assert.deepEqual([BillingMode, ProvisionedThroughput], ['PAY_PER_REQUEST', undefined])
    assert.deepEqual(
      Tags.map(({ Key }) => Key),
      ['a', 'dynamodb-session-test']
    )
    await assertOnlyForeignTables()
  })

  test('deletes the tables of a killed test file', async () => {
    const file = testFile('dies', `test('dies', () => process.kill(process.pid, 'SIGKILL'))`)
    const { code, output } = await suite(file).ended
    assert.equal(code, 1, output)
    assert.match(output, /except 1 that were deleted now/)
    await assertOnlyForeignTables()
  })

  const endless = `
    test('endless', async () => {
      for (;;) await dynamodb.raw.items(dynamodb.table)
    })`

  for (const signal of ['SIGINT', 'SIGTERM']) {
    test(`deletes its tables after ${signal}`, async () => {
      const run = suite(testFile('endless', endless))
      await eventually(() => service.sent('Scan').length > 0, 20_000)
      run.child.kill(signal)
      const { code, output } = await run.ended
      assert.equal(code, 1, output)
      await assertOnlyForeignTables()
    })
  }

  test('is aborted at its request limit', async () => {
    const { code, output } = await suite(testFile('endless', endless), { SERVICE_MAX_REQUESTS: '25' }).ended
    assert.equal(code, 1)
    assert.match(output, /It is aborted after 25 requests\./)
    assert.match(output, /The run was aborted: it reached its limit of 25 requests\./)
    const ofTests = service.operations.filter((operation) => operation === 'Scan')
    assert.ok(ofTests.length > 0 && ofTests.length <= 25, `${ofTests.length} scans`)
    await assertOnlyForeignTables()
  })

  test('that is killed leaves tables, and service/run.js deletes them', async () => {
    const run = suite(testFile('endless', endless))
    await eventually(() => service.sent('Scan').length > 0, 20_000)
    run.child.kill('SIGKILL')
    await run.ended
    const { TableNames } = await raw.sdk.listTables({})
    assert.equal(TableNames.filter(isTest).length, 3)
    const { code, output } = await start([path.join('__test__', 'service', 'run.js')]).ended
    assert.equal(code, 0, output)
    assert.match(output, /Deleted tables of run cafe: 1\n/)
    await assertOnlyForeignTables()
  })
})
