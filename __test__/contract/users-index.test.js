'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callDuringFault, settlesWithin, shortTimeouts } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries, openEntry } = require('../support/entry-points')
const { assertOperationError, assertStoreError, failure } = require('../support/errors')
const fault = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { openRequest } = require('../support/parallel-app')
const { newKey, newSession } = require('../support/sessions')
const { assertSessionsOf, exists, logIn } = require('./support/users')

const { changedResponse, errorResponse, loseResponse } = fault
const dynamodb = useDynamoDB()
const native = entries[0]

const open = (t, options) => openEntry(t, dynamodb, native, { user: 'userId', ...options })

/** A store behind a proxy. */
async function openBehindProxy(t, options) {
  const proxy = await dynamodb.proxy()
  return { proxy, ...(await open(t, { endpoint: proxy.endpoint, ...options })) }
}

/** Makes the pages of a Query so small, although the server sends larger ones. */
const smallPages = (size) =>
  changedResponse(({ text, headers: original }) => {
    const { Items, LastEvaluatedKey } = JSON.parse(text)
    const page = Items.slice(0, size)
    const next = Items.length > size ? page.at(-1) : LastEvaluatedKey
    const headers = { ...original }
    delete headers['x-amz-crc32']
    return { headers, text: JSON.stringify({ Items: page, Count: page.length, LastEvaluatedKey: next }) }
  })

/** Answers each Query as the first one, like an index that lags. */
function laggingIndex() {
  let first
  return changedResponse((response) => (first ??= response))
}

/** The options with which a store creates a missing table. */
const creating = ({ name }) => (name === 'dynamodb-session' ? { createTable: true } : {})

describe('createTable with the option user creates the index', () => {
  const create = {
    'dynamodb-session': (place, options) => native.create(place, options).createTable(),
    'dynamodb-session/connect-dynamodb': (place, options) => entries[1].create(place, options).createTable(),
    'dynamodb-session/dynamodb-store': (place, options, capacity) => {
      const store = entries[2].create(place, { ...options, table: { name: place.table, ...capacity } })
      return store.createTableIfDontExists()
    },
    'dynamodb-session/pwrdrvr-dynamodb-session-store': async ({ connection, table }, options, capacity) => {
      const { DynamoDBStore } = entries[3].load()
      const { readCapacityUnits: ReadCapacityUnits, writeCapacityUnits: WriteCapacityUnits } = capacity ?? {}
      const createTableOptions = capacity ? { ProvisionedThroughput: { ReadCapacityUnits, WriteCapacityUnits } } : {}
      await DynamoDBStore.create({ ...connection, tableName: table, ...options, createTableOptions })
    }
  }
  for (const { name, create: createStore } of entries.slice(4)) {
    create[name] = ({ connection, table }, options, capacity) =>
      createStore(
        { connection, table },
        { ...options, table: { name: table, useTtlExpired: false, ...capacity } }
      ).createTableIfDontExists()
  }
  test('the cases cover every entry point', () =>
    assert.deepEqual(
      Object.keys(create),
      entries.map(({ name }) => name)
    ))

  for (const { name, schema } of entries) {
    for (const [attribute, capacity] of [
      ['user'],
      ['owner'],
      ['user', { readCapacityUnits: 4, writeCapacityUnits: 3 }]
    ]) {
      const isOnlyWithTimeToLive = name.includes('pwrdrvr')
      const needed = [...(capacity ? ['provisioned'] : []), ...(isOnlyWithTimeToLive ? ['timeToLive'] : [])]
      const title = `in ${name}, on the attribute ${attribute}${capacity ? ', with provisioned capacity' : ''}`
      test(title, needs(...needed), async () => {
        const table = dynamodb.newTableName()
        const isNative = name === native.name
        const own = { ttl: false, ...capacity }
        const options = {
          user: 'userId',
          attributes: { user: attribute },
          ...(isNative ? { createTable: own } : name.endsWith('connect-dynamodb') ? capacity : {})
        }
        await create[name]({ connection: dynamodb.connection, table }, options, capacity)
        const { Table } = await dynamodb.raw.sdk.describeTable({ TableName: table })
        assert.deepEqual(
          Object.values(schema),
          Table.KeySchema.map(({ AttributeName }) => AttributeName)
        )
        const [index, ...others] = Table.GlobalSecondaryIndexes
        assert.deepEqual(others, [])
        assert.equal(index.IndexName, `${attribute}-index`)
        assert.deepEqual(index.KeySchema, [{ AttributeName: attribute, KeyType: 'HASH' }])
        assert.deepEqual(index.Projection, { ProjectionType: 'KEYS_ONLY' })
        const { AttributeType } = Table.AttributeDefinitions.find(({ AttributeName }) => AttributeName === attribute)
        assert.equal(AttributeType, 'S')
        if (capacity === undefined) return
        for (const { ProvisionedThroughput } of [Table, index]) {
          const { ReadCapacityUnits, WriteCapacityUnits } = ProvisionedThroughput
          assert.deepEqual([ReadCapacityUnits, WriteCapacityUnits], [4, 3])
        }
      })
    }
  }

  test('an existing table without the index is not modified', async () => {
    const table = await dynamodb.newTable()
    const store = dynamodb.store({ table, user: 'userId', createTable: { ttl: false } })
    await store.createTable()
    const { Table } = await dynamodb.raw.sdk.describeTable({ TableName: table })
    assert.equal(Table.GlobalSecondaryIndexes, undefined)
    const [sid] = await logIn(store, 'ann')
    assert.equal((await store.get(sid)).userId, 'ann')
    for (const method of ['idsOf', 'destroyAllOf']) {
      const error = await failure(store, method, 'ann')
      assertOperationError(error, {
        code: 'ValidationException',
        operation: 'Query',
        tableName: table,
        retryable: false
      })
      assert.match(error.message, /index/)
      assert.match(error.message, /user-index/)
      assert.match(error.message, /npx dynamodb-session init .*--user-index/)
    }
  })

  for (const method of ['idsOf', 'destroyAllOf']) {
    test(`${method} creates a missing table, as other operations do`, needs('provisioned'), async (t) => {
      const table = dynamodb.newTableName()
      for (const entry of [native, entries[1], entries[2]]) {
        const { store } = await openEntry(t, dynamodb, entry, { user: 'userId', ...creating(entry) }, table)
        const found = await store[method]('ann')
        assert.deepEqual(found, method === 'idsOf' ? [] : 0)
        await dynamodb.raw.deleteTable(table)
      }
    })
  }

  test('a missing table is reported as such', async () => {
    const table = dynamodb.newTableName()
    const error = await failure(dynamodb.store({ table, user: 'userId' }), 'idsOf', 'ann')
    assertOperationError(error, { code: 'ResourceNotFoundException', operation: 'Query', tableName: table })
  })
})

