'use strict'

const assert = require('node:assert/strict')
const { after, before, describe, test } = require('node:test')
const { callDuringFault, callWithCallback, settlesWithin, shortTimeouts } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, assertStoreError } = require('../support/errors')
const fault = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')
const { createAuthority } = require('../support/tls')

const dynamodb = useDynamoDB()
let authority
let unknownAuthority
let certificate

before(async () => {
  authority = await createAuthority()
  unknownAuthority = await createAuthority()
  certificate = await authority.issue()
  process.env.AWS_CA_BUNDLE = authority.file
})
after(() => {
  authority.remove()
  unknownAuthority.remove()
})

const onRequest = (given) => (proxy, times) => proxy.on('*', given, times)
const onConnection = (given) => (proxy, times) => proxy.onConnection(given, times)

/** The faults, and the error code of an operation that always meets them. */
const faults = {
  'connection closed immediately': [onConnection(fault.closeAtOnce), 'NetworkError'],
  'connection closed before the request is read': [onConnection(fault.closeUnread), 'NetworkError'],
  'connection accepted without any response': [onConnection(fault.neverRespond), 'TimeoutError'],
  'connection closed after the request is read': [onRequest(fault.hangUp), 'NetworkError'],
  'connection closed after the operation is carried out': [onRequest(fault.loseResponse(fault.hangUp)), 'NetworkError'],
  'connection closed within the response headers': [onRequest(fault.partialHead), 'NetworkError'],
  'connection closed within the response body': [onRequest(fault.partialBody), 'NetworkError'],
  'no response': [onRequest(fault.noResponse), 'TimeoutError'],
  'response after the timeout': [onRequest(fault.delayed(60_000)), 'TimeoutError'],
  'response that stalls within its body': [onRequest(fault.stalledBody), 'TimeoutError'],
  'response of one byte per second': [onRequest(fault.trickle), 'TimeoutError'],
  'response that is not HTTP': [onRequest(fault.garbage), 'NetworkError'],
  'response with a wrong x-amz-crc32': [onRequest(fault.wrongChecksum), 'NetworkError']
}

for (const scheme of ['http', 'https']) {
  describe(`network faults over ${scheme}`, { concurrency: true, ...needs('proxy') }, () => {
    async function proxyAndStore(options) {
      const proxy = await dynamodb.proxy(scheme === 'https' ? { certificate } : {})
      return { proxy, store: dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts, ...options }) }
    }

    for (const [name, [inject, code]] of Object.entries(faults)) {
      test(`${name}, once: the operation succeeds`, async () => {
        const { proxy, store } = await proxyAndStore()
        inject(proxy, 1)
        const { error } = await callDuringFault({ proxy, store }, 'set', newSid(), newSession())
        assert.equal(error, undefined)
      })

      test(`${name}, every time: the operation fails within its timeout`, async () => {
        const { proxy, store } = await proxyAndStore()
        inject(proxy, Infinity)
        const { error } = await callDuringFault({ proxy, store }, 'set', newSid(), newSession())
        assertOperationError(error, { code, operation: 'PutItem', tableName: dynamodb.table, retryable: true })
        assert.ok(error.$metadata.attempts >= 1 && error.$metadata.attempts <= 3)
      })
    }

    test('refused connections: the operation fails within its timeout, and the next one succeeds once the server listens again', async () => {
      const { proxy, store } = await proxyAndStore()
      await store.get(newSid())
      await proxy.refuse()
      const { error } = await callDuringFault({ proxy, store, repair: () => proxy.listen() }, 'get', newSid())
      assertOperationError(error, { code: 'NetworkError', operation: 'GetItem', tableName: dynamodb.table })
      assert.equal(error.$metadata.attempts, 3)
    })

    test('a delay shorter than the timeouts causes neither a retry nor an error', async () => {
      const { proxy, store } = await proxyAndStore()
      proxy.on('*', fault.delayed(100))
      assert.deepEqual(await callDuringFault({ proxy, store }, 'get', newSid()), { value: null })
      assert.equal(proxy.connectionsMade, 1)
    })
  })
}

describe('table-wide methods without a response', needs('proxy'), () => {
  test('fail within the timeout', async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
    proxy.on('*', fault.noResponse)
    const methods = ['all', 'ids', 'length', 'clear', 'describeTable', 'createTable']
    const callAll = () => Promise.all(methods.map((method) => callWithCallback(store, method)))
    for (const { error } of await settlesWithin(shortTimeouts.timeout, callAll)) {
      assertStoreError(error, { code: 'TimeoutError', retryable: true })
    }
  })
})

describe('an invalid server certificate', { concurrency: true, ...needs('proxy') }, () => {
  const day = 86_400_000
  const certificates = {
    'of an unknown certificate authority': () => unknownAuthority.issue(),
    'that has expired': () =>
      authority.issue({ notBeforeDate: new Date(Date.now() - 2 * day), notAfterDate: new Date(Date.now() - day) }),
    'that is not valid yet': () =>
      authority.issue({ notBeforeDate: new Date(Date.now() + day), notAfterDate: new Date(Date.now() + 2 * day) }),
    'for another host': () => authority.issue({ host: 'elsewhere.test' })
  }
  for (const [name, issue] of Object.entries(certificates)) {
    test(`${name} is rejected before a request is sent, and a valid one is accepted afterward`, async () => {
      const proxy = await dynamodb.proxy({ certificate: await issue() })
      const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts })
      const good = await authority.issue()
      const repair = () => {
        assert.deepEqual(proxy.requests, [])
        proxy.useCertificate(good)
      }
      const { error } = await callDuringFault({ proxy, store, repair }, 'set', newSid(), newSession())
      assertOperationError(error, { code: 'NetworkError', operation: 'PutItem', tableName: dynamodb.table })
      assert.match(error.cause.message, /certificate/i)
    })
  }
})
