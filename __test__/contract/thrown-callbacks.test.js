'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { describe, test } = require('node:test')
const Fastify = require('fastify')
const { runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')
const { delayed, errorResponse } = require('../support/fault-proxy')

const dynamodb = useDynamoDB()
const CODE = 'DYNAMODB_SESSION_CALLBACK'

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
  const record = (warning) => warning.code === CODE && warnings.push(warning)
  process.on('warning', record)
  t.after(() => process.off('warning', record))
  return warnings
}

/** Runs a program that uses `store` in a separate process. */
async function run(entry, program) {
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

    test('with express-session, a throwing callback is an uncaught exception', async () => {
      const { code, lines } = await run(
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

    test('without a framework, a throwing callback is an uncaught exception', async () => {
      const { code, lines } = await run(
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
