'use strict'

// Runs test files as `node --test` does: all of them, or those given. If one server serves all files, it starts that server
// first: DynamoDB Local, because a JVM for each file would take longer than the tests, or the gateway to DynamoDB itself.
//   DYNAMODB=aws node __test__/suite.js
// With --server-only, it leaves out the files whose outcome does not depend on the server.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { serverKind, startServer } = require('./support/server')

/** Files whose outcome does not depend on the server: they test the package, the environment, or the way to the server. */
const serverIndependent = [
  'aws/account-endpoints',
  'aws/config-files',
  'aws/endpoints',
  'aws/environment',
  'aws/tls',
  'cli/doctor-report',
  'cli/policy-template',
  'cli/progress',
  'cli/usage',
  'compat/alias-types',
  'contract/concurrency',
  'contract/garbage-collection',
  'contract/mocked-timers',
  'contract/offline-after',
  'contract/polluted-prototype',
  'contract/process-exit',
  'contract/worker-threads',
  'docs/demo',
  'docs/examples',
  'docs/pages',
  'docs/recipes',
  'faults/app',
  'faults/connections',
  'faults/credentials',
  'faults/files',
  'faults/network',
  'faults/throttling',
  'module/loading',
  'module/release',
  'module/supply-chain',
  'opentelemetry/comparison',
  'opentelemetry/instrumentation',
  'tools/programs'
].map((name) => path.join(__dirname, `${name}.test.js`))

/** Folders with the test files of a whole run. Those of install/ need a release and a registry: `npm run test:package`. */
const folders = ['contract', 'unit', 'aws', 'compat', 'cli', 'faults', 'module', 'opentelemetry', 'docs', 'tools']

function allTestFiles() {
  return folders.flatMap((folder) => {
    const names = fs.readdirSync(path.join(__dirname, folder)).filter((name) => name.endsWith('.test.js'))
    return names.map((name) => path.join(__dirname, folder, name))
  })
}

const starters = {
  async aws() {
    const { connection, close } = await startServer()
    return { shared: { connection }, close }
  },
  service: (settings) => require('./service/run').startRun(settings)
}

/** On a developer's machine and in a run on DynamoDB, the variables have credentials that are not for the tests. */
function withoutAWS(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('AWS_')))
}

async function runSuite(args) {
  let tests
  let isStopped = false
  const stop = (signal = 'SIGTERM') => {
    isStopped = true
    tests?.kill(signal)
  }
  // Whatever ends the tests, the server is closed, and with it go the tables of a run.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)

  const server = await starters[serverKind]?.({ onLimit: stop })
  try {
    const env = server ? { ...withoutAWS(process.env), SHARED_DYNAMODB: JSON.stringify(server.shared) } : process.env
    if (!isStopped) tests = spawn(process.execPath, ['--test', ...args], { env, stdio: 'inherit' })
    const [code] = tests ? await once(tests, 'exit') : []
    process.exitCode = isStopped ? 1 : (code ?? 1)
  } finally {
    await server?.close()
  }
}

const args = process.argv.slice(2)
const isServerOnly = args[0] === '--server-only'
const given = isServerOnly ? args.slice(1) : args
// Options of `node --test` may be given with or without files.
const selected = given.some((arg) => arg.endsWith('.js') && !arg.startsWith('-'))
  ? given
  : [...given, ...allTestFiles()]
runSuite(selected.filter((file) => !isServerOnly || !serverIndependent.includes(path.resolve(file))))
