'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { isSameItem } = require('../../cli/migration.js')
const { storeOptions } = require('../../cli/options.js')
const { Table } = require('../../cli/table.js')
const layouts = require('../../lib/compat/layouts.js')
const { readOptions } = require('../../lib/options.js')
const { Sessions } = require('../../lib/sessions.js')
const { runCli, runOnTerminal, startCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { eventually } = require('../support/calls')
const { changedResponse, delayed, errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { temporaryDirectory } = require('../support/temporary-packages')
const { newSession, nowInSeconds, throughJSON } = require('../support/sessions')

const dynamodb = useDynamoDB()

const isLinux = process.platform === 'linux'
const onTerminal = isLinux ? needs('proxy') : { skip: 'script(1) has different options on other systems' }

const keysOf = ({ hashKey, sortKey }) => ({ hashKey, sortKey })
const migrate = (from, to, ...args) =>
  runCli(['migrate', '--from-table', from, '--to-table', to, '--rate', '1000', ...args, '--json'], {
    connection: dynamodb.connection
  })

/** A store that writes sessions like the package of a layout. */
function sessionsOf(table, name) {
  const { constants, ...options } = layouts[name]
  const settled = readOptions(dynamodb.options({ table, ...options }))
  return new Sessions({ ...settled, ...(constants && { constants }) }, () => {})
}

async function filled(count, layout = 'connect-dynamodb') {
  const table = await dynamodb.newTable(keysOf(layouts[layout]))
  const store = sessionsOf(table, layout)
  const session = newSession({ user: 'ann', list: [1, 2.5, null, { deep: true }], text: 'é🚀' })
  // With maxAge, each write would restart the lifetime and change the expiry of the cookie that a store returns.
  delete session.cookie.maxAge
  for (let i = 0; i < count; i++) await store.set(`sid${i}`, { ...session, i })
  return { table, session: throughJSON(session) }
}

describe('migrate', () => {
  for (const from of Object.keys(layouts)) {
    for (const to of Object.keys(layouts)) {
      test(`copies sessions from ${from} to ${to}`, async () => {
        const { table, session } = await filled(3, from)
        const target = await dynamodb.newTable(keysOf(layouts[to]))
        const { code, json, stderr } = await migrate(table, target, '--from-layout', from, '--to-layout', to)
        assert.equal(code, 0, stderr)
        assert.deepEqual([json.scanned, json.copied, json.finished], [3, 3, true])
        const store = sessionsOf(target, to)
        for (let i = 0; i < 3; i++) assert.deepEqual(await store.get(`sid${i}`), { ...session, i })
        const [item] = await dynamodb.raw.items(target)
        assert.equal('type' in item, to === 'connect-dynamodb')
        assert.deepEqual(Object.keys(item[layouts[to].attributes?.session ?? 'sess']), [
          layouts[to].format === 'map' ? 'M' : 'S'
        ])
      })
    }
  }

  test('reports what a run has cost', async () => {
    const { table } = await filled(3)
    const { run } = (await migrate(table, await dynamodb.newTable())).json
    // The scan, a write of each session, and a read of each copy.
    assert.deepEqual([run.items, run.writeUnits], [3, 3])
    // The servers differ in what a scan of a small table costs.
    assert.ok(run.readUnits > 3 && run.readUnits <= 4, `${run.readUnits}`)
    const again = await migrate(table, await dynamodb.newTable(), '--dry-run')
    assert.equal(again.json.run.writeUnits, 0)
  })

  for (const [args, text] of [
    [['--dry-run'], '0 to copy'],
    [['--verify-only'], '0 verified'],
    [['--yes'], '0 copied']
  ]) {
    test(`with ${args} says in the progress: ${text}`, onTerminal, async () => {
      const { table } = await filled(1)
      const proxy = await dynamodb.proxy()
      proxy.on('Scan', delayed(500))
      const command = ['migrate', '--from-table', table, '--to-table', await dynamodb.newTable()]
      const settings = { connection: dynamodb.connection }
      const { output } = await runOnTerminal([...command, '--endpoint', proxy.endpoint, ...args], settings)
      assert.ok(output.includes(`, ${text}`), output)
    })
  }

  test('skips expired sessions and other items, and copies other attributes', async () => {
    const { table } = await filled(0)
    const target = await dynamodb.newTable()
    const soon = nowInSeconds() + 1000
    const sess = { S: '{"a":1}' }
    await dynamodb.putItem('gone', { sess, expires: { N: '1' } }, { table })
    await dynamodb.putItem('corrupt', { sess: { S: '{' }, expires: { N: `${soon}` } }, { table })
    await dynamodb.putItem('forever', { sess }, { table })
    await dynamodb.putItem(
      'text',
      { sess, expires: { S: `${soon}.5` }, user: { S: 'ann' }, roles: { SS: ['a'] } },
      { table }
    )
    await dynamodb.raw.putItem(table, { id: { S: 'other' } })
    const { code, json } = await migrate(table, target, '--to-prefix', 'app:')
    assert.equal(code, 0)
    assert.deepEqual([json.copied, json.expired, json.corrupt, json.foreign], [2, 1, 1, 1])
    const items = (await dynamodb.raw.items(target)).sort((a, b) => (a.id.S < b.id.S ? -1 : 1))
    const type = { S: 'connect-session' }
    assert.deepEqual(items, [
      { id: { S: 'app:forever' }, sess, type },
      { id: { S: 'app:text' }, sess, type, expires: { N: `${soon}` }, user: { S: 'ann' }, roles: { SS: ['a'] } }
    ])
  })

  test('repairs the cookies of dynamodb-store, which lost their dates', async () => {
    const { table } = await filled(0, 'dynamodb-store')
    const target = await dynamodb.newTable()
    const cookie = {
      M: { originalMaxAge: { N: '60000' }, maxAge: { N: '60000' }, expires: { M: {} }, data: { M: {} } }
    }
    await dynamodb.raw.putItem(table, {
      sessionId: { S: 'sess:a' },
      sess: { M: { cookie } },
      expires: { N: `${nowInSeconds() + 60}` }
    })
    assert.equal((await migrate(table, target, '--from-layout', 'dynamodb-store')).json.copied, 1)
    const session = await dynamodb.store({ table: target }).get('a')
    assert.ok(new Date(session.cookie.expires) > new Date())
    assert.equal('data' in session.cookie, false)
  })

  test('keeps newer sessions in the target, unless --overwrite is set', async () => {
    const { table } = await filled(2)
    const target = await dynamodb.newTable()
    const newer = { sess: { S: '{"newer":true}' }, expires: { N: `${nowInSeconds() + 10_000}` } }
    const older = { sess: { S: '{"older":true}' }, expires: { N: `${nowInSeconds() + 10}` } }
    await dynamodb.putItem('sid0', newer, { table: target })
    await dynamodb.putItem('sid1', older, { table: target })
    const dry = await migrate(table, target, '--dry-run')
    assert.deepEqual([dry.code, dry.json.copied, dry.json.kept], [0, 1, 1])
    assert.deepEqual((await dynamodb.item('sid1', { table: target })).sess, older.sess)
    const { code, json } = await migrate(table, target)
    assert.deepEqual([code, json.copied, json.kept], [0, 1, 1])
    assert.deepEqual((await dynamodb.item('sid0', { table: target })).sess, newer.sess)
    const again = await migrate(table, target)
    assert.deepEqual([again.json.copied, again.json.same, again.json.kept], [0, 1, 1])
    const forced = await migrate(table, target, '--overwrite')
    assert.deepEqual([forced.code, forced.json.copied, forced.json.kept], [0, 2, 0])
    assert.equal(JSON.parse((await dynamodb.item('sid0', { table: target })).sess.S).user, 'ann')
  })

  test('counts a session with the same expiry and different content as different, in every run', async () => {
    const { table } = await filled(2)
    const target = await dynamodb.newTable()
    const { code } = await migrate(table, target)
    assert.equal(code, 0)
    const { expires } = await dynamodb.item('sid0', { table: target })
    const changed = { sess: { S: '{"changed":1}' }, expires }
    await dynamodb.putItem('sid0', changed, { table: target })
    for (const args of [[], ['--dry-run']]) {
      const { code, json } = await migrate(table, target, ...args)
      assert.deepEqual([code, json.different, json.same, json.kept], [1, 1, 1, 0])
      assert.deepEqual((await dynamodb.item('sid0', { table: target })).sess, changed.sess)
    }
    const forced = await migrate(table, target, '--overwrite')
    assert.deepEqual([forced.code, forced.json.copied], [0, 2])
  })

  test('names the side whose table does not exist or has a different key', async () => {
    const { table } = await filled(1)
    const target = await dynamodb.newTable({ hashKey: 'sessionId' })
    const run = (...args) => runCli(['migrate', '--json', ...args], { connection: dynamodb.connection })
    const todo = async (...args) => (await run(...args)).json.error.todo
    assert.equal(
      await todo('--from-table', table, '--region', 'us-east-1', '--to-expires-attribute', 'a b'),
      "check --to-table and --region, or create the table: npx dynamodb-session init --region us-east-1 --expires-attribute 'a b'"
    )
    assert.equal(
      await todo(
        '--from-table',
        table,
        '--to-table',
        'not-there',
        '--to-layout',
        'baseline',
        '--to-region',
        'us-east-1'
      ),
      'check --to-table and --to-region, or create the table: npx dynamodb-session init --table not-there --region us-east-1 --layout baseline'
    )
    assert.equal(await todo('--from-table', 'not-there', '--to-table', table), 'check --from-table and --from-region')
    assert.equal(
      await todo('--from-table', table, '--to-table', target),
      'use --to-layout dynamodb-store, or --to-layout koa-session-dynamodb-store, or --to-hash-key sessionId'
    )
    const unknown = await run('--table', table)
    assert.match(unknown.json.error.message, /unknown option --table; did you mean --from-table or --to-table\?/)
    const endpoint = await run('--from-table', table, '--endpoint', 'nowhere')
    assert.match(endpoint.json.error.message, /option --endpoint must be/)
  })

  test('suggests the policy for the side that lacks it', needs('proxy'), async () => {
    const { table } = await filled(1)
    const proxy = await dynamodb.proxy()
    proxy.on('PutItem', errorResponse(400, 'AccessDeniedException'))
    const target = await dynamodb.newTable()
    const { json } = await migrate(table, target, '--to-endpoint', proxy.endpoint)
    assert.match(
      json.error.todo,
      new RegExp(`run: npx dynamodb-session policy --features migrate-to --table ${target}$`)
    )
  })

  test('verifies without writing', async () => {
    const { table } = await filled(3)
    const target = await dynamodb.newTable()
    assert.equal((await migrate(table, target)).code, 0)
    assert.deepEqual((await migrate(table, target, '--verify-only')).json.same, 3)
    const { expires } = await dynamodb.item('sid0', { table: target })
    await dynamodb.putItem('sid0', { sess: { S: '{"changed":1}' }, expires }, { table: target })
    await dynamodb.store({ table: target }).destroy('sid1')
    const { code, json } = await migrate(table, target, '--verify-only')
    assert.deepEqual([code, json.same, json.different, json.missing, json.copied], [1, 1, 1, 1, 0])
    assert.equal((await dynamodb.raw.items(target)).length, 2)
  })

  test('fails if a session is not read back as written', needs('proxy'), async () => {
    const { table } = await filled(2)
    const target = await dynamodb.newTable()
    const proxy = await dynamodb.proxy()
    const changed = ({ headers, text }) => {
      delete headers['x-amz-crc32']
      return { headers, text: text.replace('ann', 'bob') }
    }
    proxy.on('GetItem', changedResponse(changed))
    const { code, json } = await migrate(table, target, '--to-endpoint', proxy.endpoint)
    assert.deepEqual([code, json.different, json.copied], [1, 2, 0])
  })

  test('continues if one session cannot be written, and fails at the end', async () => {
    const { table } = await filled(1)
    const target = await dynamodb.newTable()
    const large = JSON.stringify({ body: 'x'.repeat(409_400) })
    await dynamodb.putItem('big', { sess: { S: large }, expires: { N: `${nowInSeconds() + 1000}` } }, { table })
    const { code, json } = await migrate(table, target, '--to-prefix', 'y'.repeat(500))
    assert.deepEqual([code, json.copied, json.failed], [1, 1, 1])
    assert.match(Object.keys(json.reasons)[0], /size/i)
  })

  test('continues if one session does not fit into a map, and fails at the end', async () => {
    const { table } = await filled(1)
    const target = await dynamodb.newTable(keysOf(layouts['dynamodb-store']))
    const deep = { S: `{"deep":${'['.repeat(40)}${']'.repeat(40)}}` }
    await dynamodb.putItem('deep', { sess: deep, expires: { N: `${nowInSeconds() + 1000}` } }, { table })
    const { code, json } = await migrate(table, target, '--to-layout', 'dynamodb-store')
    assert.deepEqual([code, json.copied, json.failed], [1, 1, 1])
    assert.match(Object.keys(json.reasons)[0], /32 levels/)
  })

  test('copies a map with sets and long numbers unchanged, and writes sets as sorted arrays in JSON', async () => {
    const { table } = await filled(0, 'dynamodb-store')
    const sess = { M: { roles: { SS: ['b', 'a'] }, sizes: { NS: ['10', '2'] }, id: { N: '1234567890123456789012' } } }
    await dynamodb.raw.putItem(table, { sessionId: { S: 'sess:a' }, sess })
    const [same, json] = [await dynamodb.newTable({ hashKey: 'sessionId' }), await dynamodb.newTable()]
    const from = ['--from-layout', 'dynamodb-store']
    assert.equal((await migrate(table, same, ...from, '--to-layout', 'dynamodb-store')).json.copied, 1)
    const [{ sess: copied }] = await dynamodb.raw.items(same)
    assert.deepEqual([copied.M.id, copied.M.roles.SS.toSorted()], [sess.M.id, ['a', 'b']])
    assert.equal((await migrate(table, json, ...from)).json.copied, 1)
    assert.deepEqual(JSON.parse((await dynamodb.item('a', { table: json })).sess.S), {
      roles: ['a', 'b'],
      sizes: [2, 10],
      id: Number('1234567890123456789012')
    })
  })

  test('continues after an error about one session, and reports it', needs('proxy'), async () => {
    const { table } = await filled(3)
    const target = await dynamodb.newTable()
    const proxy = await dynamodb.proxy()
    proxy.on('PutItem', errorResponse(400, 'SerializationException', ''), 1)
    const { code, json } = await migrate(table, target, '--to-endpoint', proxy.endpoint)
    assert.deepEqual([code, json.copied, json.failed, json.reasons], [1, 2, 1, { SerializationException: 1 }])
    proxy.on('GetItem', errorResponse(400, 'ValidationException', 'The key is too long.'), 1)
    const verified = await migrate(table, target, '--to-endpoint', proxy.endpoint, '--verify-only')
    const { same, missing, failed } = verified.json
    assert.deepEqual([verified.code, failed, same + missing], [1, 1, 2])
    assert.deepEqual(verified.json.reasons, { 'The key is too long.': 1 })
  })

  test('sets are equal in any order', () => {
    const table = new Table(storeOptions({}))
    const item = (strings, numbers, bytes) => ({
      sess: { M: { strings: { SS: strings }, numbers: { NS: numbers }, bytes: { BS: bytes } } }
    })
    const one = item(['a', 'b'], ['2', '10'], ['YQ==', 'Yg=='])
    assert.ok(isSameItem(one, item(['b', 'a'], ['10', '2'], ['Yg==', 'YQ==']), table))
    assert.ok(!isSameItem(one, item(['b', 'c'], ['10', '2'], ['Yg==', 'YQ==']), table))
  })

  test('does not copy its own copies within one table', async () => {
    const { table } = await filled(5)
    const { code, json } = await migrate(table, table, '--from-prefix', 'sess:', '--to-prefix', 'sess:new:')
    assert.deepEqual([code, json.copied], [0, 5])
    const again = await migrate(table, table, '--from-prefix', 'sess:', '--to-prefix', 'sess:new:')
    assert.deepEqual([again.json.copied, again.json.same, again.json.foreign], [0, 5, 5])
    assert.equal((await dynamodb.raw.items(table)).length, 10)
  })

  test('recognizes one table by its ARN, even if profiles or endpoints differ', needs('proxy'), async () => {
    const { table } = await filled(1)
    const proxies = [await dynamodb.proxy(), await dynamodb.proxy()]
    for (const proxy of proxies) {
      proxy.on('DescribeTable', async ({ response, forward }) => {
        const { status, text } = await forward()
        response.writeHead(status).end(text.replace(/:\d{12}:/g, ':123456789012:'))
      })
    }
    const sides = ['--from-endpoint', proxies[0].endpoint, '--to-endpoint', proxies[1].endpoint]
    const same = await migrate(table, table, ...sides)
    assert.deepEqual([same.code, same.json.error.code], [2, 'UsageError'])
    const renamed = await migrate(table, table, ...sides, '--to-prefix', 'sess:new:')
    const again = await migrate(table, table, ...sides, '--to-prefix', 'sess:new:')
    assert.deepEqual([renamed.json.copied, again.json.same, again.json.foreign], [1, 1, 1])
  })

  test('fails before the scan if a table does not exist or has a different key', needs('proxy'), async () => {
    const { table } = await filled(1)
    const missing = await migrate(table, dynamodb.newTableName())
    assert.deepEqual([missing.code, missing.json.error.code], [1, 'ResourceNotFoundException'])
    const other = await dynamodb.newTable({ hashKey: 'sessionId' })
    assert.deepEqual((await migrate(table, other)).json.error.code, 'WrongKeys')
    const proxy = await dynamodb.proxy()
    proxy.on('PutItem', errorResponse(400, 'AccessDeniedException'))
    const target = await dynamodb.newTable()
    const denied = await migrate(table, target, '--to-endpoint', proxy.endpoint, '--state', '/nonexistent/x')
    assert.equal(denied.code, 1)
  })

  test('can be interrupted by Ctrl-C and resumed', async (t) => {
    const cwd = temporaryDirectory(t)
    const { table } = await filled(40)
    const target = await dynamodb.newTable()
    const args = ['migrate', '--from-table', table, '--to-table', target, '--json', '--state', 'state.json']
    const settings = { connection: dynamodb.connection, cwd }
    const { interrupt, ended } = startCli([...args, '--rate', '20'], settings)
    await eventually(async () => (await dynamodb.raw.items(target)).length > 5, 15_000)
    interrupt()
    const first = await ended
    assert.equal(first.code, 130, first.stderr)
    const copied = (await dynamodb.raw.items(target)).length
    assert.ok(copied < 40)
    assert.equal(first.json.copied, copied)
    const second = await runCli([...args, '--rate', '1000'], settings)
    assert.deepEqual([second.code, second.json.copied, second.json.same, second.json.scanned], [0, 40, 0, 40])
    assert.equal((await dynamodb.raw.items(target)).length, 40)
  })
})
