'use strict'

const { json } = require('node:stream/consumers')
const Koa = require('koa')
const { createSession } = require('koa-session')
const { DynamoDBStore } = require('dynamodb-session')

const app = new Koa()
app.keys = [process.env.SESSION_SECRET ?? 'for development only']
app.use(
  createSession(
    {
      store: new DynamoDBStore({ table: 'sessions', createTable: true }),
      maxAge: 24 * 60 * 60 * 1000,
      sameSite: 'lax'
    },
    app
  )
)

const routes = {
  'GET /'(ctx) {
    const { session } = ctx
    if (session.user) {
      session.views += 1
      ctx.body = { user: session.user, views: session.views }
    } else {
      ctx.status = 401
      ctx.body = { error: 'Log in first.' }
    }
  },

  async 'POST /login'(ctx) {
    const { user } = await json(ctx.req).catch(() => ({}))
    ctx.assert(user, 400, 'Say who you are.')
    Object.assign(ctx.session, { user, views: 0 })
    await ctx.session.regenerate() // a new session ID at login prevents session fixation
    ctx.body = { user }
  },

  'POST /logout'(ctx) {
    ctx.session = null
    ctx.body = {}
  }
}

app.use((ctx) => routes[`${ctx.method} ${ctx.path}`]?.(ctx))

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}`)
})
