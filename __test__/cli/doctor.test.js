'use strict'

const assert = require('node:assert/strict')
const http = require('node:http')
const { once } = require('node:events')
const path = require('node:path')
const { describe, test } = require('node:test')
const { longerPrefixes } = require('../../cli/checks/prefix.js')
const { runCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { changedResponse, errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { temporaryDirectory, write } = require('../support/temporary-packages')

const dynamodb = useDynamoDB()

const doctor = (args, options = {}) =>
  runCli(['doctor', '--json', ...args], { connection: dynamodb.connection, ...options })

/** The status of each check by its name. */
const statuses = ({ checks }) => Object.fromEntries(checks.map(({ name, status }) => [name, status]))
const check = ({ checks }, name) => checks.find((found) => found.name === name)

async function tableWithTimeToLive() {
  const table = dynamodb.newTableName()
  await dynamodb.store({ table }).createTable()
  return table
}

describe('doctor', needs('timeToLive'), () => {
  test('finds nothing on a table that is right, and writes nothing', needs('proxy'), async () => {
    const table = await tableWithTimeToLive()
    const proxy = await dynamodb.proxy()
    const { code, json, stderr } = await doctor(['--table', table, '--endpoint', proxy.endpoint, '--count', '3'])
    assert.equal(stderr, '')
    assert.equal(code, 0, JSON.stringify(json))
    assert.equal(json.ok, true)
    const names = ['addon', 'express-session', 'region', 'endpoint', 'credentials', 'table', 'keys', 'time to live']
    const operations = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Scan']
    // The proxy does not answer what is no request of DynamoDB.
    const expected = [...names, ...operations, 'latency'].map((name) => [name, 'ok'])
    assert.deepEqual(statuses(json), { ...Object.fromEntries(expected), clock: 'unknown' })
    assert.deepEqual(await dynamodb.raw.items(table), [])
    assert.equal(proxy.sent('GetItem').length, 4)
    for (const operation of ['PutItem', 'UpdateItem', 'DeleteItem']) {
      assert.equal(proxy.sent(operation).length, 1)
      assert.match(proxy.sent(operation)[0].ConditionExpression, /attribute_exists\(#key\) AND attribute_not_exists/)
    }
  })

  test('prints a line for each, and no secret', async () => {
    const table = await tableWithTimeToLive()
    const { code, stdout } = await runCli(['doctor', '--table', table], {
      connection: { ...dynamodb.connection, credentials: { accessKeyId: 'AKIASECRET', secretAccessKey: 'very-secret' } }
    })
    assert.equal(code, 0, stdout)
    assert.match(stdout, /^ok {4}credentials +found in the environment$/m)
    assert.match(stdout, /^ok {4}clock +within 5 seconds/m)
    assert.doesNotMatch(stdout, /secret/i)
  })

  test('takes the profile that it is given, and not the keys of the environment', async (t) => {
    const lines = ['[profile other]', 'aws_access_key_id = OTHER', 'aws_secret_access_key = x']
    const file = write(path.join(temporaryDirectory(t), 'config'), lines.join('\n'))
    const env = { AWS_CONFIG_FILE: file, AWS_SHARED_CREDENTIALS_FILE: '/dev/null' }
    const { json } = await doctor(['--table', dynamodb.newTableName(), '--profile', 'other'], { env })
    assert.equal(check(json, 'credentials').detail, 'found (profile other)')
  })

  test('tells of a missing table', async () => {
    const { code, json } = await doctor(['--table', dynamodb.newTableName()])
    assert.equal(code, 1)
    assert.equal(json.ok, false)
    assert.match(check(json, 'table').todo, /init/)
    assert.equal(check(json, 'GetItem'), undefined)
  })

  test('tells of other keys and of time to live that is off', async () => {
    const table = await dynamodb.newTable({ hashKey: 'sessionId' })
    const wrong = await doctor(['--table', table])
    assert.equal(wrong.code, 1)
    assert.match(check(wrong.json, 'keys').detail, /is sessionId \(S\), not id \(S\)/)
    const { code, json } = await doctor(['--table', table, '--layout', 'dynamodb-store'])
    assert.equal(code, 1)
    assert.match(check(json, 'time to live').detail, /^DISABLED/)
    assert.equal(check(json, 'GetItem').status, 'ok')
  })

  test('suggests commands with the options that it was given, quoted', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = await dynamodb.newTable({ hashKey: "it's", sortKey: 'sk' })
    const given = ['--table', table, '--region', 'us-east-1', '--endpoint', proxy.endpoint]
    const layout = ['--layout', 'baseline', '--hash-key', "it's", '--prefix', 'a b:', '--expires-attribute', 'ends']
    const service = `--table ${table} --region us-east-1 --endpoint ${proxy.endpoint}`
    const quoted = `${service} --layout baseline --hash-key 'it'\\''s' --prefix 'a b:'`
    proxy.on('PutItem', errorResponse(400, 'AccessDeniedException'))
    const { json } = await doctor([...given, ...layout, '--format', 'json'])
    assert.equal(
      check(json, 'time to live').todo,
      `enable it: npx dynamodb-session init ${quoted} --expires-attribute ends`
    )
    const policy = `npx dynamodb-session policy --table ${table} --region us-east-1 --layout baseline --prefix 'a b:'`
    assert.equal(check(json, 'PutItem').todo, `let the policy allow dynamodb:PutItem: ${policy} prints one`)
    proxy.on(
      'DescribeTable',
      changedResponse(({ text }) => ({ text: text.replace('"ACTIVE"', '"CREATING"'), headers: {} }))
    )
    const creating = await doctor([...given, ...layout])
    assert.match(check(creating.json, 'table').todo, /ACTIVE: npx dynamodb-session init .*--hash-key 'it'\\''s'/)
    const missing = await doctor(['--table', 'not-there', '--region', 'us-east-1', '--prefix', '-x'])
    const { detail, todo } = check(missing.json, 'table')
    assert.match(todo, /: npx dynamodb-session init --table not-there --region us-east-1 --prefix=-x$/)
    assert.match(detail, /does not exist in Region us-east-1 at http:/)
    const elsewhere = await doctor(['--table', 'not-there', '--profile', 'my profile'])
    assert.equal(elsewhere.code, 1)
  })

  test('suggests the options for the key that the table has', async () => {
    const table = await dynamodb.newTable({ hashKey: 'pk', sortKey: 'sk' })
    const { json } = await doctor(['--table', table])
    assert.equal(check(json, 'keys').todo, 'give --layout baseline, or --hash-key pk --sort-key sk')
  })

  test('warns of keys of another prefix that begins with its own', async () => {
    const table = await tableWithTimeToLive()
    const sess = { S: '{}' }
    for (const sid of ['abc', 'a'.repeat(32), 'Zq8-bYk3_vLw:x']) await dynamodb.putItem(sid, { sess }, { table })
    const none = await doctor(['--table', table, '--prefix', 'sess:Zq8-bYk3_vLw:'])
    assert.equal(check(none.json, 'prefix'), undefined)
    await dynamodb.putItem('admin:root-secret', { sess }, { table })
    const { code, json } = await doctor(['--table', table])
    assert.equal(code, 0)
    const { status, detail } = check(json, 'prefix')
    assert.equal(status, 'warning')
    assert.match(detail, /"sess:admin:"/)
    assert.doesNotMatch(JSON.stringify(json), /root-secret/)
    assert.equal(check((await doctor(['--table', table, '--prefix', 'other:'])).json, 'prefix'), undefined)
    const bare = await doctor(['--table', table, '--prefix', ''])
    assert.match(check(bare.json, 'prefix').detail, /"sess:"/)
    const { stdout } = await runCli(['doctor', '--table', table], { connection: dynamodb.connection })
    assert.match(stdout, /^WARN {2}prefix/m)
  })

  test('takes no IDs with a separator for prefixes', () => {
    const ids = ['ann', 'bob', 'cy', 'dan', 'eve', 'flo'].map((name) => `sess:${name}:1`)
    assert.deepEqual(longerPrefixes(ids, 'sess:'), [])
    assert.deepEqual(longerPrefixes(['sess:ann@example.com:1', 'sess:1:2', 'sess:x:'], 'sess:'), [])
    assert.deepEqual(longerPrefixes(['SESSION#ADMIN#x', 'SESSION#y'], 'SESSION#'), ['SESSION#ADMIN#'])
    assert.deepEqual(longerPrefixes(['s/adm/x', 's/adm/y', 's/z'], 's/'), ['s/adm/'])
    assert.deepEqual(longerPrefixes(['session:x'], 'sess'), ['session:'])
  })

  test('tells of time to live on another attribute', async () => {
    const table = await tableWithTimeToLive()
    const { code, json } = await doctor(['--table', table, '--expires-attribute', 'until'])
    assert.equal(code, 1)
    assert.match(check(json, 'time to live').detail, /on the attribute expires.* by until/)
  })

  test('tells each operation that the policy does not allow', needs('proxy'), async () => {
    const table = await tableWithTimeToLive()
    const proxy = await dynamodb.proxy()
    const denied = errorResponse(400, 'AccessDeniedException')
    for (const operation of ['PutItem', 'UpdateItem', 'Scan']) proxy.on(operation, denied)
    const { code, json } = await doctor(['--table', table, '--endpoint', proxy.endpoint])
    assert.equal(code, 1)
    const { GetItem, PutItem, UpdateItem, DeleteItem, Scan } = statuses(json)
    assert.deepEqual([GetItem, PutItem, UpdateItem, DeleteItem, Scan], ['ok', 'failed', 'failed', 'ok', 'unknown'])
    assert.match(check(json, 'PutItem').todo, /dynamodb:PutItem/)
  })

  test('does without what an app does not need', needs('proxy'), async () => {
    const table = await tableWithTimeToLive()
    const proxy = await dynamodb.proxy()
    const denied = errorResponse(400, 'AccessDeniedException')
    for (const operation of ['DescribeTable', 'DescribeTimeToLive', 'Scan']) proxy.on(operation, denied)
    const { code, json } = await doctor(['--table', table, '--endpoint', proxy.endpoint])
    assert.equal(code, 0, JSON.stringify(json))
    assert.equal(statuses(json)['time to live'], 'unknown')
    const missing = await doctor(['--table', dynamodb.newTableName(), '--endpoint', proxy.endpoint])
    assert.equal(missing.code, 1)
    assert.equal(statuses(missing.json).table, 'failed')
  })

  test('tells of credentials that are refused', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', errorResponse(400, 'UnrecognizedClientException', 'The security token is invalid.'))
    const { code, json } = await doctor(['--endpoint', proxy.endpoint])
    assert.equal(code, 1)
    assert.deepEqual([statuses(json).endpoint, statuses(json).credentials], ['ok', 'failed'])
  })
})

describe('doctor without a service', () => {
  const nothing = { AWS_CONFIG_FILE: '/nonexistent', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent' }

  test('tells of a missing region', async () => {
    const { code, json } = await doctor([], { connection: undefined, env: nothing })
    assert.equal(code, 1)
    assert.match(check(json, 'region').todo, /AWS_REGION/)
  })

  test('tells of missing credentials', async () => {
    const { code, json } = await doctor(['--region', 'eu-central-1', '--endpoint', 'http://127.0.0.1:9'], {
      connection: undefined,
      env: nothing
    })
    assert.equal(code, 1)
    assert.match(check(json, 'credentials').todo, /AWS_ACCESS_KEY_ID/)
    assert.match(check(json, 'credentials').detail, /: the credential provider was not enabled: .*\n {2}Profile: /s)
  })

  test('tells of an endpoint that nobody listens at', async () => {
    const { code, json } = await doctor(['--endpoint', 'http://user:password@127.0.0.1:9'])
    assert.equal(code, 1)
    assert.equal(statuses(json).endpoint, 'failed')
    assert.match(check(json, 'endpoint').detail, /^http:\/\/127\.0\.0\.1:9: .*Connection refused/)
  })

  test('tells of an addon that is not there', async () => {
    const { code, json } = await doctor([], { env: { NAPI_RS_NATIVE_LIBRARY_PATH: '/nonexistent' } })
    assert.equal(code, 1)
    assert.deepEqual(statuses(json), { addon: 'failed', 'express-session': 'ok' })
    assert.match(check(json, 'addon').todo, /^NAPI_RS_NATIVE_LIBRARY_PATH names the one file/)
  })
})

describe('the clock', () => {
  for (const [seconds, status, words] of [
    [0, 'ok', /within/],
    [120, 'failed', /1[12]\d seconds behind .* late/],
    [-120, 'failed', /1[12]\d seconds ahead .* early/]
  ]) {
    test(`${seconds} seconds from the service's`, async (t) => {
      const { clock } = require('../../cli/checks/clock.js')
      const server = http.createServer((_request, response) => {
        response.setHeader('date', new Date(Date.now() + seconds * 1000).toUTCString()).end('healthy')
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.after(() => server.close())
      const told = []
      await clock(`http://127.0.0.1:${server.address().port}`, (...check) => told.push(check))
      assert.deepEqual(
        told.map(([name, found]) => [name, found]),
        [['clock', status]]
      )
      assert.match(told[0][2], words)
    })
  }
})
