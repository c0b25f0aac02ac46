import { serve } from '@hono/node-server'
import { DynamoDBStore, DynamoDBStoreError } from 'dynamodb-session'
import { Hono } from 'hono'
import { csrf } from 'hono/csrf'
import { HTTPException } from 'hono/http-exception'
import { sessions } from './session.js'

interface SessionData {
  user: string
  views: number
}

const day = 24 * 60 * 60
const store = new DynamoDBStore({ table: 'sessions', createTable: true, ttl: day, maxLifetime: 30 * day })
const secure = process.env.NODE_ENV === 'production'
const app = new Hono().use(csrf()).use(sessions<SessionData>({ store, secure, maxAge: 30 * day }))

app.get('/', (c) => {
  const { data } = c.var.session
  if (!data.user) return c.json({ error: 'Log in first.' }, 401)
  data.views = (data.views ?? 0) + 1
  return c.json({ user: data.user, views: data.views })
})

app.post('/login', async (c) => {
  const { user } = await c.req.json().catch(() => ({}))
  if (typeof user !== 'string' || user === '') return c.json({ error: 'Say who you are.' }, 400)
  await c.var.session.regenerate({ user })
  return c.json({ user })
})

app.post('/logout', async (c) => {
  await c.var.session.destroy()
  return c.json({})
})

app.onError((error, c) => {
  if (error instanceof HTTPException) return error.getResponse()
  console.error(error instanceof DynamoDBStoreError ? error.message : error)
  const isTemporary = error instanceof DynamoDBStoreError && error.retryable
  return c.json({ error: 'Something went wrong.' }, isTemporary ? 503 : 500)
})

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1' }, ({ port }) => {
  console.log(`Listening on http://127.0.0.1:${port}`)
})
