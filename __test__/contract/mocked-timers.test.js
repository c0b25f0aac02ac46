'use strict'

const assert = require('node:assert/strict')
const os = require('node:os')
const path = require('node:path')
const { describe, test } = require('node:test')
const { root, runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')

const dynamodb = useDynamoDB()
const folder = path.join(__dirname, 'mocked-timers')
const program = path.join(folder, 'program.js')
const names = entries.map(({ name }) => name)
const expected = Object.fromEntries(names.map((name) => [name, { user: 'ann', destroyed: null }]))
let environment

/** The connection, and a table for each entry point. All runs share them. */
async function createTables() {
  const tables = {}
  for (const { name, schema } of entries) tables[name] = await dynamodb.newTable(schema)
  return JSON.stringify({ connection: dynamodb.connection, tables })
}

async function run(...args) {
  environment ??= createTables()
  return runNode(args, { env: { CONNECTION: await environment }, timeLimit: 90_000 })
}

describe('in Jest', () => {
  const jestProgram = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js')
  const cacheDirectory = path.join(os.tmpdir(), 'dynamodb-session-jest')

  async function jest(suite, settings, ...args) {
    const config = JSON.stringify({ rootDir: folder, watchman: false, cacheDirectory, ...settings })
    const { code, stderr } = await run(
      jestProgram,
      '--runInBand',
      '--config',
      config,
      '--testNamePattern',
      suite,
      ...args,
      'jest.test.js'
    )
    assert.equal(code, 0, stderr)
    for (const name of names) assert.ok(stderr.includes(`✓ ${name}`), stderr)
    return stderr
  }

  test('fake timers do not delay callbacks, and the store leaves no timer pending', async () => {
    await jest('fake timers enabled by a test', {})
  })

  for (const testEnvironment of ['node', 'jsdom']) {
    test(`globally enabled fake timers do not delay callbacks (${testEnvironment})`, async () => {
      await jest('fake timers enabled globally', { testEnvironment, fakeTimers: { enableGlobally: true } })
    })
  }

  test('globally enabled legacy fake timers do not delay callbacks', async () => {
    await jest('fake timers enabled globally', { fakeTimers: { enableGlobally: true, legacyFakeTimers: true } })
  })

  test('a mocked date determines which sessions have expired', async () => {
    await jest('a mocked date', {})
  })

  test('detectOpenHandles reports no open handle after close()', async () => {
    assert.doesNotMatch(await jest('real timers', {}, '--detectOpenHandles'), /open handle/)
  })
})

describe('in Vitest', () => {
  for (const pool of ['forks', 'threads', 'vmThreads']) {
    test(`fake timers do not delay callbacks, and the store leaves no timer pending (${pool})`, async () => {
      const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
      const args = ['run', 'vitest.test.mjs', '--root', folder, '--pool', pool, '--reporter', 'verbose']
      const { code, stdout, stderr } = await run(vitest, ...args)
      assert.equal(code, 0, stdout + stderr)
      for (const name of names) assert.ok(stdout.includes(name), stdout)
    })
  }
})

describe('with Sinon', () => {
  for (const order of ['before', 'after']) {
    test(`fake timers do not delay callbacks if the package is loaded ${order} them, and no timer is pending`, async () => {
      const { code, stdout, stderr } = await run(program, 'sinon', order)
      assert.equal(code, 0, stderr)
      const timers = order === 'before' && { limit: 'ConfigError', disconnect: true }
      const results = { ...expected, ...timers }
      assert.deepEqual(JSON.parse(stdout), { results, timersAfterLoad: 0, timersAfterUse: 0 })
    })
  }
})

test('in a zone of zone.js, the store leaves no timer pending', async () => {
  const { code, stdout, stderr } = await run(program, 'zone')
  assert.equal(code, 0, stderr)
  assert.deepEqual(JSON.parse(stdout), { results: expected, tasks: [] })
})
