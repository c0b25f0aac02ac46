'use strict'

// Runs test files with a subscriber of the diagnostics channel, and again with NODE_DEBUG. By default, it runs a sample
// that calls every operation of every entry point.
//   npm run test:traced -- __test__/*/*.test.js
// Loaded with `node --require`, this file is the subscriber.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { tracingChannel } = require('node:diagnostics_channel')
const path = require('node:path')

const suite = path.join(__dirname, 'suite.js')
const sample = [
  'contract/wrapped-stores',
  'contract/create-table',
  'contract/scan',
  'cli/init',
  'cli/stats',
  'compat/dynamodb-store'
].map((name) => path.join(__dirname, `${name}.test.js`))

/** They test what happens with and without a subscriber. */
const excluded = ['tracing.test.js']

function runTwice() {
  const given = process.argv.slice(2).filter((file) => !excluded.includes(path.basename(file)))
  const files = given.length > 0 ? given : sample
  const runs = [
    { args: ['--require', __filename], env: {} },
    { args: [], env: { NODE_DEBUG: 'dynamodb-session' } }
  ]

  for (const { args, env } of runs) {
    const settings = { env: { ...process.env, ...env }, stdio: 'inherit' }
    const { status } = spawnSync(process.execPath, [suite, ...args, ...files], settings)
    if (status !== 0) process.exitCode = 1
  }
}

const isNumberOr = (value, ...others) => typeof value === 'number' || others.includes(value)

/** Subscribes in this process and in the child processes of tests. */
function subscribe() {
  process.env.TEST_PRELOAD = __filename
  tracingChannel('dynamodb-session:operation').subscribe({
    asyncEnd({ operation, tableName, durationMs, attempts, statusCode, capacityUnits }) {
      assert.equal(typeof operation, 'string')
      assert.equal(typeof tableName, 'string')
      assert.equal(typeof durationMs, 'number')
      assert.ok(isNumberOr(attempts, undefined), 'attempts')
      assert.ok(isNumberOr(statusCode, undefined, null), 'statusCode')
      assert.ok(isNumberOr(capacityUnits, undefined, null), 'capacityUnits')
    }
  })
}

if (require.main === module) runTwice()
else subscribe()
