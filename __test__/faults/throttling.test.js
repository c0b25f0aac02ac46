'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { callWithCallback } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { errorResponse, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')
const { shortTimeouts, callDuringFault } = require('../support/call-during-fault')

const dynamodb = useDynamoDB()
const unread = { 'x-amzn-requestid': 'REQUEST-OF-THE-FAULT' }

async function proxyAndStore(options) {
  const proxy = await dynamodb.proxy()
  return { proxy, store: dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts, ...options }) }
}

/** Calls of the four operations of every day. */
const calls = [
  ['GetItem', 'get', newSid()],
  ['PutItem', 'set', newSid(), newSession()],
  ['UpdateItem', 'touch', newSid(), newSession()],
  ['DeleteItem', 'destroy', newSid()]
]

/** Answers that pass, and the codes of their errors. */
const passing = [
  ...[
    'ProvisionedThroughputExceededException',
    'ThrottlingException',
    'RequestLimitExceeded',
    'TransactionConflictException'
  ].map((code) => [`400 ${code}`, code, errorResponse(400, code)]),
  ...[500, 502, 503, 504].flatMap((status) => [
    [`${status} with JSON`, 'InternalServerError', errorResponse(status, 'InternalServerError')],
    [`${status} with a page`, 'ServiceUnavailable', textResponse(status, '<html>', unread)],
    [`${status} without a body`, 'ServiceUnavailable', textResponse(status, '', unread)]
  ])
]

describe('what passes', { concurrency: true, ...needs('proxy') }, () => {
  for (const [name, code, answer] of passing) {
    test(`${name} is tried again`, async () => {
      const { proxy, store } = await proxyAndStore()
      proxy.on('*', answer, 2)
      assert.deepEqual(await callWithCallback(store, 'set', newSid(), newSession()), { value: undefined })
      assert.equal(proxy.requests.length, 3)
    })

    test(`${name} to the end is the error, with its attempts`, async () => {
      const { proxy, store } = await proxyAndStore()
      proxy.on('*', answer)
      const { error } = await callDuringFault({ proxy, store }, 'set', newSid(), newSession())
      assertOperationError(error, { code, operation: 'PutItem', tableName: dynamodb.table, retryable: true })
      assert.equal(error.$metadata.attempts, 3)
      assert.equal(error.$metadata.httpStatusCode, Number(name.slice(0, 3)))
    })
  }

  test('the last of different errors is told', async () => {
    const { proxy, store } = await proxyAndStore()
    proxy.on('*', errorResponse(400, 'ThrottlingException'), 1).on('*', textResponse(503, ''), 1)
    proxy.on('*', errorResponse(500, 'InternalServerError'), 1)
    const { error } = await callDuringFault({ proxy, store }, 'get', newSid())
    assert.deepEqual([error.code, error.$metadata.attempts], ['InternalServerError', 3])
  })

  test('pauses do not go beyond the time of the operation', async () => {
    const { proxy, store } = await proxyAndStore({ maxAttempts: 50 })
    proxy.on('*', errorResponse(400, 'ThrottlingException'))
    const { error } = await callDuringFault({ proxy, store }, 'get', newSid())
    assert.equal(error.code, 'ThrottlingException')
    assert.ok(error.$metadata.attempts > 3 && error.$metadata.attempts < 50)
  })
})

describe('what does not pass', { concurrency: true, ...needs('proxy') }, () => {
  for (const code of [
    'ValidationException',
    'AccessDeniedException',
    'ResourceNotFoundException',
    'ConditionalCheckFailedException',
    'ItemCollectionSizeLimitExceededException'
  ]) {
    test(`${code} is not tried again, by any operation`, async () => {
      for (const [operation, ...call] of calls) {
        const { proxy, store } = await proxyAndStore()
        proxy.on('*', errorResponse(400, code))
        const { error } = await callWithCallback(store, ...call)
        assert.equal(proxy.requests.length, 1, operation)
        // A touch of a session that is gone is no error.
        if (operation === 'UpdateItem' && code === 'ConditionalCheckFailedException') assert.equal(error, undefined)
        else assertOperationError(error, { code, operation, tableName: dynamodb.table, retryable: false })
        proxy.reset()
        assert.equal(await store.get(newSid()), null)
      }
    })
  }
})

describe('a table that is down', needs('proxy'), () => {
  test('is asked little more than once by each operation, and found again when it is back', async () => {
    const { proxy, store } = await proxyAndStore()
    proxy.on('*', textResponse(500, ''))
    const operations = 400
    for (let batch = 0; batch < operations / 50; batch++) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => callWithCallback(store, 'get', newSid())))
      for (const { error } of answers) assert.equal(error.code, 'ServiceUnavailable')
    }
    assert.equal(proxy.requests.length, operations + 100)
    proxy.reset()
    for (let i = 0; i < 10; i++) assert.equal(await store.get(newSid()), null)
    // What succeeded has earned repetitions again.
    proxy.on('*', textResponse(500, ''), 1)
    assert.equal(await store.get(newSid()), null)
  })
})
