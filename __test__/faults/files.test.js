'use strict'

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { mkdtempSync, rmSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { createAuthority, startTlsServer } = require('../support/tls')

const dynamodb = useDynamoDB()
const folder = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-'))
/** A read of it never ends, as on a hung mount. */
const fifo = path.join(folder, 'fifo')
let authority
let server

before(async () => {
  execFileSync('mkfifo', [fifo])
  authority = await createAuthority()
  server = await startTlsServer(dynamodb.connection.endpoint, await authority.issue())
})

after(async () => {
  await server.close()
  authority.remove()
  rmSync(folder, { recursive: true })
})

/**
 * Sends many requests with a store that reads the FIFO, and meanwhile one with a store that does not. Prints the code
 * of each error, the milliseconds until the errors and until the healthy store answered, and the number of threads.
 */
const script = `
  const { readdirSync } = require('fs')
  const { env, hung, healthy, rounds } = options
  const threads = () => readdirSync('/proc/self/task').length
  const elapsed = (start) => Math.round(performance.now() - start)
  ;(async () => {
    const other = new DynamoDBStore(healthy)
    await other.get('a')
    const threadsBefore = threads()
    Object.assign(process.env, env)
    const store = new DynamoDBStore(hung)
    const show = (error) => (causes.add(error.cause?.message), error.code)
    const start = performance.now()
    const causes = new Set()
    const codes = []
    let healthyTime = 0
    for (let round = 0; round < rounds; round++) {
      const failing = Array.from({ length: 50 }, () => store.get('a').then(() => 'none', show))
      const sent = performance.now()
      await other.get('a')
      healthyTime = Math.max(healthyTime, elapsed(sent))
      codes.push(...(await Promise.all(failing)))
    }
    const time = elapsed(start)
    console.log(JSON.stringify({ codes: [...new Set(codes)], causes: [...causes], time, healthyTime, threads: threads() - threadsBefore }))
  })()`

const timeout = 600
const rounds = 3

describe('a file that is on a hung mount', { skip: process.platform !== 'linux' && 'uses /proc' }, () => {
  const staticKeys = { accessKeyId: 'AKID', secretAccessKey: 'secret' }
  const tls = () => server.endpoint
  const cases = {
    AWS_CA_BUNDLE: { env: { AWS_CA_BUNDLE: fifo }, endpoint: tls, credentials: staticKeys, connectTimeout: 200 },
    NODE_EXTRA_CA_CERTS: {
      env: { NODE_EXTRA_CA_CERTS: fifo },
      endpoint: tls,
      credentials: staticKeys,
      connectTimeout: 200
    }
  }
  for (const [name, { env, endpoint = tls, ...options }] of Object.entries(cases)) {
    test(`${name}: its store times out, another answers, and the process ends`, async () => {
      const hung = { region: 'us-east-1', table: dynamodb.table, timeout, endpoint: endpoint(), ...options }
      const settings = { env, hung, healthy: dynamodb.options(), rounds }
      const { stdout, stderr, code, sinceFirstOutput } = await runScript(script, {
        options: settings,
        env: { HOME: folder }
      })
      assert.equal(code, 0, stderr)
      const result = JSON.parse(stdout)
      assert.ok(
        result.codes.every((each) => ['TimeoutError', 'CredentialsError'].includes(each)),
        stdout
      )
      if (options.connectTimeout) assert.match(String(result.causes), new RegExp(name))
      assert.ok(result.time < rounds * timeout + 1500, stdout)
      assert.ok(result.healthyTime < timeout, stdout)
      assert.ok(result.threads <= 4, stdout)
      assert.ok(sinceFirstOutput < 2000, `the process ended ${sinceFirstOutput} ms later`)
    })
  }
})
