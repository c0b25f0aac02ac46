'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const { describe, test } = require('node:test')
const { callWithCallback } = require('../support/calls')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { assertStoreError } = require('../support/errors')
const { delayed, noResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { panickingAddon } = require('../support/panicking-addon')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** Runs a script that must print nothing to stderr, and returns its output, parsed as JSON. */
async function run(script, options, settings) {
  const { code, signal, stdout, stderr } = await runScript(script, { options: dynamodb.options(options), ...settings })
  assert.deepEqual([code, signal, stderr], [0, null, ''])
  return JSON.parse(stdout)
}

describe('arguments of the wrong type', () => {
  const values = [undefined, null, 0, NaN, '', 'text', true, Symbol('s'), 5n, {}, [], () => {}, new Map()]

  test('every call settles, without throwing or crashing', async () => {
    const store = dynamodb.store()
    const results = []
    for (const method of ['get', 'set', 'touch', 'destroy']) {
      for (const sid of values) {
        for (const session of values) results.push(callWithCallback(store, method, sid, session))
      }
    }
    for (const { error } of await Promise.all(results)) {
      if (error) assertStoreError(error, { code: /^(InvalidSessionIdError|SerializationError)$/ })
    }
    for (const sid of ['text', 'true']) await store.destroy(sid)
    assert.equal(await store.get(newSid()), null)
  })

  test('calls without arguments fail with InvalidSessionIdError', async () => {
    const store = dynamodb.store()
    for (const method of ['get', 'set', 'touch', 'destroy']) {
      await assert.rejects(store[method](), { code: 'InvalidSessionIdError' })
    }
  })
})

describe('a discarded node:vm context', needs('proxy'), () => {
  test('operations in progress complete, and the store keeps working', async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', delayed(200), 50)
    const script = `
      const vm = require('node:vm')
      const { setTimeout: sleep } = require('node:timers/promises')
      const store = new DynamoDBStore(options)
      const results = []
      function inContext() {
        const context = vm.createContext({ store, results })
        const code = 'for (let i = 0; i < 50; i++) store.get("sid" + i, (error, value) => results.push(value))'
        vm.runInContext(code, context)
      }
      async function main() {
        inContext()
        for (let i = 0; i < 10; i++) {
          globalThis.gc()
          await sleep(10)
        }
        while (results.length < 50) await sleep(10)
        console.log(JSON.stringify([new Set(results).size, await store.get('x')]))
      }
      main()
    `
    const result = await run(
      `require('node:v8').setFlagsFromString('--expose-gc');
      globalThis.gc = require('node:vm').runInNewContext('gc');${script}`,
      { endpoint: proxy.endpoint }
    )
    assert.deepEqual(result, [1, null])
  })
})

describe('a killed process', needs('proxy'), () => {
  test('leaves each session stored whole, although writes were in progress', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      let done = 0
      const again = (i) => store.set('killed' + i, { cookie: {}, text: 'x'.repeat(10000), end: true }, () => {
        if (++done === 200) process.kill(process.pid, 'SIGKILL')
        again(i)
      })
      for (let i = 0; i < 20; i++) again(i)
    `
    const { signal } = await runScript(script, { options: dynamodb.options() })
    assert.equal(signal, 'SIGKILL')
    const store = dynamodb.store()
    for (let i = 0; i < 20; i++) assert.equal((await store.get(`killed${i}`))?.end, true)
  })
})

describe('close()', needs('proxy'), () => {
  test('completes the operations in progress, and later calls fail with ClosedError', async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', delayed(100))
    const store = dynamodb.store({ endpoint: proxy.endpoint, maxConnections: 5 })
    const results = Array.from({ length: 20 }, () => callWithCallback(store, 'set', newSid(), newSession()))
    const closing = store.close()
    const late = callWithCallback(store, 'set', newSid(), newSession())
    for (const result of await Promise.all(results)) assert.deepEqual(result, { value: undefined })
    assertStoreError((await late).error, { code: 'ClosedError', operation: 'PutItem' })
    await closing
  })

  test('operations without a response fail within the timeout', async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', noResponse)
    const store = dynamodb.store({ endpoint: proxy.endpoint, timeout: 500 })
    const result = callWithCallback(store, 'get', newSid())
    await store.close()
    assert.equal((await result).error.code, 'TimeoutError')
  })
})

const needsPanickingAddon = {
  skip: fs.existsSync(panickingAddon) ? false : 'run `npm run build:panicking` to build the addon that panics'
}

test('a panic in Rust causes only its own operation to fail', needsPanickingAddon, async () => {
  const script = `
    const { readOptions } = require(process.env.DYNAMODB_SESSION + '/lib/options.js')
    const { Sessions } = require(process.env.DYNAMODB_SESSION + '/lib/sessions.js')
    const sessions = new Sessions(readOptions(options), () => {})
    const panic = () => sessions.request('Panic', {}).then(() => 'no error', ({ code, message }) => code + ': ' + message)
    async function main() {
      const single = await panic()
      const concurrent = Array.from({ length: 50 }, (_, i) => (i % 2 ? panic() : sessions.get('nobody')))
      console.log(JSON.stringify([single, ...new Set(await Promise.all(concurrent)), await sessions.get('nobody')]))
    }
    main()
  `
  const settings = { env: { NAPI_RS_NATIVE_LIBRARY_PATH: panickingAddon }, options: dynamodb.options() }
  const { code, stdout, stderr } = await runScript(script, settings)
  const failed = `InternalError: Panic on table "${dynamodb.table}": the addon panicked`
  assert.deepEqual([code, JSON.parse(stdout)], [0, [failed, null, failed, null]])
  // Rust's panic hook prints two lines for each panic: the thread, and the message.
  assert.match(stderr, /asked for by a test/)
})
