'use strict'

// An app for tests of parallel requests. The body of each request says how to change the session. `startApp` runs the app
// in the test's process, and `startProcess` runs it in a separate process.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const { setTimeout: sleep } = require('node:timers/promises')

const secret = 'a secret of the tests, thirty-two characters'
const cookieName = 'sid'

/** The lifetime of the sessions, in milliseconds. */
const LIFETIME = 3_600_000

/**
 * Changes the session as the request says: waits for `wait` milliseconds, then sets the fields in `set`, deletes those in
 * `remove`, adds one to those in `increment`, and sets the lifetime to `maxAge`.
 */
async function change(session, { wait = 0, set = {}, remove = [], increment = [], maxAge }, setMaxAge) {
  if (wait > 0) await sleep(wait)
  for (const [name, value] of Object.entries(set)) session[name] = value
  for (const name of remove) delete session[name]
  for (const name of increment) session[name] = (session[name] ?? 0) + 1
  if (maxAge !== undefined) setMaxAge(maxAge)
}

function dataOf(session) {
  const { cookie: _cookie, ...data } = JSON.parse(JSON.stringify(session))
  return data
}

const starters = {
  async express({ store, maxAge, resave, rolling, onSession }) {
    const express = require('express')
    const app = express()
    app.set('env', 'test')
    const session = require('express-session')
    const options = { store, secret, name: cookieName, resave, rolling, saveUninitialized: false, cookie: { maxAge } }
    app.use(session(options))
    app.use(express.json())
    const ended = (method, request) =>
      new Promise((resolve, reject) => request.session[method]((error) => (error ? reject(error) : resolve())))
    app.post('/', async (request, response) => {
      const { body } = request
      await onSession?.(request.session)
      if (body.reload) await ended('reload', request)
      await change(request.session, body, (maxAge) => (request.session.cookie.maxAge = maxAge))
      if (body.save) await ended('save', request)
      if (body.next) await change(request.session, body.next)
      if (body.regenerate) {
        await ended('regenerate', request)
        Object.assign(request.session, body.regenerate)
      }
      if (body.logout) await ended('destroy', request)
      response.json(request.session ? dataOf(request.session) : {})
    })
    app.use((error, request, response, next) => (response.headersSent ? next(error) : fail(response, error)))
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { url: `http://127.0.0.1:${server.address().port}`, close: () => closeServer(server) }
  },

  async koa({ store, maxAge, rolling, onSession, koaSession = 'koa-session' }) {
    const Koa = require('koa')
    const module = require(koaSession)
    const app = new Koa()
    app.keys = [secret]
    app.silent = true
    app.use(async (ctx, next) => {
      try {
        await next()
      } catch (error) {
        ctx.status = 500
        ctx.body = { error: error.code }
      }
    })
    app.use((module.default ?? module)({ store, maxAge, rolling, key: cookieName }, app))
    app.use(async (ctx) => {
      const chunks = []
      for await (const chunk of ctx.req) chunks.push(chunk)
      const body = JSON.parse(Buffer.concat(chunks).toString())
      await onSession?.(ctx.session)
      await change(ctx.session, body, (maxAge) => (ctx.session.maxAge = maxAge))
      if (body.save) await ctx.session.save()
      if (body.next) await change(ctx.session, body.next)
      if (body.regenerate) {
        await ctx.session.regenerate()
        Object.assign(ctx.session, body.regenerate)
      }
      ctx.body = body.logout ? {} : ctx.session.toJSON()
      if (body.logout) ctx.session = null
    })
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { url: `http://127.0.0.1:${server.address().port}`, close: () => closeServer(server) }
  },

  async fastify({ store, maxAge, rolling, onSession }) {
    const app = require('fastify')({ forceCloseConnections: true })
    app.register(require('@fastify/cookie'))
    app.register(require('@fastify/session'), {
      store,
      secret,
      rolling,
      cookieName,
      saveUninitialized: false,
      cookie: { secure: false, maxAge }
    })
    app.setErrorHandler((error, request, reply) => reply.status(500).send({ error: error.code ?? error.message }))
    app.post('/', async (request) => {
      const { body } = request
      await onSession?.(request.session)
      if (body.reload) await request.session.reload()
      await change(request.session, body, (maxAge) => (request.session.cookie.maxAge = maxAge))
      if (body.save) await request.session.save()
      if (body.next) await change(request.session, body.next)
      if (body.regenerate) {
        await request.session.regenerate()
        Object.assign(request.session, body.regenerate)
      }
      if (body.logout) await request.session.destroy()
      return request.session ? dataOf(request.session) : {}
    })
    return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() }
  }
}

function fail(response, error) {
  response.status(500).json({ error: error.code ?? error.message })
}

async function closeServer(server) {
  server.closeAllConnections()
  server.close()
}

/** Starts an app in this process. Sessions last an hour, and a save that changes nothing is made only if `rolling` is set. */
function startApp(framework, options) {
  return starters[framework]({ maxAge: LIFETIME, rolling: false, resave: false, ...options })
}

