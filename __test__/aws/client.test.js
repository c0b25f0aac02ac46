'use strict'

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'

const assert = require('node:assert/strict')
const { before, beforeEach, describe, test } = require('node:test')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { DynamoDB, DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const { DynamoDBStore } = require('../..')
const { collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { failure } = require('../support/errors')
const { errorResponse, noResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const AWS = require('aws-sdk')
const dynamodb = useDynamoDB()
const region = 'eu-central-2'
const keys = (id) => ({ accessKeyId: id, secretAccessKey: 'x' })

describe('option client', needs('proxy'), () => {
  let proxy
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(() => proxy.reset())

  const signers = () =>
    proxy.requests.map(({ headers }) => {
      const [, id, signedRegion] = headers.authorization.match(/Credential=([^/]+)\/\d+\/([^/]+)/)
      return `${id} in ${signedRegion}`
    })

  /** Uses a store with this client, and returns the signer of each request. */
  async function signersWith(client, options) {
    const store = new DynamoDBStore({ client, table: dynamodb.table, ...options })
    assert.equal(store.client, client)
    const sid = newSid()
    await store.set(sid, newSession({ user: 'Ann' }))
    assert.equal((await store.get(sid)).user, 'Ann')
    await store.close()
    return signers()
  }

  const twice = (signer) => [signer, signer]

  const v3 = {
    DynamoDBClient: () => new DynamoDBClient({ region, endpoint: proxy.endpoint, credentials: keys('V3') }),
    DynamoDB: () => new DynamoDB({ region, endpoint: proxy.endpoint, credentials: keys('V3') }),
    'DynamoDBClient with functions instead of values': () =>
      new DynamoDBClient({
        region: async () => region,
        endpoint: async () => new URL(proxy.endpoint),
        credentials: async () => keys('V3')
      })
  }
  for (const [name, newClient] of Object.entries(v3)) {
    test(`uses the Region, endpoint, and credentials of an AWS SDK v3 client: ${name}`, async () =>
      assert.deepEqual(await signersWith(newClient()), twice(`V3 in ${region}`)))
  }

  const v2 = {
    'with keys': () => new AWS.DynamoDB({ region, endpoint: proxy.endpoint, ...keys('V2') }),
    'with credentials': () =>
      new AWS.DynamoDB({ region, endpoint: proxy.endpoint, credentials: new AWS.Credentials(keys('V2')) })
  }
  for (const [name, newClient] of Object.entries(v2)) {
    test(`uses the Region, endpoint, and credentials of an AWS SDK v2 client: ${name}`, async () =>
      assert.deepEqual(await signersWith(newClient()), twice(`V2 in ${region}`)))
  }

  test('expired credentials of an AWS SDK v3 client are fetched again', async () => {
    let calls = 0
    const credentials = async () => ({ ...keys(`KEY${++calls}`), expiration: new Date(Date.now() + 600) })
    const client = new DynamoDBClient({ region, endpoint: proxy.endpoint, credentials })
    const store = dynamodb.store({ endpoint: undefined, region: undefined, credentials: undefined, client })
    await store.get(newSid())
    await new Promise((resolve) => setTimeout(resolve, 650))
    await store.get(newSid())
    const [first, last] = signers()
    assert.notEqual(first, last)
  })

  for (const [name, newClient] of [
    ['v3', (endpoint) => new DynamoDBClient({ region, endpoint, credentials: keys('V3'), maxAttempts: 2 })],
    ['v2', (endpoint) => new AWS.DynamoDB({ region, endpoint, ...keys('V2'), maxRetries: 1 })]
  ]) {
    test(`uses maxAttempts of an AWS SDK ${name} client`, async () => {
      proxy.on('*', errorResponse(500, 'InternalServerError'))
      const store = new DynamoDBStore({ client: newClient(proxy.endpoint), table: dynamodb.table })
      const { $metadata } = await failure(store, 'get', newSid())
      assert.equal($metadata.attempts, 2)
      await store.close()
    })
  }

  test('makes the operation fail with a CredentialsError if the client cannot provide credentials', async () => {
    const credentials = async () => {
      throw new Error('the vault is sealed')
    }
    const client = new DynamoDBClient({ region, endpoint: proxy.endpoint, credentials })
    const store = new DynamoDBStore({ client, table: dynamodb.table })
    const error = await failure(store, 'get', newSid())
    assert.equal(error.code, 'CredentialsError')
    assert.match(error.cause.message, /the vault is sealed/)
    await store.close()
  })

  test('the constructor does not read the settings of the client', async () => {
    const reads = []
    const recorded = (name, value) => async () => {
      reads.push(name)
      return value
    }
    const client = new DynamoDBClient({
      region: recorded('region', region),
      endpoint: recorded('endpoint', new URL(proxy.endpoint)),
      credentials: recorded('credentials', keys('V3'))
    })
    await new DynamoDBStore({ client }).close()
    await nextTurn()
    assert.deepEqual(reads, [])
  })

  const timeouts = {
    'an AWS SDK v3 client': () =>
      new DynamoDBClient({
        region,
        endpoint: proxy.endpoint,
        credentials: keys('V3'),
        requestHandler: { requestTimeout: 120 }
      }),
    'an AWS SDK v2 client': () =>
      new AWS.DynamoDB({ region, endpoint: proxy.endpoint, ...keys('V2'), httpOptions: { timeout: 120 } })
  }
  for (const [name, newClient] of Object.entries(timeouts)) {
    test(`the request timeout of ${name} is the default of attemptTimeout`, async () => {
      proxy.on('*', noResponse)
      const timeoutOf = async (options) => {
        const store = new DynamoDBStore({ client: newClient(), table: dynamodb.table, maxAttempts: 1, ...options })
        const { message } = await failure(store, 'get', newSid())
        await store.close()
        return message.match(/within (\w+)/)[1]
      }
      assert.equal(await timeoutOf({}), '120ms')
      assert.equal(await timeoutOf({ attemptTimeout: 80 }), '80ms')
    })
  }

  describe('with behavior that the store cannot use', () => {
    const newClient = () => new DynamoDBClient({ region, endpoint: proxy.endpoint, credentials: keys('V3') })

    async function warningsWith(client) {
      const warnings = collectEvents(process, 'warning')
      const store = new DynamoDBStore({ client, table: dynamodb.table })
      await store.get(newSid())
      await store.close()
      await nextTurn()
      return warnings.map(({ message }) => message)
    }

    test('causes a warning for middleware of the app', async () => {
      const client = newClient()
      client.middlewareStack.add((next) => (args) => next(args), { step: 'build', name: 'ofTheApp' })
      const warnings = await warningsWith(client)
      assert.equal(warnings.length, 1)
      assert.match(warnings[0], /middleware/i)
    })

    test('causes a warning for a replaced send method', async () => {
      const client = newClient()
      client.send = async () => ({})
      const warnings = await warningsWith(client)
      assert.equal(warnings.length, 1)
      assert.match(warnings[0], /\bsend\b/)
    })

    test('causes no warning otherwise', async () => assert.deepEqual(await warningsWith(newClient()), []))
  })
})
