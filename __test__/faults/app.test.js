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
const { panickingAddon } = require('../support/panicking')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

/** Runs a script in silence; gives what it printed as JSON. */
async function run(script, options, settings) {
  const { code, signal, stdout, stderr } = await runScript(script, { options: dynamodb.options(options), ...settings })
  assert.deepEqual([code, signal, stderr], [0, null, ''])
  return JSON.parse(stdout)
}

describe('calls of wrong types', () => {
  const values = [undefined, null, 0, NaN, '', 'text', true, Symbol('s'), 5n, {}, [], () => {}, new Map()]

  test('never throw, crash or stay without an answer', async () => {
    const store = dynamodb.store()
    const answers = []
    for (const method of ['get', 'set', 'touch', 'destroy']) {
      for (const sid of values) {
        for (const session of values) answers.push(callWithCallback(store, method, sid, session))
      }
    }
    for (const { error } of await Promise.all(answers)) {
      if (error) assertStoreError(error, { code: /^(InvalidSessionIdError|SerializationError)$/ })
    }
    for (const sid of ['text', 'true']) await store.destroy(sid)
    assert.equal(await store.get(newSid()), null)
  })

  test('without any argument are an error', async () => {
    const store = dynamodb.store()
    for (const method of ['get', 'set', 'touch', 'destroy']) {
      await assert.rejects(store[method](), { code: 'InvalidSessionIdError' })
    }
  })
})

describe('a context of node:vm', needs('proxy'), () => {
  test('that is gone with its operations under way does no harm', async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', delayed(200), 50)
    const script = `
      const vm = require('node:vm')
      const { setTimeout: sleep } = require('node:timers/promises')
      const store = new DynamoDBStore(options)
      const answered = []
      function inContext() {
        const context = vm.createContext({ store, answered })
        const code = 'for (let i = 0; i < 50; i++) store.get("sid" + i, (error, value) => answered.push(value))'
        vm.runInContext(code, context)
      }
      async function main() {
        inContext()
        for (let i = 0; i < 10; i++) {
          globalThis.gc()
          await sleep(10)
        }
        while (answered.length < 50) await sleep(10)
        console.log(JSON.stringify([new Set(answered).size, await store.get('x')]))
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

describe('a process that is killed', needs('proxy'), () => {
  test('with writes under way leaves whole sessions', async () => {
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

describe('close', needs('proxy'), () => {
  test('with operations under way and waiting answers each of them, and none after', async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', delayed(100))
    const store = dynamodb.store({ endpoint: proxy.endpoint, maxConnections: 5 })
    const answers = Array.from({ length: 20 }, () => callWithCallback(store, 'set', newSid(), newSession()))
    const closing = store.close()
    const late = callWithCallback(store, 'set', newSid(), newSession())
    for (const answer of await Promise.all(answers)) assert.deepEqual(answer, { value: undefined })
    assertStoreError((await late).error, { code: 'ClosedError', operation: 'PutItem' })
    await closing
  })

  test('with operations that are never answered ends them in time', async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', noResponse)
    const store = dynamodb.store({ endpoint: proxy.endpoint, timeout: 500 })
    const answer = callWithCallback(store, 'get', newSid())
    await store.close()
    assert.equal((await answer).error.code, 'TimeoutError')
  })
})

const built = { skip: fs.existsSync(panickingAddon) ? false : '`npm run build:panicking` makes the addon that panics' }

test('a panic in Rust fails its operation, and the store goes on', built, async () => {
  const script = `
    const { readOptions } = require(process.env.DYNAMODB_SESSION + '/lib/options.js')
    const { Sessions } = require(process.env.DYNAMODB_SESSION + '/lib/sessions.js')
    const sessions = new Sessions(readOptions(options), () => {})
    const panic = () => sessions.request('Panic', {}).then(() => 'no error', ({ code, message }) => code + ': ' + message)
    async function main() {
      const alone = await panic()
      const crowd = Array.from({ length: 50 }, (_, i) => (i % 2 ? panic() : sessions.get('nobody')))
      console.log(JSON.stringify([alone, ...new Set(await Promise.all(crowd)), await sessions.get('nobody')]))
    }
    main()
  `
  const settings = { env: { NAPI_RS_NATIVE_LIBRARY_PATH: panickingAddon }, options: dynamodb.options() }
  const { code, stdout, stderr } = await runScript(script, settings)
  const failed = `InternalError: Panic on table "${dynamodb.table}": the addon panicked`
  assert.deepEqual([code, JSON.parse(stdout)], [0, [failed, null, failed, null]])
  // The panic hook tells of each, on one line of its thread and one of the message.
  assert.match(stderr, /asked for by a test/)
})
