'use strict'

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { before, beforeEach, describe, test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const { DynamoDBStore } = require('../..')
const { hiddenSettings, root, runNode, withEnvironment } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { needs } = require('../support/features')
const { temporaryDirectory, write } = require('../support/temporary-packages')
const { newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

describe('process.env', needs('proxy'), () => {
  let proxy
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(() => proxy.reset())

  /** All settings, as environment variables. */
  const settings = (changes) => ({
    AWS_ACCESS_KEY_ID: 'ENVKEY',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: proxy.endpoint,
    ...changes
  })
  const scopes = () => proxy.requests.map(({ headers }) => /Credential=([^,]+)/.exec(headers.authorization)[1])

  test('can be replaced, for session operations and table operations', async () => {
    await withEnvironment(settings(), async () => {
      const store = new DynamoDBStore({ table: dynamodb.table })
      assert.equal(await store.get(newSid()), null)
      await store.length()
    })
    assert.equal(proxy.requests.length, 2)
    for (const scope of scopes()) assert.match(scope, /^ENVKEY\/\d+\/us-east-1\//)
  })

  test('is read by the first operation, not by the constructor', async () => {
    const store = await withEnvironment({}, () => new DynamoDBStore({ table: dynamodb.table }))
    await withEnvironment(settings(), () => store.get(newSid()))
    assert.equal(proxy.requests.length, 1)
    await withEnvironment({}, () => store.get(newSid()))
    assert.equal(proxy.requests.length, 2)
  })

  test('is read again after a failure', async () => {
    const store = new DynamoDBStore({ table: dynamodb.table })
    await assert.rejects(
      withEnvironment(settings({ AWS_REGION: undefined }), () => store.get(newSid())),
      { code: 'ConfigError', message: /region/ }
    )
    await withEnvironment(settings(), () => store.get(newSid()))
    assert.equal(proxy.requests.length, 1)
  })

  test('ignores a variable that was deleted after startup', async () => {
    const code = `
      const { DynamoDBStore } = require(process.env.ROOT)
      for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
      process.env.AWS_EC2_METADATA_DISABLED = 'true'
      process.env.HOME = '/nonexistent'
      new DynamoDBStore({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' }).get('a').then(console.log, ({ code }) => console.log(code))
    `
    const { stdout } = await runNode(['-e', code], { env: settings({ ROOT: root }) })
    assert.equal(stdout.trim(), 'CredentialsError')
    assert.deepEqual(proxy.requests, [])
  })

  test('of a worker is separate', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const { DynamoDBStore } = require(workerData.root)
      new DynamoDBStore({ table: workerData.table }).get('a').then(
        (session) => parentPort.postMessage({ session }), ({ code, message }) => parentPort.postMessage({ code, message }))
    `
    const workerData = { root, table: dynamodb.table }
    const worker = new Worker(code, { eval: true, workerData, env: { ...hiddenSettings, ...settings() } })
    const [result] = await once(worker, 'message')
    assert.deepEqual(result, { session: null })
    assert.match(scopes()[0], /^ENVKEY/)
  })

  /** Reads a session with these variables; returns null or the error. */
  const outcome = (variables, options) =>
    withEnvironment(settings(variables), async () => {
      const store = new DynamoDBStore({ table: dynamodb.table, ...options })
      try {
        return await store.get(newSid())
      } catch (error) {
        return error
      } finally {
        await store.close()
      }
    })

  const names = readFileSync(path.join(root, 'lib/native/environment.js'), 'utf8').match(
    /(?<=')[A-Z]+(_[A-Z0-9]+)+(?=')/gi
  )
  const isNeeded = (name) =>
    /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|REGION|ENDPOINT_URL|EC2_METADATA_DISABLED)$/.test(name)
  for (const name of names.filter((name) => !isNeeded(name))) {
    for (const [kind, value] of Object.entries({ empty: '', blank: ' \t', 'a carriage return': '\r' })) {
      test(`${name} is ignored if it is ${kind}`, async () => {
        assert.equal(await outcome({ [name]: value }), null)
        assert.match(scopes()[0], /^ENVKEY\/\d+\/us-east-1\//)
      })
    }
  }

  test('falls back to AWS_DEFAULT_REGION if AWS_REGION is empty', async () => {
    for (const AWS_REGION of ['', '\r', undefined]) {
      assert.equal(await outcome({ AWS_REGION, AWS_DEFAULT_REGION: 'eu-west-1' }), null)
    }
    for (const scope of scopes()) assert.match(scope, /\/eu-west-1\//)
  })

  test('falls back from an empty AWS_ENDPOINT_URL_DYNAMODB to AWS_ENDPOINT_URL, and the other way around', async () => {
    assert.equal(await outcome({ AWS_ENDPOINT_URL_DYNAMODB: '' }), null)
    assert.equal(await outcome({ AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint, AWS_ENDPOINT_URL: '' }), null)
    assert.equal(proxy.requests.length, 2)
  })

  test('whitespace around values is ignored', async () => {
    const padded = Object.entries({
      AWS_PROFILE: 'default',
      AWS_RETRY_MODE: 'standard',
      AWS_MAX_ATTEMPTS: '2',
      AWS_USE_FIPS_ENDPOINT: 'false',
      AWS_USE_DUALSTACK_ENDPOINT: 'false',
      AWS_ACCOUNT_ID_ENDPOINT_MODE: 'preferred',
      AWS_SESSION_TOKEN: 'token',
      ...settings()
    })
    for (const [before, after] of [
      ['', '\r'],
      [' ', ' '],
      ['\t', '\r\n']
    ]) {
      const variables = Object.fromEntries(padded.map(([name, value]) => [name, before + value + after]))
      assert.equal(await outcome(variables), null)
    }
    for (const scope of scopes()) assert.match(scope, /^ENVKEY\/\d+\/us-east-1\//)
    for (const { headers } of proxy.requests) assert.equal(headers['x-amz-security-token'], 'token')
  })

  const invalid = {
    AWS_RETRY_MODE: ['often', 'standard adaptive'],
    AWS_MAX_ATTEMPTS: ['abc', '0', '-1', '1.5', '99999999999', '3 times'],
    AWS_USE_FIPS_ENDPOINT: ['yes', '1'],
    AWS_USE_DUALSTACK_ENDPOINT: ['on'],
    AWS_ACCOUNT_ID_ENDPOINT_MODE: ['never'],
    AWS_REGION: ['us east 1', 'us-east-1/', 'https://us-east-1'],
    AWS_ENDPOINT_URL: ['localhost:8000', 'ftp://host', 'http://', 'user:SECRET@host'],
    AWS_ENDPOINT_URL_DYNAMODB: ['http:/host'],
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: ['perhaps']
  }
  for (const [name, values] of Object.entries(invalid)) {
    for (const value of values) {
      test(`${name}=${value} causes a ConfigError`, async () => {
        for (const method of ['get', 'length']) {
          const error = await withEnvironment(settings({ [name]: value }), () =>
            new DynamoDBStore({ table: dynamodb.table })[method]('a').catch((error) => error)
          )
          assert.equal(error.code, 'ConfigError')
          assert.ok(error.message.includes(`${name} must be `), error.message)
          assert.doesNotMatch(error.message, /SECRET/)
        }
      })
    }
  }

  test('AWS_RETRY_MODE=legacy means standard', async () => {
    for (const mode of ['legacy', 'Legacy', ' legacy\r']) assert.equal(await outcome({ AWS_RETRY_MODE: mode }), null)
  })

  const withoutKeys = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }

  test('the error about missing credentials says how to set them', async () => {
    const { code, message } = await outcome(withoutKeys)
    assert.equal(code, 'CredentialsError')
    for (const part of [
      'no AWS credentials',
      'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
      'profile "default" of /nonexistent/.aws/config and /nonexistent/.aws/credentials',
      'IAM role'
    ]) {
      assert.ok(message.includes(part), message)
    }
    const half = await outcome({ AWS_SECRET_ACCESS_KEY: '\r', AWS_ACCESS_KEY_ID: 'SECRET' })
    assert.match(half.message, /AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY/)
    assert.doesNotMatch(half.message, /SECRET(?!_)/)
  })

  for (const [name, value] of [
    ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'no path'],
    ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'no url'],
    ['AWS_EC2_METADATA_SERVICE_ENDPOINT', 'no url'],
    ['AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE', 'IPv5']
  ]) {
    test(`${name}=${value} without keys causes a ConfigError`, async () => {
      const { code, message } = await outcome({ ...withoutKeys, AWS_EC2_METADATA_DISABLED: 'false', [name]: value })
      assert.equal(code, 'ConfigError')
      assert.ok(message.includes(name), message)
    })
  }

  test('an empty container URI falls back to the other one, with a token from a file', async (t) => {
    const authorizations = []
    const server = http.createServer((request, response) => {
      authorizations.push(request.headers.authorization)
      response.end(
        JSON.stringify({ AccessKeyId: 'BOX', SecretAccessKey: 'x', Token: 'x', Expiration: '2100-01-01T00:00:00Z' })
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const file = write(path.join(temporaryDirectory(t), 'token'), 'token\n')
    const variables = {
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${server.address().port}/\r`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file
    }
    assert.equal(await outcome({ ...withoutKeys, ...variables }), null)
    assert.match(scopes()[0], /^BOX\//)
    assert.deepEqual(authorizations, ['token'])
  })

  test('can be changed by a Jest test', async (t) => {
    const folder = temporaryDirectory(t)
    write(
      path.join(folder, 'environment.test.js'),
      `
      const { DynamoDBStore } = require(${JSON.stringify(root)})
      const read = async () => {
        const store = new DynamoDBStore({ table: ${JSON.stringify(dynamodb.table)} })
        const outcome = await store.get('a').catch(({ code }) => code)
        await store.close()
        return outcome
      }
      const real = process.env
      afterEach(() => (process.env = real))
      test('a deleted variable is ignored', async () => {
        delete process.env.AWS_ACCESS_KEY_ID
        expect(await read()).toBe('CredentialsError')
      })
      test('a new value is used', async () => {
        process.env.AWS_ACCESS_KEY_ID = 'JESTKEY'
        expect(await read()).toBe(null)
      })
      test('a replaced process.env is used', async () => {
        process.env = { ...real, AWS_ACCESS_KEY_ID: 'REPLACED' }
        expect(await read()).toBe(null)
      })
    `
    )
    write(path.join(folder, 'package.json'), '{}')
    const jest = path.join(root, 'node_modules/jest/bin/jest.js')
    const env = { ...hiddenSettings, ...settings({ AWS_ACCESS_KEY_ID: 'STARTED' }) }
    const { code, stderr } = await runNode([jest, '--rootDir', folder, '--watchman=false'], { cwd: folder, env })
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      scopes().map((scope) => scope.split('/')[0]),
      ['JESTKEY', 'REPLACED']
    )
  })
})
