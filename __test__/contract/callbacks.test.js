'use strict'

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { once } = require('node:events')
const { describe, test } = require('node:test')
const Fastify = require('fastify')
const { callWithCallback } = require('../support/calls')
const { runNode, runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { delayed, errorResponse } = require('../support/fault-proxy')
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

async function newStore(t, entry, connection = dynamodb.connection) {
  const store = entry.create({ connection, table: await dynamodb.newTable(entry.schema) })
  t.after(() => store.close())
  return store
}

async function startFastify(t, store, route) {
  const app = Fastify({ forceCloseConnections: true })
  app.register(require('@fastify/cookie'))
  app.register(require('@fastify/session'), { store, secret: 'x'.repeat(32), cookie: { secure: false } })
  app.get('/', route)
  t.after(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

/** Collects the warnings about callbacks until the test ends. */
function collectWarnings(t) {
  const warnings = []
  const record = (warning) => warning.code === 'DYNAMODB_SESSION_CALLBACK' && warnings.push(warning)
  process.on('warning', record)
  t.after(() => process.off('warning', record))
  return warnings
}

/** Runs a program that uses `store` in a separate process. */
async function runWithStore(entry, program) {
  const { connection } = dynamodb
  const table = await dynamodb.newTable(entry.schema)
  const prelude = `
    const { entries } = require('./__test__/support/entry-points')
    const entry = entries.find(({ name }) => name === ${JSON.stringify(entry.name)})
    const store = entry.create(${JSON.stringify({ connection, table })})
    process.on('uncaughtException', (error, origin) => console.log(origin, error.message))
    process.on('warning', ({ code }) => console.log(code))
  `
  const { code, stdout } = await runNode(['-e', prelude + program])
  return { code, lines: stdout.split('\n').filter(Boolean) }
}

for (const entry of entries.filter(({ frameworks }) => frameworks.includes('fastify'))) {
  describe(entry.name, () => {
    test('a Fastify app that sends two responses serves the first one, keeps running, and gets a warning', async (t) => {
      const warnings = collectWarnings(t)
      const url = await startFastify(t, await newStore(t, entry), async (request, reply) => {
        request.session.views = (request.session.views ?? 0) + 1
        reply.send(`views: ${request.session.views}`)
      })
      const first = await fetch(url)
      assert.deepEqual([first.status, await first.text()], [200, 'views: 1'])
      const cookie = first.headers.get('set-cookie').split(';')[0]
      const second = await fetch(url, { headers: { cookie } })
      assert.deepEqual([second.status, await second.text()], [200, 'views: 2'])
      while (warnings.length < 2) await once(process, 'warning')
      for (const warning of warnings) {
        assert.equal(warning.name, 'DynamoDBSessionWarning')
        assert.match(warning.detail, /ERR_HTTP_HEADERS_SENT(.|\n)*\n {4}at .*fastify/)
      }
    })

    test('a throwing callback in a Fastify app causes one warning', async (t) => {
      const warnings = collectWarnings(t)
      const url = await startFastify(t, await newStore(t, entry), (request, reply) => {
        request.session.save(() => {
          request.session.destroy(() => {
            reply.send('done')
            throw new Error('thrown by the app')
          })
        })
      })
      assert.equal(await (await fetch(url)).text(), 'done')
      while (warnings.length < 1) await once(process, 'warning')
      assert.match(warnings[0].detail, /^Error: thrown by the app\n {4}at /)
      assert.equal(warnings.length, 1)
    })

    test('a Fastify app that sends two responses serves the first one even if the save is slow', async (t) => {
      const warnings = collectWarnings(t)
      const proxy = await dynamodb.proxy()
      const store = await newStore(t, entry, { ...dynamodb.connection, endpoint: proxy.endpoint })
      const url = await startFastify(t, store, async (request, reply) => {
        reply.send('the first')
      })
      for (const number of [1, 2]) {
        proxy.on('PutItem', delayed(100), 1)
        const response = await fetch(url)
        assert.deepEqual([response.status, await response.text()], [200, 'the first'])
        while (warnings.length < number) await once(process, 'warning')
      }
    })

    test('a Fastify app that sends two responses serves status 500 if the save fails', async (t) => {
      const warnings = collectWarnings(t)
      const proxy = await dynamodb.proxy()
      const store = await newStore(t, entry, { ...dynamodb.connection, endpoint: proxy.endpoint })
      const url = await startFastify(t, store, async (request, reply) => {
        reply.send('the first')
      })
      assert.equal(await (await fetch(url)).text(), 'the first')
      while (warnings.length < 1) await once(process, 'warning')
      proxy.on('PutItem', errorResponse(400, 'ValidationException'))
      assert.equal((await fetch(url)).status, 500)
    })

    test('a throwing callback of destroy or reload in a Fastify app causes one warning', async (t) => {
      for (const method of ['destroy', 'reload']) {
        const warnings = collectWarnings(t)
        const url = await startFastify(t, await newStore(t, entry), (request, reply) => {
          request.session[method](() => {
            reply.hijack().raw.end('done')
            throw new Error(`thrown by ${method}`)
          })
        })
        assert.equal(await (await fetch(url)).text(), 'done')
        while (warnings.length < 1) await once(process, 'warning')
        assert.match(warnings[0].detail, new RegExp(`^Error: thrown by ${method}\\n {4}at `))
        assert.equal(warnings.length, 1)
      }
    })

    test('with express-session, a throwing callback causes an uncaught exception', async () => {
      const { code, lines } = await runWithStore(
        entry,
        `
        const app = require('express')()
        app.use(require('express-session')({ store, secret: 'x', resave: false, saveUninitialized: true }))
        app.get('/', (req, res) => {
          req.session.save(() => {
            res.end()
            throw new Error('thrown by the app')
          })
        })
        const server = app.listen(0, '127.0.0.1', async () => {
          await fetch('http://127.0.0.1:' + server.address().port)
          server.close()
          server.closeAllConnections()
        })
      `
      )
      assert.deepEqual([code, lines], [0, ['uncaughtException thrown by the app']])
    })

    test('without a framework, a throwing callback causes an uncaught exception', async () => {
      const { code, lines } = await runWithStore(
        entry,
        `
        const fail = (name) => () => { throw new Error(name) }
        store.set('id', { cookie: { maxAge: 60000 } }, fail('set'))
        store.get('id', fail('get'))
        store.destroy('id', fail('destroy'))
      `
      )
      const expected = ['destroy', 'get', 'set'].map((name) => `uncaughtException ${name}`)
      assert.deepEqual([code, lines.sort()], [0, expected])
    })
  })
}
