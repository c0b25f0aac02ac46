'use strict'

// Runs test files as `node --test` does. Where one server serves them all, it starts that server first: DynamoDB Local, since
// a JVM for each file would cost more than the tests, or the way to DynamoDB itself.
//   DYNAMODB=aws node __test__/suite.js __test__/*.test.js
// With --server-only, it leaves out the files whose outcome does not depend on the server.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { serverKind, startServer } = require('./support/server')

/** What these test is the same on every server: the package, the environment, faults on the way to the server. */
const serverIndependent = [
  'account-endpoints',
  'aws-files',
  'benchmark',
  'cli/policy-template',
  'cli/usage',
  'compat/alias-types',
  'demo',
  'docs',
  'dropped-stores',
  'endpoints',
  'environment',
  'faults/app',
  'faults/connections',
  'faults/credentials',
  'faults/files',
  'faults/network',
  'faults/throttling',
  'faults/tls',
  'lambda',
  'lifecycle',
  'load',
  'mocked-timers',
  'offline',
  'overload',
  'packages',
  'pages',
  'polluted',
  'release',
  'soak',
  'supply-chain',
  'tls',
  'workers'
].map((name) => path.join(__dirname, `${name}.test.js`))

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

const given = process.argv.slice(2)
const isServerOnly = given[0] === '--server-only'
runSuite(isServerOnly ? given.slice(1).filter((file) => !serverIndependent.includes(path.resolve(file))) : given)
