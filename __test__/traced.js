'use strict'

// Runs test files with a subscriber of the diagnostics channel, and again with NODE_DEBUG. By default, it runs a sample
// that calls every operation of every entry point.
//   npm run test:traced -- __test__/*/*.test.js

const { spawnSync } = require('node:child_process')
const path = require('node:path')

const suite = path.join(__dirname, 'suite.js')
const subscriber = path.join(__dirname, 'support', 'trace-subscriber.js')
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

const given = process.argv.slice(2).filter((file) => !excluded.includes(path.basename(file)))
const files = given.length > 0 ? given : sample
const runs = [
  { args: ['--require', subscriber], env: {} },
  { args: [], env: { NODE_DEBUG: 'dynamodb-session' } }
]

for (const { args, env } of runs) {
  const settings = { env: { ...process.env, ...env }, stdio: 'inherit' }
  const { status } = spawnSync(process.execPath, [suite, ...args, ...files], settings)
  if (status !== 0) process.exitCode = 1
}
