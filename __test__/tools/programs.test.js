'use strict'

const assert = require('node:assert/strict')
const { existsSync, mkdtempSync, readFileSync, rmSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { describe, test } = require('node:test')
const { targetsOf } = require('../../tools/benchmark/report/targets')
const { RESULTS, writeReport } = require('../../tools/benchmark/report/write')
const { problemsOf, soak } = require('../../tools/soak')
const { runNode } = require('../support/child')
const { serverKind } = require('../support/server')

const MINUTES = 2
const skip = serverKind !== 'embedded' && 'tests the store, not the server'

describe('the programs for performance and load', { concurrency: true }, () => {
  // The figures are not checked, because they are noise on a machine that runs tests.
  test('the benchmark measures every subject and writes its report', { timeout: 60_000 }, async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-benchmark-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const { code, stderr } = await runNode(['tools/benchmark', '--smoke', '--out', folder], { timeLimit: 60_000 })
    assert.equal(code, 0, stderr)
    const results = JSON.parse(readFileSync(path.join(folder, 'results.json')))
    const [cell] = results.calls.cells
    for (const name of ['opsPerSecond', 'p50', 'p99', 'cpu'])
      assert.ok(cell.contenders['dynamodb-session'][name][0] > 0)
    for (const { contenders } of results.apps) assert.ok(contenders['dynamodb-session'].requestsPerSecond[0] > 0)
    const [express] = results.apps
    for (const name of ['node-redis', 'ioredis']) {
      if (results.notes.some((note) => /redis-server is not installed/.test(note))) break
      for (const { contenders } of [cell, express]) assert.ok(contenders[name].cpu[0] > 0)
    }
    if (!results.notes.some((note) => /one core are left out/.test(note))) {
      const { requestsPerSecond, runtime, voluntary } = results.oneCore.contenders['dynamodb-session']
      assert.ok(requestsPerSecond[0] > 0)
      if (existsSync('/proc/self/schedstat')) assert.ok(runtime[0] > 0 && voluntary[0] > 0)
    }
    assert.ok(results.cold[0].contenders['dynamodb-session'].sinceStart[0] > 0)
    assert.ok(results.warm['dynamodb-session'].second[0] > 0)
    assert.ok(results.memory.idle['dynamodb-session'].memory[0] > 0)
    assert.ok(results.memory.stores['dynamodb-session'].idle[0] > 0)
    const [{ reads, writes }] = results.cost
    assert.ok(reads > 0 && writes > 0)
    assert.match(readFileSync(path.join(folder, 'report.md'), 'utf8'), /## Targets/)
    assert.match(readFileSync(path.join(folder, 'express.svg'), 'utf8'), /dynamodb-session/)
  })

  test('the report of the benchmark has a row for each store, also where an older run measured less', (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-benchmark-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const results = JSON.parse(readFileSync(path.join(RESULTS, 'results.json')))
    const lessMeasured = { ...results, oneCore: undefined, memory: { ...results.memory, stores: undefined } }
    writeReport({ ...lessMeasured, targets: targetsOf(lessMeasured) }, folder, { updateReadme: false })
    const [report, tables] = ['report.md', 'tables.md'].map((file) => readFileSync(path.join(folder, file), 'utf8'))
    assert.match(report, /^\| dynamodb-session +\| +\d/m)
    assert.match(report, /^\| connect-dynamodb 3 +\| +\d/m)
    assert.doesNotMatch(report, /undefined|NaN|one core/)
    assert.match(tables, /one core[^\n]* not measured/)
  })

  test(
    `an app with 200 users loses no change and no logout in ${MINUTES} minutes of random faults`,
    { skip },
    async (t) => {
      const seed = Number(process.env.SOAK_SEED ?? 1)
      t.diagnostic(`seed ${seed}`)
      const outcome = await soak({ minutes: MINUTES, seed, log: (line) => t.diagnostic(line) })
      assert.deepEqual(problemsOf(outcome), [])
    }
  )
})
