'use strict'

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { createAuthority, startTlsServer } = require('../support/tls')

const dynamodb = useDynamoDB()
const folder = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-'))
/** Reading it never ends, as on a hung mount. */
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
 * Sends many requests with a store that reads the FIFO, and one with a store that does not. Prints the error codes, the
 * milliseconds until the errors, the milliseconds until the response to the other store, and the number of threads.
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

describe('a file on a hung mount', { skip: process.platform !== 'linux' && 'needs /proc' }, () => {
  const staticKeys = { accessKeyId: 'AKID', secretAccessKey: 'secret' }
  const withKeys = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' }
  const role = { AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/r' }
  const plain = () => dynamodb.connection.endpoint
  const tls = () => server.endpoint
  const config = (text) => {
    const file = path.join(folder, `config-${Math.random()}`)
    writeFileSync(file, text)
    return file
  }
  /** A home folder in which one of the AWS files is a FIFO. */
  const homeWith = (file) => {
    const home = mkdtempSync(path.join(folder, 'home-'))
    mkdirSync(path.dirname(path.join(home, '.aws', file)), { recursive: true })
    execFileSync('mkfifo', [path.join(home, '.aws', file)])
    return home
  }
  const cases = {
    AWS_CONFIG_FILE: { env: { ...withKeys, AWS_CONFIG_FILE: fifo }, region: undefined },
    AWS_SHARED_CREDENTIALS_FILE: { env: { AWS_SHARED_CREDENTIALS_FILE: fifo } },
    AWS_WEB_IDENTITY_TOKEN_FILE: { env: { ...role, AWS_WEB_IDENTITY_TOKEN_FILE: fifo } },
    'web_identity_token_file of a profile': {
      env: {
        AWS_CONFIG_FILE: config(`[default]\nrole_arn = ${role.AWS_ROLE_ARN}\nweb_identity_token_file = ${fifo}\n`)
      }
    },
    'config file in the home folder': { env: { ...withKeys, HOME: homeWith('config') }, region: undefined },
    'SSO cache': {
      env: {
        HOME: homeWith(`sso/cache/${createHash('sha1').update('s').digest('hex')}.json`),
        AWS_CONFIG_FILE: config(
          '[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n' +
            '[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://127.0.0.1:1/start\n'
        )
      }
    },
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: {
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/',
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: fifo
      }
    },
    AWS_CA_BUNDLE: { env: { AWS_CA_BUNDLE: fifo }, endpoint: tls, credentials: staticKeys, connectTimeout: 200 },
    NODE_EXTRA_CA_CERTS: {
      env: { NODE_EXTRA_CA_CERTS: fifo },
      endpoint: tls,
      credentials: staticKeys,
      connectTimeout: 200
    }
  }
  for (const [name, { env, endpoint = plain, ...options }] of Object.entries(cases)) {
    test(`${name}: its store times out, another store works, and the process can exit`, async () => {
      const hung = { region: 'us-east-1', table: dynamodb.table, timeout, endpoint: endpoint(), ...options }
      const settings = { env, hung, healthy: dynamodb.options(), rounds }
      const { stdout, stderr, code, sinceFirstOutput } = await runScript(script, {
        options: settings,
        env: { HOME: folder }
      })
      assert.equal(code, 0, stderr)
      const result = JSON.parse(stdout)
      assert.deepEqual([...new Set(result.codes)], ['TimeoutError'], stdout)
      if (options.connectTimeout) assert.match(String(result.causes), new RegExp(name))
      assert.ok(result.time < rounds * timeout + 1500, stdout)
      assert.ok(result.healthyTime < timeout, stdout)
      assert.ok(result.threads <= 4, stdout)
      assert.ok(sinceFirstOutput < 2000, `the process exited ${sinceFirstOutput} ms later`)
    })
  }
})
