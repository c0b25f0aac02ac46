'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { storeOptions } = require('../../cli/options.js')
const { RateLimiter } = require('../../cli/scan.js')
const { Table } = require('../../cli/table.js')
const { runCli, runOnTerminal, startCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { eventually } = require('../support/calls')
const { errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { temporaryDirectory } = require('../support/temporary-packages')
const { nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** A table with this number of expired sessions, as many live ones, and items that must not be deleted. */
async function tableWith(expired) {
  const table = await dynamodb.newTable()
  const past = nowInSeconds() - 100
  const sess = { S: '{}' }
  for (let i = 0; i < expired; i++) {
    // The expiry as this package writes it, and as others wrote it.
    const expires = [{ N: `${past}` }, { N: `${past}.5` }, { S: `${past}` }][i % 3]
    await dynamodb.putItem(`expired-${i}`, { sess, expires }, { table })
    await dynamodb.putItem(`alive-${i}`, { sess, expires: { N: `${past + 10_000}` } }, { table })
  }
  await dynamodb.putItem('forever', { sess }, { table })
  await dynamodb.raw.putItem(table, { id: { S: 'other' }, expires: { N: `${past}` } })
  return table
}

const reap = (table, ...args) => runCli(['reap', '--table', table, ...args], { connection: dynamodb.connection })
/** The texts between which the line of a terminal was cleared. */
const linesOfProgress = (output) => output.split('\r\x1b[K').map((text) => text.replaceAll('\r\n', '\n'))
const expiredOf = async (table) =>
  (await dynamodb.raw.items(table)).filter(({ id }) => id.S.startsWith('sess:expired')).length

test('a deletion whose condition fails counts as one write capacity unit', async () => {
  const { credentials, region, endpoint } = dynamodb.connection
  const options = storeOptions({ table: await tableWith(1), region, endpoint })
  const table = new Table({ ...options, credentials })
  assert.equal((await table.deleteExpired('alive-0')).wasExpired, false)
  assert.equal(table.consumed.write, 1)
  assert.equal((await table.deleteExpired('expired-0')).wasExpired, true)
  assert.ok(table.consumed.write > 1)
})

describe('reap', () => {
  test('deletes only expired sessions', async () => {
    const table = await tableWith(30)
    const dry = await reap(table, '--dry-run', '--json')
    assert.deepEqual([dry.code, dry.json.expired, dry.json.deleted, dry.json.dryRun], [0, 30, 0, true])
    assert.equal((await dynamodb.raw.items(table)).length, 62)
    const { code, json, stderr } = await reap(table, '--rate', '1000', '--json')
    assert.deepEqual([code, stderr], [0, ''])
    const { run, ...result } = json
    assert.deepEqual(result, { table, finished: true, dryRun: false, scanned: 62, expired: 30, deleted: 30 })
    assert.deepEqual(Object.keys(run), ['items', 'seconds', 'itemsPerSecond', 'readUnits', 'writeUnits'])
    assert.equal(run.items, 62)
    assert.ok(run.seconds > 0 && run.itemsPerSecond > 0)
    assert.equal((await dynamodb.raw.items(table)).length, 32)
    const again = await reap(table)
    assert.match(again.stdout, /^32 items scanned, 0 expired sessions deleted\ntook [\d.]+s, [\d,.]+ items\/s(,.*)?\n$/)
    assert.equal(again.stderr, '')
  })

  test('keeps a session that is renewed after the scan has read it', needs('proxy'), async () => {
    const table = await tableWith(1)
    const proxy = await dynamodb.proxy()
    proxy.on('DeleteItem', async ({ response, forward }) => {
      await dynamodb.setExpires('expired-0', nowInSeconds() + 1000, { table })
      const { status, headers, text } = await forward()
      response.writeHead(status, headers).end(text)
    })
    const { code, json } = await reap(table, '--endpoint', proxy.endpoint, '--json')
    assert.deepEqual([code, json.expired, json.deleted], [0, 1, 0])
    assert.equal(await expiredOf(table), 1)
  })

  test('does not exceed --rate', async () => {
    const table = await tableWith(8)
    const start = performance.now()
    assert.equal((await reap(table, '--rate', '4')).code, 0)
    // Seven pauses of a quarter of a second, regardless of the machine.
    assert.ok(performance.now() - start >= 1750)
  })

  test('does not exceed the rate with concurrent requests', async () => {
    const limiter = new RateLimiter(100)
    const start = performance.now()
    await Promise.all(Array.from({ length: 20 }, () => limiter.consumeUnit()))
    // Timers can fire a millisecond early.
    assert.ok(performance.now() - start >= 185)
  })

  test('accepts an empty prefix', async () => {
    const table = await tableWith(3)
    await dynamodb.raw.putItem(table, { id: { S: 'bare' }, sess: { S: '{}' }, expires: { N: '1' } })
    const { json } = await reap(table, '--prefix', '', '--json')
    assert.equal(json.deleted, 4)
    assert.ok((await dynamodb.raw.items(table)).some(({ id }) => id.S === 'other'))
  })

  test('ignores items whose sort key is not that of a session', async () => {
    const table = await dynamodb.newTable({ hashKey: 'pk', sortKey: 'sk' })
    const planted = (sk) => ({ pk: { S: 'SESSION#a' }, sk: { S: sk }, session: { M: {} }, expires: { N: '1' } })
    for (const sk of ['SESSION#a', 'profile']) await dynamodb.raw.putItem(table, planted(sk))
    const { json } = await reap(table, '--layout', 'baseline', '--json')
    assert.deepEqual([json.scanned, json.expired, json.deleted], [2, 1, 1])
    assert.deepEqual(await dynamodb.raw.items(table), [planted('profile')])
  })

  test('fails on a table that does not exist, and on a table with a different key', async () => {
    assert.equal((await reap(dynamodb.newTableName())).code, 1)
    const table = await dynamodb.newTable({ hashKey: 'sessionId' })
    const { code, stderr } = await reap(table)
    assert.equal(code, 1)
    assert.match(stderr, /sessionId/)
  })

  test('works without permission for DescribeTable', needs('proxy'), async () => {
    const table = await tableWith(2)
    const proxy = await dynamodb.proxy()
    proxy.on('DescribeTable', errorResponse(400, 'AccessDeniedException'))
    assert.equal((await reap(table, '--endpoint', proxy.endpoint, '--json')).json.deleted, 2)
  })
})

describe('a run of reap that is interrupted', () => {
  test('saves a checkpoint from which the next run resumes', async (t) => {
    const cwd = temporaryDirectory(t)
    const table = await tableWith(40)
    const { interrupt, ended } = startCli(['reap', '--table', table, '--rate', '20', '--json'], {
      connection: dynamodb.connection,
      cwd
    })
    await eventually(async () => (await expiredOf(table)) < 35, 15_000)
    interrupt()
    const first = await ended
    assert.equal(first.code, 130, first.stderr)
    assert.equal(first.json.finished, false)
    const left = await expiredOf(table)
    assert.ok(left > 0 && first.json.deleted === 40 - left, `${left} left, ${first.json.deleted} deleted`)
    const [, file] = /^to resume, run: npx dynamodb-session reap .*--state (\S+)$/m.exec(first.stderr)
    assert.equal(fs.statSync(path.join(cwd, file)).mode & 0o777, 0o600)

    const args = ['reap', '--table', table, '--rate', '1000', '--json', '--state', file]
    for (const option of ['--prefix', '--expires-attribute', '--region']) {
      const other = await runCli([...args, option, 'other'], { connection: dynamodb.connection, cwd })
      assert.deepEqual([other.code, /a different run/.test(other.stderr)], [2, true])
    }
    const second = await runCli(args, { connection: dynamodb.connection, cwd })
    assert.equal(second.code, 0, second.stderr)
    assert.deepEqual(
      [second.json.finished, second.json.deleted, second.json.expired, second.json.scanned],
      [true, 40, 40, 82]
    )
    assert.equal(second.json.run.items, 82 - first.json.scanned)
    assert.equal(await expiredOf(table), 0)
    assert.deepEqual(fs.readdirSync(cwd), [])
  })

  test('fails before deleting anything if the checkpoint file cannot be written', async () => {
    const table = await tableWith(3)
    const { code, stderr } = await reap(table, '--state', '/nonexistent/state.json')
    assert.equal(code, 1)
    assert.match(stderr, /^dynamodb-session: cannot write the checkpoint file \/nonexistent\/state\.json: ENOENT/m)
    assert.equal(await expiredOf(table), 3)
  })

  test('a failed run can be resumed too', needs('proxy'), async (t) => {
    const cwd = temporaryDirectory(t)
    const table = await tableWith(10)
    const proxy = await dynamodb.proxy()
    proxy.on(
      'DeleteItem',
      ({ response, forward }) => forward().then((a) => response.writeHead(a.status, a.headers).end(a.text)),
      5
    )
    proxy.on('DeleteItem', errorResponse(400, 'AccessDeniedException'))
    const args = ['reap', '--table', table, '--rate', '15', '--state', 'here.json']
    const first = await runCli([...args, '--endpoint', proxy.endpoint], { connection: dynamodb.connection, cwd })
    assert.equal(first.code, 1)
    assert.match(first.stderr, /to resume, run: npx dynamodb-session reap .*--state here.json/)
    assert.equal(await expiredOf(table), 5)
    const second = await runCli([...args, '--json'], { connection: dynamodb.connection, cwd })
    assert.deepEqual([second.code, second.json.deleted], [0, 10])
    assert.deepEqual(fs.readdirSync(cwd), [])
  })
})

describe(
  'on a terminal',
  { skip: process.platform !== 'linux' && 'script(1) has different options on other systems' },
  () => {
    test('asks for confirmation', async (t) => {
      const table = await tableWith(3)
      const settings = { connection: dynamodb.connection, cwd: temporaryDirectory(t) }
      const no = await runOnTerminal(['reap', '--table', table], { ...settings, input: 'n\r' })
      assert.match(no.output, /canceled: nothing was changed/)
      assert.equal(no.code, 1)
      assert.equal(await expiredOf(table), 3)
      const interrupted = await runOnTerminal(['reap', '--table', table], { ...settings, input: '\x03' })
      assert.equal(interrupted.code, 130)
      const yes = await runOnTerminal(['reap', '--table', table], { ...settings, input: 'y\r' })
      assert.equal(yes.code, 0, yes.output)
      assert.match(yes.output, /3 expired sessions deleted/)
      assert.equal(await expiredOf(table), 0)
    })

    for (const redirected of ['2>log', '>out', '>out 2>log']) {
      test(`asks for confirmation with ${redirected}`, async (t) => {
        const table = await tableWith(3)
        const settings = { connection: dynamodb.connection, cwd: temporaryDirectory(t), redirected }
        const no = await runOnTerminal(['reap', '--table', table], { ...settings, input: 'n\r' })
        assert.match(no.output, /Delete the expired sessions in .*\[y\/N\]/)
        assert.equal(no.code, 1)
        assert.equal(await expiredOf(table), 3)
        const yes = await runOnTerminal(['reap', '--table', table], { ...settings, input: 'y\r' })
        assert.equal(yes.code, 0, yes.output)
        assert.equal(await expiredOf(table), 0)
      })
    }

    test('does not ask if standard input is not a terminal', async (t) => {
      const table = await tableWith(3)
      const settings = { connection: dynamodb.connection, cwd: temporaryDirectory(t), redirected: '</dev/null' }
      const { code, output } = await runOnTerminal(['reap', '--table', table], settings)
      assert.equal(code, 0, output)
      assert.doesNotMatch(output, /y\/N/)
      assert.equal(await expiredOf(table), 0)
    })

    test('does not ask with --yes, and shows the progress', needs('itemCount'), async (t) => {
      const table = await tableWith(5)
      const { code, output } = await runOnTerminal(['reap', '--table', table, '--yes', '--rate', '10'], {
        connection: dynamodb.connection,
        cwd: temporaryDirectory(t)
      })
      assert.equal(code, 0)
      const lines = linesOfProgress(output)
      assert.match(lines[1], /^(\[#*-*\])? *\d+% {2}\d+ of about 12 items, [\d.]+\/s, \d deleted/)
      assert.match(lines.at(-1), /^12 items scanned, 5 expired sessions deleted\ntook [\d.]+s, [\d.]+ items\/s.*\n$/)
    })

    test('leaves a clean line after Ctrl-C', async (t) => {
      const table = await tableWith(40)
      const { code, output } = await runOnTerminal(['reap', '--table', table, '--yes', '--rate', '20'], {
        connection: dynamodb.connection,
        cwd: temporaryDirectory(t),
        input: '\x03',
        inputAt: ' deleted'
      })
      assert.equal(code, 130, output)
      // The progress is cleared before the messages, and not drawn after them.
      const end = /^interrupted\nto resume, run: .*\n\d+ items scanned, \d+ expired sessions deleted\ntook .*\n$/
      assert.match(linesOfProgress(output).at(-1), end)
    })
  }
)
