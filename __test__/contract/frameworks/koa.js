'use strict'

const { once } = require('node:events')
const Koa = require('koa')

/** An app that uses koa-session, with the routes that ./contract.js requests. */
async function startKoa(session, { store, maxAge = 60_000, rolling = false, pause }) {
  const app = new Koa()
  app.keys = ['a secret of the tests']
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
    const handler = routes[`${ctx.method} ${ctx.path}`]
    ctx.body = await handler(ctx, pause)
  })

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

const routes = {
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

const abilities = { keepsDataOnRegenerate: true }

module.exports = [
  { name: 'koa-session 7', abilities, start: (options) => startKoa(require('koa-session').default, options) },
  { name: 'koa-session 6', abilities, start: (options) => startKoa(require('koa-session6'), options) }
]
