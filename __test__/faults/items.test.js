'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callBothWays } = require('../support/calls')
const { App } = require('../support/app')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, assertStoreError } = require('../support/errors')
const { endlessResponse, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')
const { shortTimeouts, callDuringFault } = require('../support/call-during-fault')

const dynamodb = useDynamoDB()
const MB = 1024 * 1024

describe('the largest item', () => {
  const sid = newSid()
  const attributes = ['id', `sess:${sid}`, 'type', 'connect-session', 'sess', 'expires'].join('').length

  /** An expiry of one significant digit, which takes two bytes. It is rounded up. */
  const ttl = () => 1_999_999_999.5 - Date.now() / 1000
  const overhead = attributes + 2 + JSON.stringify({ text: '' }).length
  const sessionOf = (bytes) => ({ text: 'x'.repeat(bytes - overhead) })

  test('of 400 KB comes back, and one byte more is refused', async () => {
    const store = dynamodb.store({ ttl })
    const largest = sessionOf(400 * 1024)
    await store.set(sid, largest)
    assert.deepEqual(await store.get(sid), largest)
    const { error } = await callBothWays(store, 'set', sid, sessionOf(400 * 1024 + 1))
    assertStoreError(error, { code: 'ValidationException', operation: 'PutItem', secrets: ['xxxx', sid] })
    assert.deepEqual(await store.get(sid), largest, 'what is stored stays')
    await store.destroy(sid)
  })
})

describe('an expiry of strange size', () => {
  const cases = {
    'the largest number': ['9'.repeat(38), true],
    'beyond 64 bits': [`1${'0'.repeat(30)}`, true],
    'in milliseconds': [`${Date.now() + 60_000}`, true],
    'in the year 9999': ['253402300799', true],
    'one second': ['1', false],
    'the smallest number': [`-${'9'.repeat(38)}`, false],
    'almost nothing': ['0.0000000001', false]
  }
  for (const [name, [number, alive]] of Object.entries(cases)) {
    test(`${name} is ${alive ? 'alive' : 'expired'}, for get, touch and the whole table`, async () => {
      const sid = newSid()
      const prefix = `${newSid()}:`
      const store = dynamodb.store({ prefix, touchAfter: 0 })
      await dynamodb.putItem(sid, { sess: { S: '{"user":"Ann"}' }, expires: { N: number } }, { prefix })
      assert.deepEqual(await callBothWays(store, 'get', sid), { value: alive ? { user: 'Ann' } : null })
      assert.equal(await store.length(), alive ? 1 : 0)
      await store.touch(sid, newSession({}, 60_000))
      const { expires } = await dynamodb.item(sid, { prefix })
      assert.equal(Number(expires.N) < nowInSeconds() + 100 && Number(expires.N) > nowInSeconds(), alive)
    })
  }
})

describe('foreign items', () => {
  test('under the id of a session are no session, or one without what is foreign', async () => {
    const store = dynamodb.store()
    const sid = newSid()
    await dynamodb.putItem(sid, { order: { N: '5' }, lines: { L: [{ M: {} }] } })
    assert.deepEqual(await callBothWays(store, 'get', sid), { value: null })
    await dynamodb.putItem(sid, { sess: { S: '{"user":"Ann"}' }, order: { N: '5' }, bytes: { B: Buffer.from('b') } })
    assert.deepEqual(await callBothWays(store, 'get', sid), { value: { user: 'Ann' } })
  })
})

describe('an answer that is no item', { concurrency: true, ...needs('proxy') }, () => {
  for (const text of [
    '{"Item":{"sess":{"S":5}}}',
    '{"Item":{"sess":{"X":"y"}}}',
    '{"Item":[]}',
    '{"Item"',
    '\0',
    '"'
  ]) {
    test(`${JSON.stringify(text)} is an error, or no session, and nothing after it`, async () => {
      const proxy = await dynamodb.proxy()
      const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
      proxy.on('*', textResponse(200, text))
      const { error, value } = await callDuringFault({ proxy, store }, 'get', newSid())
      if (error) assertOperationError(error, { code: /Error$/, operation: 'GetItem', tableName: dynamodb.table })
      else assert.equal(value, null)
    })
  }

  test('nested 100,000 levels is an error, or no session, and no crash', async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
    const [open, end] = ['{"M":{"a":', '}}'].map((part) => part.repeat(100_000))
    proxy.on('*', textResponse(200, `{"Item":{"sess":${open}{"S":""}${end}}}`))
    const { error, value } = await callDuringFault({ proxy, store }, 'get', newSid())
    assert.ok(error !== undefined || value === null)
  })
})

describe('a response that is not one of DynamoDB, to a request about the table', needs('proxy'), () => {
  for (const [status, text] of [
    [200, ''],
    [204, ''],
    [200, '<html>Log in</html>'],
    [200, 'null'],
    [200, '[]'],
    [200, '{"Table":'],
    [200, '{}']
  ]) {
    for (const method of ['describeTable', 'createTable']) {
      test(`${method}: ${status} with ${JSON.stringify(text)} is a NetworkError`, async () => {
        const proxy = await dynamodb.proxy()
        const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
        proxy.on('*', textResponse(status, text))
        const { error } = await callDuringFault({ proxy, store }, method)
        const expected = { code: 'NetworkError', operation: 'DescribeTable', tableName: dynamodb.table }
        assertOperationError(error, { ...expected, retryable: true })
        assert.match(error.message, /the response is not what DynamoDB answers/)
      })
    }
  }
})

describe('an answer of more than 16 MB', needs('proxy'), () => {
  const giants = {
    'that says so': ({ response }) => {
      response.writeHead(200, { 'content-length': 200 * MB })
      response.write('x'.repeat(MB))
    },
    'in chunks': endlessResponse(200 * MB)
  }
  for (const [name, giant] of Object.entries(giants)) {
    test(`${name} is an error`, async () => {
      const proxy = await dynamodb.proxy()
      const options = { ...shortTimeouts, attemptTimeout: 2000, timeout: 4000, maxAttempts: 1 }
      const store = dynamodb.store({ endpoint: proxy.endpoint, ...options })
      proxy.on('*', giant)
      const { error } = await callDuringFault({ proxy, store, timeout: 4000 }, 'get', newSid())
      assertOperationError(error, {
        code: /^(NetworkError|TimeoutError)$/,
        operation: 'GetItem',
        tableName: dynamodb.table
      })
    })
  }

  const onLinux = process.platform === 'linux' ? {} : { skip: 'it looks into /proc' }
  test('is not kept in memory', onLinux, async (t) => {
    const proxy = await dynamodb.proxy()
    const options = { ...shortTimeouts, attemptTimeout: 3000, timeout: 9000, endpoint: proxy.endpoint }
    const app = await App.start(t, dynamodb.options(options))
    await app.call('get', newSid())
    const before = app.memory.most
    proxy.on('*', endlessResponse(200 * MB))
    const { error } = await app.call('get', newSid())
    assert.match(error.message, /16 MB/)
    assert.equal(error.attempts, 3)
    assert.ok(app.memory.most - before < 60, `${before} MB became ${app.memory.most} MB`)
  })
})
