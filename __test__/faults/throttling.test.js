'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callDuringFault, callWithCallback, shortTimeouts } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { errorResponse, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()
const headers = { 'x-amzn-requestid': 'REQUEST-OF-THE-FAULT' }

async function proxyAndStore(options) {
  const proxy = await dynamodb.proxy()
  return { proxy, store: dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts, ...options }) }
}

/** Calls of the four session operations. */
const calls = [
  ['GetItem', 'get', newSid()],
  ['PutItem', 'set', newSid(), newSession()],
  ['UpdateItem', 'touch', newSid(), newSession()],
  ['DeleteItem', 'destroy', newSid()]
]

/** Retryable responses, and the codes of their errors. */
const retryable = [
  ...[
    'ProvisionedThroughputExceededException',
    'ThrottlingException',
    'RequestLimitExceeded',
    'TransactionConflictException'
  ].map((code) => [`400 ${code}`, code, errorResponse(400, code)]),
  ...[500, 502, 503, 504].flatMap((status) => [
    [`${status} with JSON`, 'InternalServerError', errorResponse(status, 'InternalServerError')],
    [`${status} with an HTML body`, 'ServiceUnavailable', textResponse(status, '<html>', headers)],
    [`${status} without a body`, 'ServiceUnavailable', textResponse(status, '', headers)]
  ])
]

describe('retryable errors', { concurrency: true, ...needs('proxy') }, () => {
  for (const [name, code, respond] of retryable) {
    test(`${name} is retried`, async () => {
      const { proxy, store } = await proxyAndStore()
      proxy.on('*', respond, 2)
      assert.deepEqual(await callWithCallback(store, 'set', newSid(), newSession()), { value: undefined })
      assert.equal(proxy.requests.length, 3)
    })

    test(`the operation fails with ${code} if every attempt gets ${name}`, async () => {
      const { proxy, store } = await proxyAndStore()
      proxy.on('*', respond)
      const { error } = await callDuringFault({ proxy, store }, 'set', newSid(), newSession())
      assertOperationError(error, { code, operation: 'PutItem', tableName: dynamodb.table, retryable: true })
      assert.equal(error.$metadata.attempts, 3)
      assert.equal(error.$metadata.httpStatusCode, Number(name.slice(0, 3)))
    })
  }

  test('the operation fails with the error of the last attempt', async () => {
    const { proxy, store } = await proxyAndStore()
    proxy.on('*', errorResponse(400, 'ThrottlingException'), 1).on('*', textResponse(503, ''), 1)
    proxy.on('*', errorResponse(500, 'InternalServerError'), 1)
    const { error } = await callDuringFault({ proxy, store }, 'get', newSid())
    assert.deepEqual([error.code, error.$metadata.attempts], ['InternalServerError', 3])
  })

  test('retry delays do not exceed the operation timeout', async () => {
    const { proxy, store } = await proxyAndStore({ maxAttempts: 50 })
    proxy.on('*', errorResponse(400, 'ThrottlingException'))
    const { error } = await callDuringFault({ proxy, store }, 'get', newSid())
    assert.equal(error.code, 'ThrottlingException')
    assert.ok(error.$metadata.attempts > 3 && error.$metadata.attempts < 50)
  })
})

describe('errors that are not retryable', { concurrency: true, ...needs('proxy') }, () => {
  for (const code of [
    'ValidationException',
    'AccessDeniedException',
    'ResourceNotFoundException',
    'ConditionalCheckFailedException',
    'ItemCollectionSizeLimitExceededException'
  ]) {
    test(`${code} is not retried by any operation`, async () => {
      for (const [operation, ...call] of calls) {
        const { proxy, store } = await proxyAndStore()
        proxy.on('*', errorResponse(400, code))
        const { error } = await callWithCallback(store, ...call)
        assert.equal(proxy.requests.length, 1, operation)
        // Touching a session that no longer exists is not an error.
        if (operation === 'UpdateItem' && code === 'ConditionalCheckFailedException') assert.equal(error, undefined)
        else assertOperationError(error, { code, operation, tableName: dynamodb.table, retryable: false })
        proxy.reset()
        assert.equal(await store.get(newSid()), null)
      }
    })
  }
})

describe('a service outage', needs('proxy'), () => {
  test('uses at most 100 retries, and operations succeed again afterward', async () => {
    const { proxy, store } = await proxyAndStore()
    proxy.on('*', textResponse(500, ''))
    const operations = 400
    for (let batch = 0; batch < operations / 50; batch++) {
      const results = await Promise.all(Array.from({ length: 50 }, () => callWithCallback(store, 'get', newSid())))
      for (const { error } of results) assert.equal(error.code, 'ServiceUnavailable')
    }
    assert.equal(proxy.requests.length, operations + 100)
    proxy.reset()
    for (let i = 0; i < 10; i++) assert.equal(await store.get(newSid()), null)
    // The successful operations have refilled the retry budget.
    proxy.on('*', textResponse(500, ''), 1)
    assert.equal(await store.get(newSid()), null)
  })
})