describe('the index', () => {
  test('gets no write from a touch, or from a save that does not change the user', needs('proxy'), async (t) => {
    const { store, proxy, read } = await openBehindProxy(t, { touchAfter: 0 })
    const [sid] = await logIn(store, 'ann')
    const before = await read(sid)
    proxy.reset()
    const request = await openRequest(store, sid)
    await request.touch()
    request.session.a = 1
    await request.save()
    assert.deepEqual(proxy.operations, ['GetItem', 'UpdateItem', 'PutItem'])
    const [touch] = proxy.sent('UpdateItem')
    assert.deepEqual(Object.values(touch.ExpressionAttributeNames).sort(), ['expires', 'id'])
    // The index contains the keys and the user, which are the same.
    const after = await read(sid)
    assert.deepEqual([after.id, after.user], [before.id, before.user])
  })

  test('has the user of a merged session', async (t) => {
    const { store, read } = await open(t)
    const [sid] = await logIn(store, 'ann')
    const [one, two] = [await openRequest(store, sid), await openRequest(store, sid)]
    one.session.userId = 'bob'
    await one.save()
    two.session.a = 1
    await two.save()
    assert.deepEqual((await read(sid)).user, { S: 'bob' })
    await assertSessionsOf(store, 'bob', [sid])
  })

  test('keeps the users of different prefixes apart', async (t) => {
    const { store, create } = await open(t, { prefix: 'a:' })
    const other = create({ prefix: 'b:' })
    const [mine, theirs] = [await logIn(store, 'ann', 3), await logIn(other, 'ann', 2)]
    await assertSessionsOf(store, 'ann', mine)
    await assertSessionsOf(other, 'ann', theirs)
    assert.equal(await store.destroyAllOf('ann'), 3)
    await assertSessionsOf(other, 'ann', theirs)
  })

  test('works with hashed IDs, which are stored IDs in results, and either form in except', async (t) => {
    const { store } = await open(t, { hashIds: true })
    const sids = await logIn(store, 'ann', 4)
    const stored = await store.idsOf('ann')
    for (const id of stored) assert.match(id, /^h1-[\w-]{43}$/)
    assert.equal(await store.destroyAllOf('ann', { except: [...sids.slice(0, 2), 'short'] }), 2)
    const [first] = await store.idsOf('ann')
    assert.ok(stored.includes(first))
    assert.equal(await store.destroyAllOf('ann', { except: first }), 1)
    assert.deepEqual(await store.idsOf('ann'), [first])
    await store.destroy(first)
    assert.deepEqual(await store.idsOf('ann'), [])
  })

  test('is read page by page', needs('proxy'), async (t) => {
    const { store, proxy } = await openBehindProxy(t)
    const [sids, [other]] = [await logIn(store, 'ann', 300), await logIn(store, 'bob')]
    proxy.on('Query', smallPages(20))
    await assertSessionsOf(store, 'ann', sids)
    assert.equal(proxy.sent('Query').length, 15)
    const kept = sids.slice(0, 5)
    assert.equal(await store.destroyAllOf('ann', { except: kept }), 295)
    await assertSessionsOf(store, 'ann', kept)
    await assertSessionsOf(store, 'bob', [other])
  })

  test('is read page by page as the service pages it', needs('thousands'), async (t) => {
    const user = 'u'.repeat(2048)
    const { store, proxy } = await openBehindProxy(t)
    const sids = await logIn(store, user, 600)
    proxy.reset()
    await assertSessionsOf(store, user, sids)
    assert.ok(proxy.sent('Query').length > 1)
    assert.equal(await store.destroyAllOf(user), 600)
  })

  test(
    'may lag: destroyAllOf waits until it shows no deleted session, and counts each only once',
    needs('proxy'),
    async (t) => {
      const { store, proxy } = await openBehindProxy(t)
      await logIn(store, 'ann', 5)
      proxy.reset()
      proxy.on('Query', laggingIndex(), 3)
      assert.equal(await store.destroyAllOf('ann'), 5)
      assert.equal(proxy.sent('Query').length, 4)
    }
  )

  test('a session that is saved again while destroyAllOf runs is deleted again', needs('proxy'), async (t) => {
    const { store, proxy, table } = await openBehindProxy(t)
    const [sid] = await logIn(store, 'ann')
    const item = await dynamodb.item(sid, { table })
    proxy.on(
      'DeleteItem',
      changedResponse(async (response) => {
        await dynamodb.raw.putItem(table, item)
        return response
      }),
      1
    )
    assert.equal(await store.destroyAllOf('ann'), 2)
    assert.equal(await exists(store, sid), false)
  })

  test('may lag: idsOf lists a session once that the index shows under two keys', needs('proxy'), async (t) => {
    const { store, proxy } = await openBehindProxy(t, { encryption: { keys: [newKey('new'), newKey('old')] } })
    const sids = await logIn(store, 'ann', 2)
    proxy.on('Query', laggingIndex(), 2)
    await assertSessionsOf(store, 'ann', sids)
    assert.equal(proxy.sent('Query').length, 2)
  })

  test('may lag: destroyAllOf ends a session that the index shows later', needs('proxy'), async (t) => {
    const { store, proxy } = await openBehindProxy(t)
    const lag = laggingIndex()
    await logIn(store, 'ann', 2)
    proxy.on('Query', lag, 2)
    assert.equal((await store.idsOf('ann')).length, 2)
    const [newest] = await logIn(store, 'ann')
    assert.equal(await store.destroyAllOf('ann'), 3)
    assert.equal(await exists(store, newest), false)
    assert.deepEqual(await store.idsOf('ann'), [])
  })

  test(
    'may lag for longer than timeout: destroyAllOf fails in time, and can be repeated',
    needs('proxy'),
    async (t) => {
      const { store, proxy } = await openBehindProxy(t, { timeout: 700, attemptTimeout: 500, connectTimeout: 300 })
      const sids = await logIn(store, 'ann', 2)
      proxy.on('Query', laggingIndex())
      const error = await settlesWithin(700, () => store.destroyAllOf('ann').catch((error) => error))
      assertStoreError(error, { code: 'TimeoutError', operation: 'DeleteItem', retryable: true })
      assert.match(error.message, /: the index still shows sessions of the user after 700ms$/)
      for (const sid of sids) assert.equal(await exists(store, sid), false)
      proxy.reset()
      assert.equal(await store.destroyAllOf('ann'), 0)
    }
  )

  test('may lag: a session whose user has changed in the meantime stays', needs('proxy'), async (t) => {
    const { store, create, proxy } = await openBehindProxy(t)
    const direct = create({ endpoint: undefined, ...dynamodb.connection })
    const [moved, ended] = await logIn(store, 'ann', 2)
    const changing = changedResponse(() => ({}))
    proxy.on(
      'Query',
      async (exchange) => {
        const response = await exchange.forward()
        await direct.set(moved, newSession({ userId: 'bob' }))
        await changing({ ...exchange, forward: async () => response })
      },
      1
    )
    assert.equal(await store.destroyAllOf('ann'), 1)
    assert.equal(await exists(store, ended), false)
    await assertSessionsOf(store, 'bob', [moved])
  })

  test('destroyAllOf counts a session whose delete was answered late', needs('proxy'), async (t) => {
    const { store, proxy } = await openBehindProxy(t)
    await logIn(store, 'ann', 3)
    proxy.on('DeleteItem', loseResponse(errorResponse(500, 'InternalServerError')), 2)
    assert.equal(await store.destroyAllOf('ann'), 3)
  })

  test('destroyAllOf fails if a delete fails', needs('proxy'), async (t) => {
    const { store, proxy } = await openBehindProxy(t)
    await logIn(store, 'ann', 3)
    proxy.on('DeleteItem', errorResponse(400, 'AccessDeniedException'))
    const error = await failure(store, 'destroyAllOf', 'ann')
    assertStoreError(error, { code: 'AccessDeniedException', operation: 'DeleteItem' })
  })
})

