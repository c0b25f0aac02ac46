'use strict'

const assert = require('node:assert/strict')
const http = require('node:http')
const { once } = require('node:events')
const path = require('node:path')
const { describe, test } = require('node:test')
const { longerPrefixes } = require('../../cli/checks/prefix.js')
const { runCli, runOnTerminal } = require('../support/cli')
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
  test('reports no problems on a valid table, and writes nothing', needs('proxy'), async () => {
    const table = await tableWithTimeToLive()
    const proxy = await dynamodb.proxy()
    const { code, json, stderr } = await doctor(['--table', table, '--endpoint', proxy.endpoint, '--count', '3'])
    assert.equal(stderr, '')
    assert.equal(code, 0, JSON.stringify(json))
    assert.equal(json.ok, true)
    const names = ['addon', 'express-session', 'region', 'endpoint', 'credentials', 'table', 'keys', 'time to live']
    const operations = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Scan']
    // The proxy responds only to DynamoDB requests, so the check of the clock gets no time.
    const expected = [...names, ...operations, 'latency'].map((name) => [name, 'ok'])
    assert.deepEqual(statuses(json), { ...Object.fromEntries(expected), clock: 'unknown' })
    assert.deepEqual(await dynamodb.raw.items(table), [])
    assert.equal(proxy.sent('GetItem').length, 4)
    for (const operation of ['PutItem', 'UpdateItem', 'DeleteItem']) {
      assert.equal(proxy.sent(operation).length, 1)
      assert.match(proxy.sent(operation)[0].ConditionExpression, /attribute_exists\(#key\) AND attribute_not_exists/)
    }
  })

  test('ends in one screen with a verdict, and prints no secrets', async () => {
    const table = await tableWithTimeToLive()
    const { code, stdout, stderr } = await runCli(['doctor', '--table', table], {
      connection: {
        ...dynamodb.connection,
        credentials: { accessKeyId: 'AKIASECRET', secretAccessKey: 'very-secret' }
      },
      env: { LC_ALL: 'C.UTF-8', COLUMNS: '80' }
    })
    assert.deepEqual([code, stderr], [0, ''])
    const lines = stdout.split('\n')
    // The name of the table is too long for the line.
    const fits = (line) => line.length <= 80 || line.includes(table)
    assert.ok(lines.length <= 24 && lines.every(fits), stdout)
    assert.match(stdout, /^ {2}✓ ok {3}credentials {6}found in the environment$/m)
    assert.match(stdout, /^ {2}✓ ok {3}clock {12}within 5 seconds/m)
    assert.match(stdout, /^ {2}✓ ok {3}allowed {10}GetItem, PutItem, UpdateItem, DeleteItem, Scan$/m)
    assert.match(stdout, /^Not checked: .*encryption \(--keys\)/m)
    assert.match(stdout, /^Cost: .*[\d.]+ write capacity units; nothing was written$/m)
    assert.match(stdout, /\n\n✓ Ready for development with this local server\.\n$/)
    assert.doesNotMatch(stdout, /secret/i)
  })

  test('names the host that the requests go to, also if a profile sets it', async (t) => {
    const { connection } = dynamodb
    const lines = ['[default]', `endpoint_url = ${connection.endpoint}`]
    const file = write(path.join(temporaryDirectory(t), 'config'), lines.join('\n'))
    const env = { AWS_ENDPOINT_URL_DYNAMODB: undefined, AWS_CONFIG_FILE: file }
    const { json } = await doctor(['--table', await tableWithTimeToLive()], { env })
    assert.equal(check(json, 'endpoint').detail, `${new URL(connection.endpoint).hostname} responds`)
    // The URL of the profile is not known.
    assert.equal(json.verdict, 'No problems found, but not everything could be checked: clock.')
  })

  const hasAnyAddress = { skip: process.platform !== 'linux' && 'only Linux connects to 0.0.0.0' }
  test('does not call a server in production that is not AWS', hasAnyAddress, async () => {
    const { port } = new URL(dynamodb.connection.endpoint)
    const args = ['--table', await tableWithTimeToLive(), '--endpoint', `http://0.0.0.0:${port}`]
    assert.equal((await doctor(args)).json.verdict, 'Works with 0.0.0.0, which is not AWS.')
  })

  test('prints only ASCII without a UTF-8 locale', async () => {
    const settings = { connection: dynamodb.connection, env: { LC_ALL: 'C', COLUMNS: '80' } }
    const { stdout } = await runCli(['doctor', '--table', await tableWithTimeToLive()], settings)
    assert.match(stdout, /^ {2}ok {3}credentials {6}found in the environment$/m)
    assert.match(stdout, /\nReady for development/)
    assert.doesNotMatch(stdout, /\P{ASCII}/u)
  })

  const onLinux = { skip: process.platform !== 'linux' && 'script(1) has different options on other systems' }
  test('has colors on a terminal, unless NO_COLOR is set', onLinux, async () => {
    const args = ['doctor', '--table', await tableWithTimeToLive()]
    const colorful = { LC_ALL: 'C.UTF-8', NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined }
    const settings = { connection: dynamodb.connection, env: colorful }
    const { code, output } = await runOnTerminal(args, settings)
    assert.equal(code, 0, output)
    assert.ok(output.includes('\n  \x1b[32m✓ ok\x1b[39m   region'), output)
    assert.ok(output.endsWith('\n\x1b[32m✓ Ready for development with this local server.\x1b[39m\r\n'), output)
    const plain = await runOnTerminal(args, { ...settings, env: { ...colorful, NO_COLOR: '1' } })
    assert.ok(plain.output.endsWith('\n✓ Ready for development with this local server.\r\n'), plain.output)
    assert.ok(!plain.output.includes('\x1b[3'), plain.output)
  })

  test('leaves a clean terminal after Ctrl-C', { skip: needs('proxy').skip || onLinux.skip }, async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('DescribeTable', () => {})
    const args = ['doctor', '--endpoint', proxy.endpoint]
    const settings = { connection: dynamodb.connection, input: '\x03', inputAt: 'checking, ' }
    const { code, output } = await runOnTerminal(args, settings)
    assert.equal(code, 130)
    assert.ok(output.endsWith('\r\x1b[K'), output)
  })

  test('prefers --profile to the keys in the environment', async (t) => {
    const lines = ['[profile other]', 'aws_access_key_id = OTHER', 'aws_secret_access_key = x']
    const file = write(path.join(temporaryDirectory(t), 'config'), lines.join('\n'))
    const env = { AWS_CONFIG_FILE: file, AWS_SHARED_CREDENTIALS_FILE: '/dev/null' }
    const { json } = await doctor(['--table', dynamodb.newTableName(), '--profile', 'other'], { env })
    assert.equal(check(json, 'credentials').detail, 'found (profile other)')
  })

  test('reports a missing table', async () => {
    const { code, json } = await doctor(['--table', dynamodb.newTableName()])
    assert.equal(code, 1)
    assert.equal(json.ok, false)
    assert.match(check(json, 'table').todo, /init/)
    assert.equal(check(json, 'GetItem'), undefined)
    assert.equal(json.verdict, 'Does not work: the table cannot be used.')
    assert.deepEqual(json.unchecked, ['time to live', 'the permissions', 'the latency'])
    assert.deepEqual(json.cost, { readUnits: 0, writeUnits: 0 })
  })

  test('reports a table with a different key, and disabled time to live', async () => {
    const table = await dynamodb.newTable({ hashKey: 'sessionId' })
    const wrong = await doctor(['--table', table])
    assert.equal(wrong.code, 1)
    assert.match(check(wrong.json, 'keys').detail, /is sessionId \(S\), not id \(S\)/)
    const { code, json } = await doctor(['--table', table, '--layout', 'dynamodb-store'])
    assert.equal(code, 1)
    assert.match(check(json, 'time to live').detail, /^DISABLED/)
    assert.equal(check(json, 'GetItem').status, 'ok')
    assert.equal(json.verdict, 'Works, but 1 thing needs attention.')
  })

  test('suggests commands with the given options, quoted', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = await dynamodb.newTable({ hashKey: "it's", sortKey: 'sk' })
    const given = ['--table', table, '--region', 'us-east-1', '--endpoint', proxy.endpoint]
    const layout = ['--layout', 'baseline', '--hash-key', "it's", '--prefix', 'a b:', '--expires-attribute', 'ends']
    const service = `--table ${table} --region us-east-1 --endpoint ${proxy.endpoint}`
    const quoted = `${service} --layout baseline --hash-key 'it'\\''s'`
    proxy.on('PutItem', errorResponse(400, 'AccessDeniedException'))
    const { json } = await doctor([...given, ...layout, '--format', 'json'])
    assert.equal(
      check(json, 'time to live').todo,
      `to enable it, run: npx dynamodb-session init ${quoted} --expires-attribute ends`
    )
    const policy = `npx dynamodb-session policy --table ${table} --region us-east-1 --layout baseline --prefix 'a b:'`
    assert.equal(check(json, 'PutItem').todo, `allow dynamodb:PutItem in the IAM policy; to print one, run: ${policy}`)
    proxy.on(
      'DescribeTable',
      changedResponse(({ text }) => ({ text: text.replace('"ACTIVE"', '"CREATING"'), headers: {} }))
    )
    const creating = await doctor([...given, ...layout])
    assert.match(check(creating.json, 'table').todo, /ACTIVE, run: npx dynamodb-session init .*--hash-key 'it'\\''s'/)
    const missing = await doctor(['--table', 'not-there', '--region', 'us-east-1', '--expires-attribute', '-x'])
    const { detail, todo } = check(missing.json, 'table')
    assert.match(todo, /: npx dynamodb-session init --table not-there --region us-east-1 --expires-attribute=-x$/)
    assert.match(detail, /does not exist in Region us-east-1 at http:/)
    const elsewhere = await doctor(['--table', 'not-there', '--profile', 'my profile'])
    assert.equal(elsewhere.code, 1)
  })

  test('suggests the options that match the key of the table', async () => {
    const table = await dynamodb.newTable({ hashKey: 'pk', sortKey: 'sk' })
    const { json } = await doctor(['--table', table])
    assert.equal(check(json, 'keys').todo, 'use --layout baseline, or --hash-key pk --sort-key sk')
  })

  test('warns about keys with a different prefix that starts with the prefix of the store', async () => {
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
    assert.match(stdout, /^ {2}(! )?WARN prefix/m)
    assert.match(stdout, /\nWhat to do\n {2}- prefix: if a different store/)
    assert.match(stdout, /\n(! )?Works, but 1 thing needs attention\.\n$/)
  })

  test('does not mistake IDs with a separator for prefixes', () => {
    const ids = ['ann', 'bob', 'cy', 'dan', 'eve', 'flo'].map((name) => `${name}:1`)
    assert.deepEqual(longerPrefixes(ids, 'sess:'), [])
    assert.deepEqual(longerPrefixes(['ann@example.com:1', '1:2', 'x:'], 'sess:'), [])
    assert.deepEqual(longerPrefixes(['ADMIN#x', 'y'], 'SESSION#'), ['SESSION#ADMIN#'])
    assert.deepEqual(longerPrefixes(['adm/x', 'adm/y', 'z'], 's/'), ['s/adm/'])
    assert.deepEqual(longerPrefixes(['ion:x'], 'sess'), ['session:'])
  })

  test('reports time to live on a different attribute', async () => {
    const table = await tableWithTimeToLive()
    const { code, json } = await doctor(['--table', table, '--expires-attribute', 'until'])
    assert.equal(code, 1)
    assert.match(check(json, 'time to live').detail, /on the attribute expires, but sessions expire by until/)
  })

  test('reports each operation that the policy does not allow', needs('proxy'), async () => {
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

  test('passes without the permissions that an app does not need', needs('proxy'), async () => {
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

  test('checks the index of the users', needs('proxy'), async () => {
    const table = dynamodb.newTableName()
    const connected = { connection: dynamodb.connection }
    assert.equal((await runCli(['init', '--table', table, '--user-index'], connected)).code, 0)
    const proxy = await dynamodb.proxy()
    const args = ['--table', table, '--user-index', '--endpoint', proxy.endpoint]
    const { code, json } = await doctor(args)
    assert.equal(code, 0, JSON.stringify(json))
    assert.deepEqual([check(json, 'user index').status, check(json, 'Query').status], ['ok', 'ok'])
    assert.equal(check((await doctor(['--table', table])).json, 'user index'), undefined)
    for (const [from, to, status, detail, todo] of [
      [
        '"IndexName":"user-index"',
        '"IndexName":"x"',
        'failed',
        /does not have the index user-index/,
        /init .*--user-index/
      ],
      [
        '"AttributeName":"user","Key',
        '"AttributeName":"x","Key',
        'failed',
        /is x \(S\), not user \(S\)/,
        /delete the index/
      ],
      ['"IndexStatus":"ACTIVE"', '"IndexStatus":"CREATING"', 'failed', /user-index is CREATING/, /init .*--user-index/],
      ['"KEYS_ONLY"', '"ALL"', 'warning', /has the projection ALL/, /KEYS_ONLY/]
    ]) {
      proxy.reset()
      proxy.on(
        'DescribeTable',
        changedResponse(({ text }) => ({ text: text.replace(from, to), headers: {} }))
      )
      const changed = await doctor(args)
      const result = check(changed.json, 'user index')
      assert.deepEqual([changed.code, result.status], [status === 'failed' ? 1 : 0, status], from)
      assert.match(result.detail, detail)
      assert.match(result.todo, todo)
    }
  })

  test('checks the permission to query the index of the users', needs('proxy'), async () => {
    const table = dynamodb.newTableName()
    const connected = { connection: dynamodb.connection }
    assert.equal((await runCli(['init', '--table', table, '--user-index'], connected)).code, 0)
    const proxy = await dynamodb.proxy()
    const args = ['--table', table, '--user-index', '--endpoint', proxy.endpoint]
    const denied = errorResponse(400, 'AccessDeniedException')
    proxy.on('Query', denied)
    const { code, json } = await doctor(args)
    assert.deepEqual([code, check(json, 'Query').detail], [1, 'not allowed'])
    assert.match(check(json, 'Query').todo, /policy --features sessions,user /)
    proxy.reset()
    proxy.on('DescribeTable', denied)
    const undescribed = await doctor(args)
    assert.equal(undescribed.code, 0, JSON.stringify(undescribed.json))
    assert.equal(check(undescribed.json, 'user index').status, 'unknown')
    const missing = await doctor([...args, '--user-attribute', 'owner'])
    assert.equal(missing.code, 1)
    assert.match(check(missing.json, 'Query').todo, /add the index: .*init .*--user-index --user-attribute owner/)
  })

  test('reports rejected credentials', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', errorResponse(400, 'UnrecognizedClientException', 'The security token is invalid.'))
    const { code, json } = await doctor(['--endpoint', proxy.endpoint])
    assert.equal(code, 1)
    assert.deepEqual([statuses(json).endpoint, statuses(json).credentials], ['ok', 'failed'])
  })
})

describe('doctor without a service', () => {
  const nothing = { AWS_CONFIG_FILE: '/nonexistent', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent' }

  test('reports a missing Region', async () => {
    const { code, json } = await doctor([], { connection: undefined, env: nothing })
    assert.equal(code, 1)
    assert.match(check(json, 'region').todo, /AWS_REGION/)
  })

  test('reports missing credentials', async () => {
    const { code, json } = await doctor(['--region', 'eu-central-1', '--endpoint', 'http://127.0.0.1:9'], {
      connection: undefined,
      env: nothing
    })
    assert.equal(code, 1)
    assert.match(check(json, 'credentials').todo, /AWS_ACCESS_KEY_ID/)
    assert.match(check(json, 'credentials').detail, /: the credential provider was not enabled: .*\n {2}Profile: /s)
  })

  test('reports an invalid endpoint of the environment', async () => {
    const env = { AWS_ENDPOINT_URL_DYNAMODB: 'nowhere', AWS_REGION: 'us-east-1' }
    const { code, json } = await doctor([], { connection: undefined, env: { ...nothing, ...env } })
    assert.deepEqual(
      [code, statuses(json).settings, json.verdict],
      [1, 'failed', 'Does not work: the settings are invalid.']
    )
  })

  test('reports an endpoint that refuses connections', async () => {
    const { code, json } = await doctor(['--endpoint', 'http://user:password@127.0.0.1:9'])
    assert.equal(code, 1)
    assert.equal(statuses(json).endpoint, 'failed')
    assert.match(check(json, 'endpoint').detail, /^http:\/\/127\.0\.0\.1:9: .*Connection refused/)
  })

  test('reports a missing addon', async () => {
    const { code, json } = await doctor([], { env: { NAPI_RS_NATIVE_LIBRARY_PATH: '/nonexistent' } })
    assert.equal(code, 1)
    assert.deepEqual(statuses(json), { addon: 'failed', 'express-session': 'ok' })
    assert.match(check(json, 'addon').todo, /^If NAPI_RS_NATIVE_LIBRARY_PATH is set/)
  })
})

describe('the check of the clock', () => {
  for (const [seconds, status, words] of [
    [0, 'ok', /within/],
    [120, 'failed', /1[12]\d seconds behind .* late/],
    [-120, 'failed', /1[12]\d seconds ahead .* early/]
  ]) {
    test(`reports ${status} at ${seconds} seconds from the service's clock`, async (t) => {
      const { checkClock } = require('../../cli/checks/host.js')
      const server = http.createServer((_request, response) => {
        response.setHeader('date', new Date(Date.now() + seconds * 1000).toUTCString()).end('healthy')
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.after(() => server.close())
      const results = []
      await checkClock(`http://127.0.0.1:${server.address().port}`, (...result) => results.push(result))
      assert.deepEqual(
        results.map(([name, found]) => [name, found]),
        [['clock', status]]
      )
      assert.match(results[0][2], words)
    })
  }
})
