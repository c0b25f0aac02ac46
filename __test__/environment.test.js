'use strict'

const assert = require('node:assert/strict')
const { before, beforeEach, describe, test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const { DynamoDBStore } = require('..')
const { root, runNode } = require('./support/child')
const { useDynamoDB } = require('./support/dynamodb')
const { needs } = require('./support/features')
const { newSid } = require('./support/sessions')

const dynamodb = useDynamoDB()

/** Variables that must not reach the machine's own AWS account. */
const base = { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent' }

/** Runs `work` while `process.env` is another object. */
async function withEnvironment(variables, work) {
  const real = process.env
  process.env = { ...base, ...variables }
  try {
    return await work()
  } finally {
    process.env = real
  }
}

describe('process.env', needs('proxy'), () => {
  let proxy
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(() => proxy.reset())

  /** Settings that come from the environment only. */
  const settings = (changes) => ({
    AWS_ACCESS_KEY_ID: 'ENVKEY',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: proxy.endpoint,
    ...changes
  })
  const scopes = () => proxy.requests.map(({ headers }) => /Credential=([^,]+)/.exec(headers.authorization)[1])

  test('that is replaced counts, for the data plane and the control plane', async () => {
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

  test('without a variable that the process was started with does not reach its endpoint', async () => {
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

  test('of a Worker is its own', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const { DynamoDBStore } = require(workerData.root)
      new DynamoDBStore({ table: workerData.table }).get('a').then(
        (session) => parentPort.postMessage({ session }), ({ code, message }) => parentPort.postMessage({ code, message }))
    `
    const workerData = { root, table: dynamodb.table }
    const worker = new Worker(code, { eval: true, workerData, env: { ...base, ...settings() } })
    const [answer] = await once(worker, 'message')
    assert.deepEqual(answer, { session: null })
    assert.match(scopes()[0], /^ENVKEY/)
  })
})
