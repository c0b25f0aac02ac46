'use strict'

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { describe, test } = require('node:test')
const { callWithCallback } = require('../support/calls')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

describe('arguments and results of the methods', () => {
  test('the extra arguments of koa-session are accepted before the callback', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    const settings = { ctx: {}, changed: true, rolling: false }
    assert.deepEqual(await callWithCallback(store, 'set', sid, { user: 'Ann' }, 60_000, settings), { value: undefined })
    assert.deepEqual(await callWithCallback(store, 'get', sid, 60_000, settings), { value: { user: 'Ann' } })
    assert.deepEqual(await callWithCallback(store, 'destroy', sid, settings), { value: undefined })
    assert.equal(await store.get(sid, undefined, settings), null)
  })

  test('a callback receives null as its error, and the value if there is one', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    const results = (method, ...args) =>
      new Promise((resolve) => store[method](...args, (...received) => resolve(received)))
    assert.equal((await results('set', sid, newSession()))[0], null)
    const [error, session, ...more] = await results('get', sid)
    assert.deepEqual([error, typeof session, more], [null, 'object', []])
    assert.equal((await results('destroy', sid))[0], null)
    assert.deepEqual(await results('get', sid), [null, null])
  })

  test('a subclass can override a method and call the original', async () => {
    class Derived extends dynamodb.store().constructor {
      get(sid, ...rest) {
        return super.get(sid.toLowerCase(), ...rest)
      }
    }
    const store = new Derived(dynamodb.options())
    const sid = newSid()
    await store.set(sid, newSession({ user: 'Ann' }))
    assert.equal((await store.get(sid.toUpperCase())).user, 'Ann')
    assert.equal((await callWithCallback(store, 'get', sid.toUpperCase())).value.user, 'Ann')
    await store.close()
  })
})

describe('a callback that throws', () => {
  test('is called once, its error is uncaught, and other callbacks still run', async () => {
    const script = `
      const store = new DynamoDBStore(options)
      const calls = [], uncaught = []
      process.on('uncaughtException', (error, origin) => uncaught.push(origin + ' ' + error.message))
      let left = 20
      for (let i = 0; i < 20; i++) {
        store.get('sid' + i, (error, value) => {
          calls.push(i)
          if (--left === 0) setTimeout(() => console.log(JSON.stringify({ calls, uncaught })), 100)
          if (i % 5 === 0) throw new Error('thrown by ' + i)
        })
      }
    `
    const { code, stdout, stderr } = await runScript(script, { options: dynamodb.options() })
    assert.deepEqual([code, stderr], [0, ''])
    const { calls, uncaught } = JSON.parse(stdout)
    assert.deepEqual(
      calls.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i)
    )
    assert.deepEqual(
      uncaught.sort(),
      [0, 10, 15, 5].map((i) => `uncaughtException thrown by ${i}`)
    )
  })

  for (const [outcome, call] of [
    ['a failed get', "store.get('x'"],
    ['a set of an invalid session', "store.set('x', 5"],
    ['a set with an invalid ID', 'store.set(5, {}'],
    ['a failed touch', "store.touch('x', { cookie: {} }"]
  ]) {
    test(`is called once after ${outcome}, and its error is uncaught`, async () => {
      const script = `
        const store = new DynamoDBStore(options)
        let calls = 0
        process.on('uncaughtException', (error) => console.log(error.message, calls))
        process.on('unhandledRejection', () => console.log('unhandled rejection'))
        ${call}, () => {
          calls += 1
          throw new Error('thrown')
        })
      `
      const options = dynamodb.options({ table: dynamodb.newTableName() })
      const { stdout, stderr } = await runScript(script, { options })
      assert.deepEqual([stdout, stderr], ['thrown 1\n', ''])
    })
  }

  test('ends the process, like any uncaught error', async () => {
    const script = "new DynamoDBStore(options).get('x', () => { throw new Error('thrown by the app') })"
    const { code, stderr } = await runScript(script, { options: dynamodb.options() })
    assert.equal(code, 1)
    assert.match(stderr, /Error: thrown by the app/)
  })
})

describe('calls without a callback', () => {
  for (const placeholder of ['undefined', 'null']) {
    test(`with ${placeholder} as the callback, a failed operation does not end the process`, async () => {
      const script = `
        const store = new DynamoDBStore({ ...options, maxAttempts: 1 })
        store.destroy('x', ${placeholder})
        store.set('x', { cookie: {} }, ${placeholder})
        store.touch('x', { cookie: {} }, ${placeholder})
      `
      const options = dynamodb.options({ table: dynamodb.newTableName() })
      const { code, stderr } = await runScript(script, { options })
      assert.deepEqual([code, stderr], [0, ''])
    })
  }

  test('with undefined as the callback, set and destroy are carried out', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    await store.set(sid, newSession(), undefined)
    assert.ok(await dynamodb.item(sid))
    await store.destroy(sid, undefined)
    assert.equal(await dynamodb.item(sid), undefined)
  })
})

describe('the AsyncLocalStorage context', () => {
  const context = new AsyncLocalStorage()

  test('is preserved in callbacks', async () => {
    const store = dynamodb.store()
    const seen = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        context.run(i, () => new Promise((resolve) => store.get(newSid(), () => resolve(context.getStore()))))
      )
    )
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('is preserved after an awaited promise', async () => {
    const store = dynamodb.store()
    const seen = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        context.run(i, async () => {
          await store.get(newSid())
          return context.getStore()
        })
      )
    )
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('is preserved in the callback of a call that sends no request', async () => {
    const store = dynamodb.store()
    const seen = await context.run('here', () => {
      return new Promise((resolve) => store.get('x'.repeat(3000), () => resolve(context.getStore())))
    })
    assert.equal(seen, 'here')
  })
})
