'use strict'

const assert = require('node:assert/strict')
const { after, before, describe, test } = require('node:test')
const { callWithCallback } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, assertStoreError } = require('../support/errors')
const fault = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')
const { createAuthority } = require('../support/tls')
const { shortTimeouts, settlesWithin, callDuringFault } = require('../support/call-during-fault')

const dynamodb = useDynamoDB()
let authority
let certificate

before(async () => {
  authority = await createAuthority()
  certificate = await authority.issue()
  process.env.AWS_CA_BUNDLE = authority.file
})
after(() => authority.remove())

const onRequest = (given) => (proxy, times) => proxy.on('*', given, times)
const onConnection = (given) => (proxy, times) => proxy.onConnection(given, times)

/** The faults, and the code of the error of those that do not end. */
const faults = {
  'a connection closed at once': [onConnection(fault.closeAtOnce), 'NetworkError'],
  'a connection closed before the request is read': [onConnection(fault.closeUnread), 'NetworkError'],
  'a connection accepted and never answered': [onConnection(fault.neverRespond), 'TimeoutError'],
  'a connection closed after the request is read': [onRequest(fault.hangUp), 'NetworkError'],
  'a connection closed when the work is done': [onRequest(fault.loseResponse(fault.hangUp)), 'NetworkError'],
  'a connection closed in the head of the answer': [onRequest(fault.partialHead), 'NetworkError'],
  'a connection closed in the body of the answer': [onRequest(fault.partialBody), 'NetworkError'],
  'an answer that never comes': [onRequest(fault.noResponse), 'TimeoutError'],
  'an answer that comes too late': [onRequest(fault.delayed(60_000)), 'TimeoutError'],
  'an answer that stalls in its body': [onRequest(fault.stalledBody), 'TimeoutError'],
  'an answer of one byte a second': [onRequest(fault.trickle), 'TimeoutError'],
  'an answer that is no HTTP': [onRequest(fault.garbage), 'NetworkError'],
  'an answer with a wrong x-amz-crc32': [onRequest(fault.wrongChecksum), 'NetworkError']
}

for (const scheme of ['http', 'https']) {
  describe(`over ${scheme}`, { concurrency: true, ...needs('proxy') }, () => {
    async function proxyAndStore(options) {
      const proxy = await dynamodb.proxy(scheme === 'https' ? { certificate } : {})
      return { proxy, store: dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts, ...options }) }
    }

    for (const [name, [inject, code]] of Object.entries(faults)) {
      test(`${name}, once, is no error`, async () => {
        const { proxy, store } = await proxyAndStore()
        inject(proxy, 1)
        const { error } = await callDuringFault({ proxy, store }, 'set', newSid(), newSession())
        assert.equal(error, undefined)
      })

      test(`${name}, again and again, is an error in time`, async () => {
        const { proxy, store } = await proxyAndStore()
        inject(proxy, Infinity)
        const { error } = await callDuringFault({ proxy, store }, 'set', newSid(), newSession())
        assertOperationError(error, { code, operation: 'PutItem', tableName: dynamodb.table, retryable: true })
        assert.ok(error.$metadata.attempts >= 1 && error.$metadata.attempts <= 3)
      })
    }

    test('a server that refuses connections is an error in time, and is found again', async () => {
      const { proxy, store } = await proxyAndStore()
      await store.get(newSid())
      await proxy.refuse()
      const { error } = await callDuringFault({ proxy, store, repair: () => proxy.listen() }, 'get', newSid())
      assertOperationError(error, { code: 'NetworkError', operation: 'GetItem', tableName: dynamodb.table })
      assert.equal(error.$metadata.attempts, 3)
    })

    test('a delay within the bounds is only a delay', async () => {
      const { proxy, store } = await proxyAndStore()
      proxy.on('*', fault.delayed(100))
      assert.deepEqual(await callDuringFault({ proxy, store }, 'get', newSid()), { value: null })
      assert.equal(proxy.connectionsMade, 1)
    })
  })
}

describe('the methods of the whole table', needs('proxy'), () => {
  test('are errors in time too', async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
    proxy.on('*', fault.noResponse)
    const methods = ['all', 'ids', 'length', 'clear', 'describeTable', 'createTable']
    const answers = () => Promise.all(methods.map((method) => callWithCallback(store, method)))
    for (const { error } of await settlesWithin(shortTimeouts.timeout, answers)) {
      assertStoreError(error, { code: 'TimeoutError', retryable: true })
    }
  })
})
