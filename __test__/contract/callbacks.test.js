'use strict'

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { describe, test } = require('node:test')
const { callWithCallback } = require('../support/calls')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

describe('arguments', () => {
  test('those of koa-session before the callback', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    const settings = { ctx: {}, changed: true, rolling: false }
    assert.deepEqual(await callWithCallback(store, 'set', sid, { user: 'Ann' }, 60_000, settings), { value: undefined })
    assert.deepEqual(await callWithCallback(store, 'get', sid, 60_000, settings), { value: { user: 'Ann' } })
    assert.deepEqual(await callWithCallback(store, 'destroy', sid, settings), { value: undefined })
    assert.equal(await store.get(sid, undefined, settings), null)
  })

  test('callbacks get null, and a value where there is one', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    const results = (method, ...args) => new Promise((resolve) => store[method](...args, (...given) => resolve(given)))
    assert.equal((await results('set', sid, newSession()))[0], null)
    const [error, session, ...more] = await results('get', sid)
    assert.deepEqual([error, typeof session, more], [null, 'object', []])
    assert.equal((await results('destroy', sid))[0], null)
    assert.deepEqual(await results('get', sid), [null, null])
  })

  test('the methods work as functions of the store, not of a prototype only', async () => {
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
  test('is called once, its error is uncaught, and the others are called', async () => {
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

  for (const [name, call] of [
    ['after an error', "store.get('x'"],
    ['after a refused session', "store.set('x', 5"],
    ['after a refused id', 'store.set(5, {}'],
    ['after a touch', "store.touch('x', { cookie: {} }"]
  ]) {
    test(`${name} it is uncaught too, once`, async () => {
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

  test('ends the process as any uncaught error does', async () => {
    const script = "new DynamoDBStore(options).get('x', () => { throw new Error('of the app') })"
    const { code, stderr } = await runScript(script, { options: dynamodb.options() })
    assert.equal(code, 1)
    assert.match(stderr, /Error: of the app/)
  })
})

describe('without a callback', () => {
  for (const missing of ['undefined', 'null']) {
    test(`${missing} in its place: a failure does not end the process`, async () => {
      const script = `
        const store = new DynamoDBStore({ ...options, maxAttempts: 1 })
        store.destroy('x', ${missing})
        store.set('x', { cookie: {} }, ${missing})
        store.touch('x', { cookie: {} }, ${missing})
      `
      const options = dynamodb.options({ table: dynamodb.newTableName() })
      const { code, stderr } = await runScript(script, { options })
      assert.deepEqual([code, stderr], [0, ''])
    })
  }

  test('undefined in its place: the work is done', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    await store.set(sid, newSession(), undefined)
    assert.ok(await dynamodb.item(sid))
    await store.destroy(sid, undefined)
    assert.equal(await dynamodb.item(sid), undefined)
  })
})

describe('the asynchronous context', () => {
  const context = new AsyncLocalStorage()

  test('is kept in callbacks', async () => {
    const store = dynamodb.store()
    const seen = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        context.run(i, () => new Promise((resolve) => store.get(newSid(), () => resolve(context.getStore()))))
      )
    )
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('is kept after promises', async () => {
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

  test('is kept in a callback that needed no request', async () => {
    const store = dynamodb.store()
    const seen = await context.run('here', () => {
      return new Promise((resolve) => store.get('x'.repeat(3000), () => resolve(context.getStore())))
    })
    assert.equal(seen, 'here')
  })
})
