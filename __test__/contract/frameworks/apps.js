'use strict'

// An app of each framework, with the routes that ./contract.js requests.

const { once } = require('node:events')
const session = require('express-session')
const Fastify = require('fastify')
const Koa = require('koa')

const secret = 'a secret of the tests, thirty-two characters'

/** An app that uses express-session with this version of Express. */
function startExpress(express, { store, maxAge = 60_000, rolling = false, saveUninitialized = false, unset, pause }) {
  const app = express()
  app.set('env', 'test')
  app.use(session({ store, secret, resave: false, rolling, saveUninitialized, unset, cookie: { maxAge } }))

  app.get('/', (req, res) => res.json({ id: req.sessionID, session: data(req.session) }))
  app.get('/count', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.json({ id: req.sessionID, views: req.session.views })
  })
  app.get('/set', (req, res) => {
    req.session.value = JSON.parse(req.query.value)
    res.json({ id: req.sessionID })
  })
  app.post('/login', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.user = req.query.user
      res.json({})
    })
  })
  app.post('/logout', (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.json({})))
  })
  app.post('/regenerate', (req, res, next) => {
    req.session.regenerate((error) => (error ? next(error) : res.json({})))
  })
  app.post('/unset', (req, res) => {
    req.session = null
    res.json({})
  })
  app.get('/reload', (req, res, next) => {
    req.session.views = 'only in memory'
    req.session.reload((error) => (error ? next(error) : res.json({ session: data(req.session) })))
  })
  app.get('/wait', async (req, res) => {
    await pause()
    res.json({ session: data(req.session) })
  })
  app.use((error, req, res, next) => (res.headersSent ? next(error) : res.status(500).json({ error: error.code })))
  return listen(app)
}

const expressAbilities = { reload: true, saveUninitialized: true, touch: true, unset: true }

const express = [
  { name: 'Express 5', abilities: expressAbilities, start: (options) => startExpress(require('express'), options) },
  { name: 'Express 4', abilities: expressAbilities, start: (options) => startExpress(require('express4'), options) }
]

/** An app that uses koa-session. */
async function startKoa(session, { store, maxAge = 60_000, rolling = false, pause }) {
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
  app.use(session({ store, rolling, signed: true, maxAge: maxAge ?? 'session' }, app))
  app.use(async (ctx) => {
    const handler = koaRoutes[`${ctx.method} ${ctx.path}`]
    ctx.body = await handler(ctx, pause)
  })

  return listen(app)
}

const koaRoutes = {
  'GET /': (ctx) => ({ id: ctx.session.externalKey, session: ctx.session.toJSON() }),
  'GET /count': (ctx) => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    return { id: ctx.session.externalKey, views: ctx.session.views }
  },
  'GET /set': (ctx) => {
    ctx.session.value = JSON.parse(ctx.query.value)
    return { id: ctx.session.externalKey }
  },
  'POST /login': async (ctx) => {
    ctx.session.user = ctx.query.user
    await ctx.session.regenerate()
    return {}
  },
  'POST /logout': (ctx) => {
    ctx.session = null
    return {}
  },
  'POST /regenerate': async (ctx) => {
    await ctx.session.regenerate()
    return {}
  },
  'GET /wait': async (ctx, pause) => {
    await pause()
    return { session: ctx.session.toJSON() }
  }
}

const koaAbilities = { keepsDataOnRegenerate: true }

const koa = [
  {
    name: 'koa-session 7',
    abilities: koaAbilities,
    start: (options) => startKoa(require('koa-session').default, options)
  },
  { name: 'koa-session 6', abilities: koaAbilities, start: (options) => startKoa(require('koa-session6'), options) }
]

/** An app that uses @fastify/session. */
async function startFastify({ store, maxAge = 60_000, rolling = false, saveUninitialized = false, pause }) {
  const app = Fastify({ forceCloseConnections: true })
  app.register(require('@fastify/cookie'))
  app.register(require('@fastify/session'), {
    store,
    secret,
    rolling,
    saveUninitialized,
    cookie: { secure: false, maxAge: maxAge ?? undefined }
  })
  app.setErrorHandler((error, request, reply) => reply.status(500).send({ error: error.code }))

  app.get('/', async ({ session }) => ({ id: session.sessionId, session: data(session) }))
  app.get('/count', async ({ session }) => {
    session.views = (session.views ?? 0) + 1
    return { id: session.sessionId, views: session.views }
  })
  app.get('/set', async ({ session, query }) => {
    session.value = JSON.parse(query.value)
    return { id: session.sessionId }
  })
  app.post('/login', async (request) => {
    await request.session.regenerate()
    request.session.user = request.query.user
    return {}
  })
  app.post('/logout', async ({ session }) => {
    await session.destroy()
    return {}
  })
  app.post('/regenerate', async (request) => {
    await request.session.regenerate()
    return {}
  })
  app.get('/reload', async (request) => {
    request.session.views = 'only in memory'
    await request.session.reload()
    return { session: data(request.session) }
  })
  app.get('/wait', async ({ session }) => {
    await pause()
    return { session: data(session) }
  })

  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, close: () => app.close() }
}

const fastifyAbilities = { reload: true, saveUninitialized: true }

const fastify = [{ name: '@fastify/session 11', abilities: fastifyAbilities, start: startFastify }]

/** What the app has stored in a session of express-session or @fastify/session. */
function data(session) {
  const { cookie: _, ...rest } = JSON.parse(JSON.stringify(session))
  return rest
}

async function listen(app) {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections()
      server.close()
    }
  }
}

module.exports = { express, fastify, koa }
