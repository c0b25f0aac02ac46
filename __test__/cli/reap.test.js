'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { Rate } = require('../../cli/rate.js')
const { runCli, runOnTerminal, startCli } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { eventually } = require('../support/eventually')
const { errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { temporaryDirectory } = require('../support/temporary-packages')
const { nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** A table with expired sessions, as many alive, and items that must stay. */
async function tableWith(expired) {
  const table = await dynamodb.newTable()
  const past = nowInSeconds() - 100
  const sess = { S: '{}' }
  for (let i = 0; i < expired; i++) {
    // As this package writes an expiry, and as others did.
    const expires = [{ N: `${past}` }, { N: `${past}.5` }, { S: `${past}` }][i % 3]
    await dynamodb.putItem(`expired-${i}`, { sess, expires }, { table })
    await dynamodb.putItem(`alive-${i}`, { sess, expires: { N: `${past + 10_000}` } }, { table })
  }
  await dynamodb.putItem('forever', { sess }, { table })
  await dynamodb.raw.putItem(table, { id: { S: 'other' }, expires: { N: `${past}` } })
  return table
}

const reap = (table, ...args) => runCli(['reap', '--table', table, ...args], { connection: dynamodb.connection })
const expiredOf = async (table) =>
  (await dynamodb.raw.items(table)).filter(({ id }) => id.S.startsWith('sess:expired')).length

describe('reap', () => {
  test('deletes what has expired and nothing else', async () => {
    const table = await tableWith(30)
    const dry = await reap(table, '--dry-run', '--json')
    assert.deepEqual([dry.code, dry.json.expired, dry.json.deleted, dry.json.dryRun], [0, 30, 0, true])
    assert.equal((await dynamodb.raw.items(table)).length, 62)
    const { code, json, stderr } = await reap(table, '--rate', '1000', '--json')
    assert.deepEqual([code, stderr], [0, ''])
    assert.deepEqual(json, { table, finished: true, dryRun: false, scanned: 62, expired: 30, deleted: 30 })
    assert.equal((await dynamodb.raw.items(table)).length, 32)
    assert.match((await reap(table)).stdout, /^0 expired sessions deleted, of 32 items$/m)
  })

  test('leaves a session that comes to life meanwhile', needs('proxy'), async () => {
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

  test('keeps to the rate', async () => {
    const table = await tableWith(8)
    const start = performance.now()
    assert.equal((await reap(table, '--rate', '4')).code, 0)
    // Never faster, however fast the machine: seven pauses of a quarter of a second.
    assert.ok(performance.now() - start >= 1750)
  })

  test('keeps to the rate with many at a time', async () => {
    const rate = new Rate(100)
    const start = performance.now()
    await Promise.all(Array.from({ length: 20 }, () => rate.take()))
    // Timers may end a millisecond early.
    assert.ok(performance.now() - start >= 185)
  })

  test('takes a prefix that is empty', async () => {
    const table = await tableWith(3)
    await dynamodb.raw.putItem(table, { id: { S: 'bare' }, sess: { S: '{}' }, expires: { N: '1' } })
    const { json } = await reap(table, '--prefix', '', '--json')
    assert.equal(json.deleted, 4)
    assert.ok((await dynamodb.raw.items(table)).some(({ id }) => id.S === 'other'))
  })

  test('takes sort keys, of which only those of sessions count', async () => {
    const table = await dynamodb.newTable({ hashKey: 'pk', sortKey: 'sk' })
    const planted = (sk) => ({ pk: { S: 'SESSION#a' }, sk: { S: sk }, session: { M: {} }, expires: { N: '1' } })
    for (const sk of ['SESSION#a', 'profile']) await dynamodb.raw.putItem(table, planted(sk))
    const { json } = await reap(table, '--layout', 'baseline', '--json')
    assert.deepEqual([json.scanned, json.expired, json.deleted], [2, 1, 1])
    assert.deepEqual(await dynamodb.raw.items(table), [planted('profile')])
  })

  test('fails on a table that is missing, and on one with another key', async () => {
    assert.equal((await reap(dynamodb.newTableName())).code, 1)
    const table = await dynamodb.newTable({ hashKey: 'sessionId' })
    const { code, stderr } = await reap(table)
    assert.equal(code, 1)
    assert.match(stderr, /sessionId/)
  })

  test('does without DescribeTable', needs('proxy'), async () => {
    const table = await tableWith(2)
    const proxy = await dynamodb.proxy()
    proxy.on('DescribeTable', errorResponse(400, 'AccessDeniedException'))
    assert.equal((await reap(table, '--endpoint', proxy.endpoint, '--json')).json.deleted, 2)
  })
})

describe('Ctrl-C', () => {
  test('writes where it was, and the next run goes on there', async (t) => {
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
    const [, file] = /^to go on: npx dynamodb-session reap .*--state (\S+)$/m.exec(first.stderr)
    assert.equal(fs.statSync(path.join(cwd, file)).mode & 0o777, 0o600)

    const args = ['reap', '--table', table, '--rate', '1000', '--json', '--state', file]
    for (const option of ['--prefix', '--expires-attribute', '--region']) {
      const other = await runCli([...args, option, 'other'], { connection: dynamodb.connection, cwd })
      assert.deepEqual([other.code, /another run/.test(other.stderr)], [2, true])
    }
    const second = await runCli(args, { connection: dynamodb.connection, cwd })
    assert.equal(second.code, 0, second.stderr)
    assert.deepEqual(
      [second.json.finished, second.json.deleted, second.json.expired, second.json.scanned],
      [true, 40, 40, 82]
    )
    assert.equal(await expiredOf(table), 0)
    assert.deepEqual(fs.readdirSync(cwd), [])
  })

  test('is told before anything is done when its file cannot be written', async () => {
    const table = await tableWith(3)
    const { code, stderr } = await reap(table, '--state', '/nonexistent/state.json')
    assert.equal(code, 1)
    assert.match(stderr, /^dynamodb-session: the file \/nonexistent\/state\.json cannot be written: ENOENT/m)
    assert.equal(await expiredOf(table), 3)
  })

  test('is not needed for a failure to be gone on from', needs('proxy'), async (t) => {
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
    assert.match(first.stderr, /to go on: npx dynamodb-session reap .*--state here.json/)
    assert.equal(await expiredOf(table), 5)
    const second = await runCli([...args, '--json'], { connection: dynamodb.connection, cwd })
    assert.deepEqual([second.code, second.json.deleted], [0, 10])
    assert.deepEqual(fs.readdirSync(cwd), [])
  })
})

describe('on a terminal', { skip: process.platform !== 'linux' && 'script(1) has other options elsewhere' }, () => {
  test('asks first', async (t) => {
    const table = await tableWith(3)
    const settings = { connection: dynamodb.connection, cwd: temporaryDirectory(t) }
    const no = await runOnTerminal(['reap', '--table', table], { ...settings, input: 'n\r' })
    assert.match(no.output, /nothing was done/)
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
    test(`asks with ${redirected}`, async (t) => {
      const table = await tableWith(3)
      const settings = { connection: dynamodb.connection, cwd: temporaryDirectory(t), redirected }
      const no = await runOnTerminal(['reap', '--table', table], { ...settings, input: 'n\r' })
      assert.match(no.output, /Delete the expired sessions of .*\[y\/N\]/)
      assert.equal(no.code, 1)
      assert.equal(await expiredOf(table), 3)
      const yes = await runOnTerminal(['reap', '--table', table], { ...settings, input: 'y\r' })
      assert.equal(yes.code, 0, yes.output)
      assert.equal(await expiredOf(table), 0)
    })
  }

  test('does not ask when standard input is no terminal', async (t) => {
    const table = await tableWith(3)
    const settings = { connection: dynamodb.connection, cwd: temporaryDirectory(t), redirected: '</dev/null' }
    const { code, output } = await runOnTerminal(['reap', '--table', table], settings)
    assert.equal(code, 0, output)
    assert.doesNotMatch(output, /y\/N/)
    assert.equal(await expiredOf(table), 0)
  })

  test('does not ask when told so, and draws a bar', needs('itemCount'), async (t) => {
    const table = await tableWith(5)
    const { code, output } = await runOnTerminal(['reap', '--table', table, '--yes', '--rate', '10'], {
      connection: dynamodb.connection,
      cwd: temporaryDirectory(t)
    })
    assert.equal(code, 0)
    assert.match(output, /\[#+-*\] +\d+ % \d+ expired of \d+ items/)
  })
})
