'use strict'

// Runs the test file in the package connect-dynamodb against the module of the first argument, and prints the
// outcomes as JSON: [[name, error or null], ...]. The file is written for Mocha, of which this program has what it uses.

const Module = require('node:module')

const [, , implementation] = process.argv
const root = { name: '', before: [], after: [], tests: [], suites: [] }
let current = root

/** A test or hook as an async function, whether it takes `done` or not. */
const runOf = (body) => async () =>
  body.length === 0 ? body() : new Promise((resolve, reject) => body((error) => (error ? reject(error) : resolve())))

Object.assign(globalThis, {
  describe(name, define) {
    const suite = { name: `${current.name}${name} > `, before: [], after: [], tests: [], suites: [] }
    const outer = current
    outer.suites.push(suite)
    current = suite
    define()
    current = outer
  },
  it(name, body) {
    current.tests.push([current.name + name, runOf(body)])
    return { timeout() {} }
  },
  before: (body) => void current.before.push(runOf(body)),
  after: (body) => void current.after.push(runOf(body))
})

const resolveFilename = Module._resolveFilename
Module._resolveFilename = (request, ...rest) =>
  resolveFilename(request.endsWith('/lib/connect-dynamodb.js') ? implementation : request, ...rest)

async function runSuite(suite) {
  for (const hook of suite.before) await hook()
  for (const [name, run] of suite.tests) {
    await run().then(
      () => outcomes.push([name, null]),
      (error) => outcomes.push([name, String(error)])
    )
  }
  for (const inner of suite.suites) await runSuite(inner)
  for (const hook of suite.after) await hook()
}

const outcomes = []
// One of its assertions is in a promise that is not awaited.
process.on('unhandledRejection', (error) => outcomes.push(['unhandled rejection', String(error)]))

require('connect-dynamodb/test/test.js')
runSuite(root).then(() => {
  process.stdout.write(JSON.stringify(outcomes))
  process.exit()
})
