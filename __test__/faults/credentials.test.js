'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError } = require('../support/errors')
const { errorResponse, passThrough } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')
const { callDuringFault, eventually, shortTimeouts } = require('../support/calls')

const dynamodb = useDynamoDB()
const keys = (id, more) => ({ accessKeyId: id, secretAccessKey: `secret of ${id}`, ...more })
const never = () => new Promise(() => {})

/** The access key ID that signed a request. */
const signerOf = ({ headers }) => headers.authorization.match(/Credential=([^/]+)/)[1]

async function proxyAndStore(credentials, options = shortTimeouts) {
  const proxy = await dynamodb.proxy()
  const given = { endpoint: proxy.endpoint, region: 'us-east-1', credentials, ...options }
  return { proxy, store: dynamodb.store(given) }
}

/** Rejects requests that are not signed with one of the valid keys. */
function validFor(valid, code) {
  return (exchange) => {
    const respond = valid.has(signerOf(exchange.request)) ? passThrough : errorResponse(400, code)
    return respond(exchange)
  }
}

describe('credentials', { concurrency: true, ...needs('proxy') }, () => {
  test('credentials revoked between table-wide operations are replaced, and no operation fails', async () => {
    let latest = 1
    const valid = new Set(['KEY1'])
    const { proxy, store } = await proxyAndStore(async () => keys(`KEY${latest}`))
    proxy.on('*', validFor(valid, 'ExpiredTokenException'))
    await store.length()
    valid.clear()
    valid.add(`KEY${++latest}`)
    assert.equal(typeof (await store.length()), 'number')
  })

  test('if credentials are always rejected, the operation fails after one renewal, and the next operation renews them again', async () => {
    let calls = 0
    const { proxy, store } = await proxyAndStore(async () => keys(`KEY${++calls}`))
    proxy.on('*', errorResponse(400, 'ExpiredTokenException'))
    const { error } = await callDuringFault({ proxy, store }, 'get', newSid())
    assertOperationError(error, { code: 'ExpiredTokenException', operation: 'GetItem', tableName: dynamodb.table })
    assert.equal(error.$metadata.attempts, 2)
    assert.equal(calls, 3)
  })

  test('concurrent operations share one call of a slow provider', async () => {
    let calls = 0
    const { store } = await proxyAndStore(async () => {
      calls += 1
      await sleep(500)
      return keys('SLOW')
    })
    await Promise.all(Array.from({ length: 20 }, () => store.get(newSid())))
    assert.equal(calls, 1)
  })

  test('a provider that never settles: the operation times out with an error about credentials, and the next one calls the provider again', async () => {
    let provide = never
    const { proxy, store } = await proxyAndStore(() => provide())
    const repair = () => (provide = async () => keys('LATER'))
    const { error } = await callDuringFault({ proxy, store, repair }, 'get', newSid())
    assertOperationError(error, {
      code: /^(TimeoutError|CredentialsError)$/,
      operation: 'GetItem',
      tableName: dynamodb.table
    })
    assert.match(error.message, /credentials/)
    assert.deepEqual(proxy.requests.map(signerOf), ['LATER'])
  })

  const failing = {
    rejects: async () => Promise.reject(new Error('the vault is sealed')),
    throws: () => {
      throw new Error('the vault is sealed')
    },
    'throws undefined': () => {
      throw undefined
    },
    'returns a string': async () => 'garbage',
    'returns an object whose getter throws': async () => ({
      get accessKeyId() {
        throw new Error('thrown by the getter')
      }
    })
  }
  for (const [name, provider] of Object.entries(failing)) {
    test(`a provider that ${name}: the operation fails at once, and the next one calls the provider again`, async () => {
      let provide = provider
      const { proxy, store } = await proxyAndStore(() => provide())
      const repair = () => (provide = async () => keys('LATER'))
      const { error } = await callDuringFault({ proxy, store, repair, timeout: 500 }, 'get', newSid())
      assertOperationError(error, { code: 'CredentialsError', operation: 'GetItem', tableName: dynamodb.table })
      assert.equal(error.$metadata.attempts, 0)
    })
  }

  test('a provider that fails while the current credentials are valid causes no failures', async () => {
    let calls = 0
    const { store } = await proxyAndStore(async () => {
      if (++calls > 1) throw new Error('the vault is sealed')
      return keys('FIRST', { expiration: new Date(Date.now() + 5000) })
    })
    await store.get(newSid())
    await sleep(4600)
    assert.equal(await store.get(newSid()), null)
    assert.equal(calls, 2)
  })
})

describe('credentials under load', needs('proxy'), () => {
  for (const code of ['ExpiredTokenException', 'UnrecognizedClientException', 'InvalidClientTokenId']) {
    test(`credentials revoked with ${code} are replaced, and no operation fails`, async () => {
      let latest = 1
      const valid = new Set(['KEY1'])
      const { proxy, store } = await proxyAndStore(async () => keys(`KEY${latest}`), {})
      proxy.on('*', validFor(valid, code))
      const load = async () => {
        for (let i = 0; i < 4; i++) await store.set(newSid(), newSession())
      }
      const loads = Array.from({ length: 200 }, load)
      await eventually(() => proxy.requests.length > 0)
      valid.clear()
      valid.add(`KEY${++latest}`)
      await Promise.all(loads)
      assert.deepEqual(new Set(proxy.requests.map(signerOf)), new Set(['KEY1', 'KEY2']))
    })
  }

  test('credentials that expire every 150 ms are renewed, and no operation fails', async () => {
    let calls = 0
    const { proxy, store } = await proxyAndStore(async () => {
      calls += 1
      await sleep(20)
      return keys(`KEY${calls}`, { expiration: new Date(Date.now() + 150) })
    }, {})
    const end = Date.now() + 1000
    const load = async () => {
      while (Date.now() < end) await store.set(newSid(), newSession())
    }
    await Promise.all(Array.from({ length: 20 }, load))
    assert.ok(calls >= 4, `${calls} rotations`)
    assert.ok(new Set(proxy.requests.map(signerOf)).size >= 4)
  })
})
