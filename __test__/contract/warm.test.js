'use strict'

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

const assert = require('node:assert/strict')
const { tracingChannel } = require('node:diagnostics_channel')
const { after, before, describe, test } = require('node:test')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const { DynamoDBStore } = require('../..')
const { callBothWays, collectEvents, eventually, shortTimeouts } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries, openEntry } = require('../support/entry-points')
const { assertOperationError, failure } = require('../support/errors')
const { errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newKey, newSession, newSid } = require('../support/sessions')
const { createAuthority } = require('../support/tls')

const dynamodb = useDynamoDB()

/** A function that counts its calls, and fails while `isBroken`. */
function provider(value) {
  const provide = async () => {
    provide.calls += 1
    if (provide.isBroken) throw new Error('the vault is sealed')
    return value
  }
  return Object.assign(provide, { calls: 0, isBroken: false })
}

async function proxyAndStore(options) {
  const proxy = await dynamodb.proxy()
  return { proxy, store: dynamodb.store({ endpoint: proxy.endpoint, ...options }) }
}

const expected = (code) => ({ code, operation: 'GetItem', tableName: dynamodb.table })

describe('warm() of every store', needs('proxy'), () => {
  let authority
  before(async () => {
    authority = await createAuthority()
    process.env.AWS_CA_BUNDLE = authority.file
  })
  after(() => {
    delete process.env.AWS_CA_BUNDLE
    authority.remove()
  })

  for (const entry of entries) {
    test(`opens the TLS connection that the first operations use: ${entry.name}`, async (t) => {
      const proxy = await dynamodb.proxy({ certificate: await authority.issue() })
      const { store, table } = await openEntry(t, dynamodb, entry, { endpoint: proxy.endpoint })
      assert.equal(await store.warm(), undefined)
      assert.deepEqual(store.stats().pool, { open: 1, idle: 1 })
      await store.set('a session', newSession({ user: 'Ann' }), 60_000)
      assert.equal((await store.get('a session')).user, 'Ann')
      assert.equal(proxy.connectionsMade, 1)
      assert.equal((await dynamodb.raw.items(table)).length, 1)
    })

    for (const hashIds of [false, true]) {
      const suffix = hashIds ? ' with hashIds' : ''
      test(`sends one eventually consistent read of a key with the store's prefix: ${entry.name}${suffix}`, async (t) => {
        const proxy = await dynamodb.proxy()
        const { store } = await openEntry(t, dynamodb, entry, { endpoint: proxy.endpoint, hashIds })
        await store.warm()
        assert.deepEqual(proxy.operations, ['GetItem'])
        const [{ Key, ConsistentRead }] = proxy.sent('GetItem')
        assert.equal(ConsistentRead ?? false, false)
        assert.deepEqual(Object.keys(Key).sort(), Object.values(entry.schema).sort())
        for (const { S } of Object.values(Key)) assert.ok(S.startsWith(entry.prefix + (hashIds ? 'h1-' : '')), S)
      })
    }

    test(`returns a promise, and calls a callback: ${entry.name}`, async (t) => {
      const { store } = await openEntry(t, dynamodb, entry)
      assert.deepEqual(await callBothWays(store, 'warm'), { value: undefined })
    })

    // As their originals, these stores create a missing table.
    if (['dynamodb-session/dynamodb-store', 'dynamodb-session/connect-dynamodb'].includes(entry.name)) {
      test(`creates a missing table: ${entry.name}`, async (t) => {
        const table = dynamodb.newTableName()
        const { store } = await openEntry(t, dynamodb, entry, {}, table)
        await store.warm()
        assert.equal(await dynamodb.raw.tableExists(table), true)
      })
      continue
    }

    test(`fails if the table is missing, and succeeds once it exists: ${entry.name}`, async (t) => {
      const table = dynamodb.newTableName()
      const { store } = await openEntry(t, dynamodb, entry, {}, table)
      const error = await failure(store, 'warm')
      assertOperationError(error, { ...expected('ResourceNotFoundException'), tableName: table })
      await dynamodb.raw.createTable(table, entry.schema)
      await store.warm()
    })
  }
})

