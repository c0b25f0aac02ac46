'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const express = require('express')
const session = require('express-session')
const { collectEvents } = require('../support/calls')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { delayed, errorResponse, hangUp, noResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { Browser } = require('../support/browser')
const { newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

async function startProxied(options) {
  const proxy = await dynamodb.proxy()
  const store = dynamodb.store({ endpoint: proxy.endpoint, maxAttempts: 1, ...options })
  return { proxy, store, disconnects: collectEvents(store, 'disconnect'), connects: collectEvents(store, 'connect') }
}

const fails = (store) => assert.rejects(store.get(newSid()))

/** An app that counts the visits of a session, and responds without one too. */
async function startApp(t, store) {
  const app = express()
  app.use(session({ store, secret: 'secret of the test', resave: false, saveUninitialized: false }))
  app.get('/', (req, res) => {
    if (req.session === undefined) return res.json('no session')
    req.session.views = (req.session.views ?? 0) + 1
    return res.json(req.session.views)
  })
  app.use((error, _req, res, _next) => res.status(500).json(error.code))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return new Browser(`http://127.0.0.1:${server.address().port}`)
}

describe('the option offlineAfter', needs('proxy'), () => {
  test('lets an app continue without sessions, and with them once the service is reachable again', async (t) => {
    const { proxy, store } = await startProxied({ offlineAfter: 3 })
    const browser = await startApp(t, store)
    const bodies = async (count) => {
      const found = []
      for (let i = 0; i < count; i++) found.push((await browser.get('/')).body)
      return found
    }
    assert.deepEqual(await bodies(2), [1, 2])
    proxy.on('*', hangUp)
    assert.deepEqual(await bodies(5), ['NetworkError', 'NetworkError', 'NetworkError', 'no session', 'no session'])
    proxy.reset()
    await once(store, 'connect')
    assert.deepEqual(await bodies(1), [3])
  })

  test('makes a store emit disconnect and connect once, whatever the number of operations', async () => {
    const { proxy, store, disconnects, connects } = await startProxied({ offlineAfter: 2 })
    proxy.on('*', hangUp)
    await Promise.all(Array.from({ length: 10 }, () => fails(store)))
    await fails(store)
    assert.equal(disconnects.length, 1)
    proxy.reset()
    await store.get(newSid())
    await store.get(newSid())
    assert.deepEqual(
      [disconnects.length, connects.length],
      [1, 1],
      'an operation that succeeds has the effect of a probe'
    )
  })

  test('counts only consecutive failures', async () => {
    const { proxy, store, disconnects } = await startProxied({ offlineAfter: 3 })
    for (let i = 0; i < 3; i++) {
      proxy.on('*', hangUp)
      await fails(store)
      await fails(store)
      proxy.reset()
      await store.get(newSid())
    }
    assert.deepEqual(disconnects, [])
  })

  test('counts timeouts as failures', async () => {
    const { proxy, store } = await startProxied({ offlineAfter: 2, timeout: 100 })
    proxy.on('*', noResponse)
    const disconnected = once(store, 'disconnect')
    await fails(store)
    await fails(store)
    await disconnected
  })

  test('does not count errors of the service, or operations that fail without a request', async () => {
    const { proxy, store, disconnects } = await startProxied({ offlineAfter: 1 })
    proxy.on('GetItem', errorResponse(503, 'ServiceUnavailable'))
    await fails(store)
    await assert.rejects(store.set(newSid(), 'not an object'))
    const credentials = () => new Promise(() => {})
    const waiting = await startProxied({ offlineAfter: 1, credentials, timeout: 100 })
    await fails(waiting.store)
    await sleep(0)
    assert.deepEqual([...disconnects, ...waiting.disconnects], [])
  })

  test('does not count operations that time out because the store is busy', async () => {
    const { proxy, store, disconnects } = await startProxied({ offlineAfter: 1, maxConnections: 1, timeout: 1000 })
    proxy.on('*', delayed(150))
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => store.get(newSid())))
    const errors = outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason)
    const unsent = errors.filter(({ $metadata }) => $metadata.attempts === 0)
    assert.ok(unsent.length >= errors.length - 1 && errors.length > 10, `${unsent.length} of ${errors.length}`)
    for (const { code, message } of unsent) {
      assert.equal(code, 'TimeoutError')
      assert.match(message, /no free connection within 1s; maxConnections is 1$/)
    }
    await sleep(0)
    assert.deepEqual(disconnects, [])
  })

  test('sends probes until one gets a response, even an error response', async () => {
    const { proxy, store, connects } = await startProxied({ offlineAfter: 1 })
    proxy.on('*', hangUp, 2)
    proxy.on('*', errorResponse(400, 'AccessDeniedException'))
    await fails(store)
    await once(store, 'connect')
    assert.deepEqual(proxy.operations, ['GetItem', 'GetItem', 'GetItem'])
    assert.equal(connects.length, 1)
    assert.deepEqual(store.stats().operations, { GetItem: 1 }, 'stats() does not count probes')
  })

  for (const { name, create } of entries) {
    test(`works in ${name}`, async () => {
      const proxy = await dynamodb.proxy()
      proxy.on('*', hangUp)
      const connection = { ...dynamodb.connection, endpoint: proxy.endpoint }
      const store = create({ connection, table: dynamodb.table }, { maxAttempts: 1, offlineAfter: 1 })
      const disconnected = once(store, 'disconnect')
      await assert.rejects(Promise.resolve(store.get(newSid())))
      await disconnected
      const connected = once(store, 'connect')
      proxy.reset()
      await connected
    })
  }

  test('emits no events if it is not set', async () => {
    const { proxy, store, disconnects } = await startProxied({})
    proxy.on('*', hangUp)
    for (let i = 0; i < 20; i++) await fails(store)
    assert.deepEqual(disconnects, [])
  })

  test('sends no probe after close()', async () => {
    const { proxy, store } = await startProxied({ offlineAfter: 1 })
    proxy.on('*', hangUp)
    await fails(store)
    await store.close()
    const sent = proxy.requests.length
    // Longer than the first delay between probes.
    await sleep(700)
    assert.equal(proxy.requests.length, sent)
  })

  test('sends probes that do not keep the process alive', async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', hangUp, 1).on('*', noResponse)
    // The timeout is longer than the first delay, so that the process exits during the probe. A timer of the store that
    // keeps the process alive would be listed.
    const script = `
      const store = new DynamoDBStore({ ...options, offlineAfter: 1, maxAttempts: 1 })
      store.get('x').catch(() => {
        console.log(process.getActiveResourcesInfo().includes('Timeout'))
        setTimeout(() => {}, 700)
      })
    `
    const options = dynamodb.options({ endpoint: proxy.endpoint })
    const { code, stdout, sinceFirstOutput } = await runScript(script, { options })
    assert.deepEqual([code, stdout], [0, 'false\n'])
    assert.ok(sinceFirstOutput < 1700, `it took ${sinceFirstOutput} ms to exit`)
    assert.equal(proxy.requests.length, 2, 'a probe was in progress')
  })
})