/**
 * Starts an app in a separate process. `name` is the store that it uses, in `stores` below, and `options` are those of the
 * store. Returns `{ url, close }`.
 */
async function startProcess(framework, name, options, appOptions = {}) {
  const child = fork(__filename, [], { env: { ...process.env, NODE_V8_COVERAGE: '' } })
  child.send({ framework, name, options, appOptions })
  const [{ url }] = await once(child, 'message')
  return {
    url,
    async close() {
      child.disconnect()
      await once(child, 'exit')
    }
  }
}

const stores = {
  'dynamodb-session': (options) => new (require('../..').DynamoDBStore)(options),
  /** A store of any entry point, or of the package that it replaces. */
  'entry point'({ name, original, place, options }) {
    const entry = require('./entry-points').entries.find((entry) => entry.name === name)
    return original ? entry.original(place) : entry.create(place, options)
  },
  'connect-dynamodb'({ table, endpoint, region, credentials }) {
    const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
    const Store = require('connect-dynamodb')(require('express-session'))
    const client = new DynamoDBClient({ endpoint, region, credentials })
    return new Store({ client, table, initialized: true, reapInterval: 0 })
  }
}

/**
 * A request of a framework that has read its session, without the framework's server. Returns `{ session, save, touch }`;
 * `save` and `touch` call the store as the framework does.
 */
async function openRequest(store, sid, framework = 'express') {
  if (framework === 'koa') {
    const context = { ctx: {}, rolling: false }
    const session = await store.get(sid, LIFETIME, context)
    const times = () => ({ _expire: Date.now() + (session._maxAge ?? LIFETIME), _maxAge: session._maxAge ?? LIFETIME })
    const save = () => {
      const { _expire, _maxAge, ...data } = session
      const json = { ...data, ...times() }
      return store.set(sid, json, json._maxAge, { ...context, changed: false })
    }
    return { session, save, context }
  }
  const session = store.createSession({ sessionID: sid, sessionStore: store }, await store.get(sid))
  return { session, save: () => store.set(sid, session), touch: () => store.touch(sid, session) }
}

/** A client with one session, which may send several requests at once to several apps. */
class Client {
  cookie = ''

  constructor(urls) {
    this.urls = [urls].flat()
  }

  /** Sends a request to one of the apps; returns the session that the app has then. */
  async send(body = {}, index = 0) {
    const response = await fetch(this.urls[index % this.urls.length], {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: this.cookie },
      body: JSON.stringify(body)
    })
    const cookies = response.headers.getSetCookie().filter((text) => text.startsWith(cookieName))
    const json = await response.json()
    if (response.status !== 200) throw new Error(`the app responded ${response.status} ${JSON.stringify(json)}`)
    // A response that arrives late must not replace the cookie of a new session.
    if (!this.isFixed && cookies.length > 0) this.cookie = cookies.map((text) => text.split(';')[0]).join('; ')
    return json
  }

  /** A client that has the same cookie and keeps it. */
  copy(urls = this.urls) {
    const copy = new Client(urls)
    copy.cookie = this.cookie
    copy.isFixed = true
    return copy
  }
}

/**
 * The scenario of the documentation: each user sends six requests at once that set different fields, and a seventh that
 * deletes one, and then logs out while a slow request runs. Returns what was lost.
 */
async function scenario(urls, users = 60) {
  const fields = ['a', 'b', 'c', 'd', 'e', 'f']
  const lost = { updates: 0, deletes: 0, logouts: 0 }
  const user = async (number) => {
    const browser = new Client(urls)
    const at = (index) => number + index
    await browser.send({ set: { user: number, gone: 'yes' } }, at(0))
    const tab = browser.copy()
    await Promise.all([
      ...fields.map((name, index) => tab.send({ wait: 15, set: { [name]: `of ${number}` } }, at(index))),
      tab.send({ wait: 15, remove: ['gone'] }, at(6))
    ])
    const session = await tab.send({}, at(0))
    lost.updates += fields.filter((name) => session[name] !== `of ${number}`).length
    lost.deletes += session.gone === undefined ? 0 : 1
    const slow = tab.send({ wait: 60, set: { late: true } }, at(1))
    await sleep(15)
    await tab.copy().send({ logout: true }, at(2))
    await slow
    const after = await tab.copy().send({}, at(0))
    lost.logouts += Object.keys(after).length > 0 ? 1 : 0
  }
  for (let first = 0; first < users; first += 20) {
    await Promise.all(Array.from({ length: Math.min(20, users - first) }, (_, i) => user(first + i)))
  }
  return lost
}

if (require.main === module) {
  process.once('message', async ({ framework, name, options, appOptions }) => {
    const store = stores[name](options)
    const app = await startApp(framework, { store, ...appOptions })
    process.send({ url: app.url })
    process.on('disconnect', () => process.exit())
  })
}

module.exports = { Client, LIFETIME, openRequest, scenario, startApp, startProcess }
