'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { runCli, runOnTerminal } = require('../support/cli')
const { useDynamoDB } = require('../support/dynamodb')
const { errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()

const stats = (table, ...args) => runCli(['stats', '--table', table, ...args], { connection: dynamodb.connection })

/** Twenty sessions of known sizes: ten alive, six expired, three without an expiry, one unreadable. */
async function tableOfAll() {
  const table = await dynamodb.newTable()
  const putItem = (sid, sess, expires) => dynamodb.putItem(sid, { sess, ...(expires && { expires }) }, { table })
  const body = (bytes) => ({ S: JSON.stringify({ body: 'x'.repeat(bytes) }) })
  for (let i = 0; i < 10; i++) await putItem(`alive${i}`, body(i < 9 ? 100 : 5000), { N: `${nowInSeconds() + 1000}` })
  for (let i = 0; i < 6; i++) await putItem(`gone${i}`, { M: {} }, { N: `${nowInSeconds() - 3600}` })
  for (let i = 0; i < 3; i++) await putItem(`none${i}`, body(2000))
  await putItem('corrupt', { S: '{"secret' }, { N: `${nowInSeconds() + 1000}` })
  for (let i = 0; i < 2; i++) await dynamodb.raw.putItem(table, { id: { S: `other${i}` } })
  return table
}

describe('stats', () => {
  test('counts all sessions of a table', async () => {
    const { code, json, stderr } = await stats(await tableOfAll(), '--json')
    assert.equal(code, 0, stderr)
    assert.equal(json.run.items, 22)
    assert.deepEqual([json.run.readUnits, json.run.writeUnits], [json.readUnits, 0])
    const { items, sessions, alive, expired, withoutExpiry, corrupt, foreign, complete, share, estimate, bytes } = json
    assert.deepEqual(
      { items, sessions, alive, expired, withoutExpiry, corrupt, foreign, complete, share, estimate },
      {
        items: 22,
        sessions: 20,
        alive: 14,
        expired: 6,
        withoutExpiry: 3,
        corrupt: 1,
        foreign: 2,
        complete: true,
        share: 1,
        estimate: null
      }
    )
    assert.deepEqual(
      bytes.histogram.map((bucket) => bucket.sessions),
      [16, 3, 0, 1, 0, 0, 0, 0, 0, 0]
    )
    assert.ok(
      bytes.min <= bytes.p50 && bytes.p50 < 1024 && bytes.p90 > 2000 && bytes.max > 5000 && bytes.p99 === bytes.max
    )
    assert.ok(Math.abs(json.longestExpiredSeconds - 3600) < 20)
  })

  test('prints the cost first, and no session data', needs('itemCount'), async () => {
    const table = await tableOfAll()
    const { code, stdout, stderr } = await stats(table)
    assert.equal(code, 0)
    assert.match(stderr, /^estimated cost: [\d.]+ read capacity units for 22 items/)
    assert.match(stdout, /^ {2}expired +6; the oldest expired 60 minutes ago$/m)
    assert.doesNotMatch(stdout + stderr, /secret|xxx|alive0|gone0/)
  })

  test('only prints the cost in a dry run', needs('proxy', 'itemCount'), async () => {
    const proxy = await dynamodb.proxy()
    const { code, json } = await stats(await tableOfAll(), '--dry-run', '--json', '--endpoint', proxy.endpoint)
    assert.deepEqual([code, json.cost.items, json.dryRun], [0, 22, true])
    assert.deepEqual(proxy.operations, ['DescribeTable'])
  })

  test('samples random segments of the table', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    const table = await tableOfAll()
    const { code, json } = await stats(table, '--sample', '25%', '--json', '--endpoint', proxy.endpoint)
    assert.deepEqual([code, json.share, json.complete], [0, 0.25, false])
    const segments = proxy.sent('Scan').map(({ Segment, TotalSegments }) => [Segment, TotalSegments])
    assert.equal(new Set(segments.map(([segment]) => segment)).size, 10)
    assert.ok(segments.every(([segment, total]) => total === 40 && segment < 40))
    assert.equal(json.estimate.sessions, json.sessions * 4)
  })

  const onLinux = { skip: process.platform !== 'linux' && 'script(1) has different options on other systems' }
  test('shows the share of a sample that was read', onLinux, async () => {
    // Each of the ten segments costs half a unit.
    const args = ['stats', '--table', await tableOfAll(), '--yes', '--sample', '25%', '--read-rate', '5']
    const { code, output } = await runOnTerminal(args, { connection: dynamodb.connection })
    assert.equal(code, 0, output)
    assert.match(output, / [1-9]0% {2}\d+ (of about \d+ )?items, [\d.]+\/s/)
    assert.match(output, /\ntook [\d.]+s, [\d.]+ items\/s, [\d.]+ read capacity units\r\n$/)
  })

  test('reads at most --limit items', needs('itemCount'), async () => {
    const table = await tableOfAll()
    const { json } = await stats(table, '--limit', '11', '--json')
    assert.deepEqual([json.items, json.share, json.complete], [11, 0.5, false])
    assert.equal((await stats(table, '--limit', '1000', '--json')).json.complete, true)
  })

  test('counts an empty table', async () => {
    const { code, json, stderr } = await stats(await dynamodb.newTable(), '--json')
    assert.deepEqual([code, json.sessions, json.bytes], [0, 0, null], stderr)
  })

  test('counts even if the cost is unknown', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('DescribeTable', errorResponse(400, 'AccessDeniedException'))
    const { code, stderr, json } = await stats(await tableOfAll(), '--json', '--endpoint', proxy.endpoint)
    assert.deepEqual([code, json.items], [0, 22])
    assert.match(stderr, /cannot estimate the cost/)
  })

  test('names the action that the policy must allow', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('Scan', errorResponse(400, 'AccessDeniedException'))
    const { code, json } = await stats(dynamodb.table, '--json', '--endpoint', proxy.endpoint)
    assert.equal(code, 1)
    assert.equal(json.error.code, 'AccessDeniedException')
    assert.match(json.error.todo, /dynamodb:Scan/)
  })
})
