'use strict'

const Fastify = require('fastify')
const secret = 'a secret of the tests, thirty-two characters'

const data = (session) => {
  const { cookie: _, ...rest } = JSON.parse(JSON.stringify(session))
  return rest
}

/** An app that uses @fastify/session, with the routes that ./contract.js requests. */
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

const abilities = { reload: true, saveUninitialized: true }

module.exports = [{ name: '@fastify/session 11', abilities, start: startFastify }]
