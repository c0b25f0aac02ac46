'use strict'

const { once } = require('node:events')
const Koa = require('koa')

const frameworks = [
  { name: 'koa-session 7', session: require('koa-session').default },
  { name: 'koa-session 6', session: require('koa-session6') }
]

const routes = {
  '/': () => {},
  '/login': async (ctx) => {
    ctx.session.user = ctx.query.user
    if (ctx.query.regenerate) await ctx.session.regenerate()
  },
  '/cart': (ctx) => {
    ctx.session.cart = [...(ctx.session.cart ?? []), ctx.query.item]
  },
  '/logout': (ctx) => {
    ctx.session = null
  }
}

/** Starts a shop on koa-session. Responses contain the session as it is at the end of the request. */
async function startKoaApp(session, { store, ...options }) {
  const app = new Koa()
  app.keys = ['a secret of the tests']
  app.silent = true
  const errors = []
  app.on('error', (error) => errors.push(error))
  app.use(session({ store, ...options }, app))
  app.use(async (ctx) => {
    await routes[ctx.path](ctx)
    ctx.body = { id: ctx.session?.externalKey, session: ctx.session?.toJSON() ?? null }
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    errors,
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections()
      server.close()
    }
  }
}

module.exports = { frameworks, startKoaApp }