describe('idsOf and destroyAllOf', needs('proxy'), () => {
  const faults = {
    'a request without a response': [fault.noResponse, 'TimeoutError'],
    'a connection that closes': [fault.hangUp, 'NetworkError'],
    'a response that is not HTTP': [fault.garbage, 'NetworkError'],
    'a response that is cut off': [fault.partialBody, 'NetworkError'],
    'a response with a wrong checksum': [fault.wrongChecksum, 'NetworkError'],
    'a page that is not JSON': [fault.textResponse(200, '{"Items":'), /./],
    'a page of junk': [fault.textResponse(200, '{"Items":5}'), /./],
    throttling: [errorResponse(400, 'ThrottlingException'), 'ThrottlingException'],
    'an error of the service': [errorResponse(500, 'InternalServerError'), 'InternalServerError'],
    'a denied permission': [errorResponse(400, 'AccessDeniedException'), 'AccessDeniedException']
  }
  for (const [name, [response, code]] of Object.entries(faults)) {
    for (const method of ['idsOf', 'destroyAllOf']) {
      test(`${method} fails in time after ${name}, and ends no session`, async (t) => {
        const { store, create, proxy } = await openBehindProxy(t, shortTimeouts)
        const other = create(dynamodb.connection)
        const sids = await logIn(store, 'ann', 2)
        proxy.on('Query', response)
        const { error } = await callDuringFault({ proxy, store }, method, 'ann')
        assertStoreError(error, { code, operation: 'Query', secrets: ['ann', ...sids] })
        await assertSessionsOf(other, 'ann', sids)
      })
    }
  }

  test('are repeated after a failed attempt', async (t) => {
    for (const response of [
      fault.hangUp,
      errorResponse(500, 'InternalServerError'),
      errorResponse(400, 'ThrottlingException')
    ]) {
      const { store, proxy } = await openBehindProxy(t)
      const sids = await logIn(store, 'ann', 2)
      proxy.on('Query', response, 1)
      await assertSessionsOf(store, 'ann', sids)
      proxy.on('Query', response, 1).on('DeleteItem', response, 1)
      assert.equal(await store.destroyAllOf('ann'), 2)
    }
  })

  test('finish before the store closes, and fail with ClosedError later', async (t) => {
    const { store, proxy } = await openBehindProxy(t)
    await logIn(store, 'ann', 3)
    proxy.on('Query', fault.delayed(50))
    const [finding, ending] = [store.idsOf('ann'), store.destroyAllOf('ann')]
    await store.close()
    assert.equal((await finding).length, 3)
    assert.equal(await ending, 3)
    for (const method of ['idsOf', 'destroyAllOf']) {
      assertStoreError(await failure(store, method, 'ann'), { code: 'ClosedError' })
    }
  })
})
