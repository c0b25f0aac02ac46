'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callBothWays, callDuringFault, shortTimeouts } = require('../support/calls')
const { App } = require('../support/app')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, assertStoreError } = require('../support/errors')
const { endlessResponse, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()
const MB = 1024 * 1024

describe('the size limit of items', () => {
  const sid = newSid()
  const attributes = ['id', `sess:${sid}`, 'type', 'connect-session', 'sess', 'expires'].join('').length

  /** Makes the expiry a number of one significant digit, 2,000,000,000, which takes two bytes. */
  const ttl = () => 1_999_999_999.5 - Date.now() / 1000
  const overhead = attributes + 2 + JSON.stringify({ text: '' }).length
  const sessionOf = (bytes) => ({ text: 'x'.repeat(bytes - overhead) })

  test('an item of 400 KB is stored, and one more byte causes a ValidationException', async () => {
    const store = dynamodb.store({ ttl })
    const largest = sessionOf(400 * 1024)
    await store.set(sid, largest)
    assert.deepEqual(await store.get(sid), largest)
    const { error } = await callBothWays(store, 'set', sid, sessionOf(400 * 1024 + 1))
    assertStoreError(error, { code: 'ValidationException', operation: 'PutItem', secrets: ['xxxx', sid] })
    assert.deepEqual(await store.get(sid), largest, 'the stored session does not change')
    await store.destroy(sid)
  })
})

describe('an extreme expiry', () => {
  const cases = {
    'the largest number': ['9'.repeat(38), true],
    'a number beyond 64 bits': [`1${'0'.repeat(30)}`, true],
    'a time in milliseconds': [`${Date.now() + 60_000}`, true],
    'the year 9999': ['253402300799', true],
    'one second': ['1', false],
    'the smallest number': [`-${'9'.repeat(38)}`, false],
    'a tiny fraction': ['0.0000000001', false]
  }
  for (const [name, [number, alive]] of Object.entries(cases)) {
    test(`${name} counts as ${alive ? 'not expired' : 'expired'} in get, touch, and length`, async () => {
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

describe('items of other programs', () => {
  test('are not sessions, and their attributes in the item of a session are ignored', async () => {
    const store = dynamodb.store()
    const sid = newSid()
    await dynamodb.putItem(sid, { order: { N: '5' }, lines: { L: [{ M: {} }] } })
    assert.deepEqual(await callBothWays(store, 'get', sid), { value: null })
    await dynamodb.putItem(sid, { sess: { S: '{"user":"Ann"}' }, order: { N: '5' }, bytes: { B: Buffer.from('b') } })
    assert.deepEqual(await callBothWays(store, 'get', sid), { value: { user: 'Ann' } })
  })
})

describe('an invalid response to get', { concurrency: true, ...needs('proxy') }, () => {
  for (const text of [
    '{"Item":{"sess":{"S":5}}}',
    '{"Item":{"sess":{"X":"y"}}}',
    '{"Item":[]}',
    '{"Item"',
    '\0',
    '"'
  ]) {
    test(`${JSON.stringify(text)} results in an error or no session, and the next operation succeeds`, async () => {
      const proxy = await dynamodb.proxy()
      const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
      proxy.on('*', textResponse(200, text))
      const { error, value } = await callDuringFault({ proxy, store }, 'get', newSid())
      if (error) assertOperationError(error, { code: /Error$/, operation: 'GetItem', tableName: dynamodb.table })
      else assert.equal(value, null)
    })
  }

  test('100,000 nested levels result in an error or no session, without a crash', async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
    const [open, end] = ['{"M":{"a":', '}}'].map((part) => part.repeat(100_000))
    proxy.on('*', textResponse(200, `{"Item":{"sess":${open}{"S":""}${end}}}`))
    const { error, value } = await callDuringFault({ proxy, store }, 'get', newSid())
    assert.ok(error !== undefined || value === null)
  })
})

describe('an invalid response to a table operation', needs('proxy'), () => {
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
      test(`${status} with ${JSON.stringify(text)} makes ${method} fail with a NetworkError`, async () => {
        const proxy = await dynamodb.proxy()
        const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
        proxy.on('*', textResponse(status, text))
        const { error } = await callDuringFault({ proxy, store }, method)
        const expected = { code: 'NetworkError', operation: 'DescribeTable', tableName: dynamodb.table }
        assertOperationError(error, { ...expected, retryable: true })
        assert.match(error.message, /the response is not valid DynamoDB JSON/)
      })
    }
  }
})

describe('a response of more than 16 MB', needs('proxy'), () => {
  const responses = {
    'with a Content-Length header': ({ response }) => {
      response.writeHead(200, { 'content-length': 200 * MB })
      response.write('x'.repeat(MB))
    },
    'with chunked encoding': endlessResponse(200 * MB)
  }
  for (const [name, oversized] of Object.entries(responses)) {
    test(`${name} makes the operation fail`, async () => {
      const proxy = await dynamodb.proxy()
      const options = { ...shortTimeouts, attemptTimeout: 2000, timeout: 4000, maxAttempts: 1 }
      const store = dynamodb.store({ endpoint: proxy.endpoint, ...options })
      proxy.on('*', oversized)
      const { error } = await callDuringFault({ proxy, store, timeout: 4000 }, 'get', newSid())
      assertOperationError(error, {
        code: /^(NetworkError|TimeoutError)$/,
        operation: 'GetItem',
        tableName: dynamodb.table
      })
    })
  }

  const onLinux = process.platform === 'linux' ? {} : { skip: 'needs /proc' }
  test('is not buffered in memory', onLinux, async (t) => {
    const proxy = await dynamodb.proxy()
    const options = { ...shortTimeouts, attemptTimeout: 3000, timeout: 9000, endpoint: proxy.endpoint }
    const app = await App.start(t, dynamodb.options(options))
    await app.call('get', newSid())
    const before = app.memory.peak
    proxy.on('*', endlessResponse(200 * MB))
    const { error } = await app.call('get', newSid())
    assert.match(error.message, /16 MB/)
    assert.equal(error.attempts, 3)
    assert.ok(app.memory.peak - before < 60, `${before} MB became ${app.memory.peak} MB`)
  })
})