describe('warm()', () => {
  test('counts as one GetItem that consumes half a read capacity unit', async () => {
    const channel = tracingChannel('dynamodb-session:operation')
    const traces = []
    const subscribers = { asyncEnd: (trace) => traces.push(trace) }
    const store = dynamodb.store()
    channel.subscribe(subscribers)
    try {
      await store.warm()
    } finally {
      channel.unsubscribe(subscribers)
    }
    const [{ operation, tableName, attempts, statusCode, capacityUnits }] = traces
    assert.deepEqual([traces.length, operation, tableName], [1, 'GetItem', dynamodb.table])
    assert.deepEqual([attempts, statusCode, capacityUnits], [1, 200, 0.5])
    assert.deepEqual([store.stats().operations, store.stats().inFlight], [{ GetItem: 1 }, 0])
  })

  test('succeeds even if the key that it reads has an item without a session', needs('proxy'), async () => {
    const { proxy, store } = await proxyAndStore({ table: await dynamodb.newTable() })
    await store.warm()
    const [{ TableName, Key }] = proxy.sent('GetItem')
    await dynamodb.raw.putItem(TableName, Key)
    assert.equal(await store.warm(), undefined)
  })

  test('calls the credentials function, and the first operations do not call it again', async () => {
    const credentials = provider(dynamodb.connection.credentials)
    const store = dynamodb.store({ credentials })
    await store.warm()
    assert.equal(credentials.calls, 1)
    await Promise.all([store.get(newSid()), store.set(newSid(), newSession())])
    assert.equal(credentials.calls, 1)
  })

  test('fails with a CredentialsError if the credentials function fails, and calls it again the next time', async () => {
    const credentials = provider(dynamodb.connection.credentials)
    const store = dynamodb.store({ credentials })
    credentials.isBroken = true
    const error = await failure(store, 'warm')
    assertOperationError(error, expected('CredentialsError'))
    assert.equal(error.cause.message, 'the vault is sealed')
    credentials.isBroken = false
    await store.warm()
  })

  test('calls the function of the encryption keys, and the first operations do not call it again', async () => {
    const keys = provider([newKey()])
    const store = dynamodb.store({ encryption: keys })
    await store.warm()
    assert.equal(keys.calls, 1)
    const sid = newSid()
    await store.set(sid, newSession({ user: 'Ann' }))
    assert.equal((await store.get(sid)).user, 'Ann')
    assert.equal(keys.calls, 1)
  })

  test('fails with an EncryptionKeyError if there are no keys, and succeeds when there are', async () => {
    const keys = provider([newKey()])
    const store = dynamodb.store({ encryption: keys })
    keys.isBroken = true
    const error = await failure(store, 'warm')
    assertOperationError(error, expected('EncryptionKeyError'))
    assert.equal(error.cause.message, 'the vault is sealed')
    keys.isBroken = false
    // The store waits a second before it calls the function again.
    await eventually(() =>
      store.warm().then(
        () => true,
        () => false
      )
    )
  })

  for (const [reason, fault, code] of [
    ['the policy does not allow GetItem', [400, 'AccessDeniedException'], 'AccessDeniedException'],
    ['the service is not available', [503, 'ServiceUnavailable'], 'ServiceUnavailable']
  ]) {
    test(`fails if ${reason}, and succeeds later`, needs('proxy'), async () => {
      const { proxy, store } = await proxyAndStore({ maxAttempts: 1 })
      proxy.on('GetItem', errorResponse(...fault))
      assertOperationError(await failure(store, 'warm'), expected(code))
      proxy.reset()
      await store.warm()
    })
  }

  test(
    'fails with a NetworkError while the service is unreachable, and reports to offlineAfter',
    needs('proxy'),
    async () => {
      const { proxy, store } = await proxyAndStore({ ...shortTimeouts, maxAttempts: 1, offlineAfter: 2 })
      const [disconnects, connects] = [collectEvents(store, 'disconnect'), collectEvents(store, 'connect')]
      await proxy.refuse()
      const error = await failure(store, 'warm')
      assertOperationError(error, { ...expected('NetworkError'), retryable: true })
      await eventually(() => disconnects.length === 1)
      await proxy.listen()
      await store.warm()
      await eventually(() => connects.length === 1)
    }
  )

  test('opens a new connection if the service has closed the first one', needs('proxy'), async () => {
    const { proxy, store } = await proxyAndStore({ maxAttempts: 1 })
    await store.warm()
    proxy.closeConnections()
    await eventually(() => proxy.connections === 0)
    await store.warm()
    assert.equal(await store.get(newSid()), null)
    assert.equal(proxy.connectionsMade, 2)
  })

  test('reads the settings of the client option, and the first operation does not read them again', async () => {
    const { endpoint, region, credentials } = dynamodb.connection
    const provide = provider(credentials)
    const client = new DynamoDBClient({ endpoint, region, credentials: provide })
    const store = new DynamoDBStore({ client, table: dynamodb.table })
    await store.warm()
    assert.equal(provide.calls, 1)
    assert.equal(await store.get(newSid()), null)
    assert.equal(provide.calls, 1)
    await store.close()
  })

  test('creates a missing table if the createTable option is set', async () => {
    const table = dynamodb.newTableName()
    await dynamodb.store({ table, createTable: { ttl: false } }).warm()
    assert.equal(await dynamodb.raw.tableExists(table), true)
  })

  test('fails if the key of the table differs', async () => {
    const table = await dynamodb.newTable({ hashKey: 'id', sortKey: 'sk' })
    const error = await failure(dynamodb.store({ table }), 'warm')
    assertOperationError(error, { ...expected('ValidationException'), tableName: table })
  })
})
