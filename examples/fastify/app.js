'use strict'

const fastify = require('fastify')
const { DynamoDBStore } = require('dynamodb-session')

const app = fastify()
app.register(require('@fastify/cookie'))
app.register(require('@fastify/session'), {
  store: new DynamoDBStore({ table: 'sessions', createTable: true }),
  secret: process.env.SESSION_SECRET ?? 'for development only, 32 characters long',
  saveUninitialized: false,
  rolling: false, // otherwise, every request writes the session
  cookie: { secure: 'auto', maxAge: 24 * 60 * 60 * 1000, sameSite: 'lax' }
})

app.get('/', async ({ session }, reply) => {
  if (!session.user) return reply.status(401).send({ error: 'Log in first.' })
  session.views += 1
  return { user: session.user, views: session.views }
})

app.post('/login', async (request, reply) => {
  const user = request.body?.user
  if (!user) return reply.status(400).send({ error: 'Say who you are.' })
  await request.session.regenerate() // a new session ID at login prevents session fixation
  Object.assign(request.session, { user, views: 0 })
  return { user }
})

app.post('/logout', async ({ session }) => {
  await session.destroy()
  return {}
})

app.listen({ host: '127.0.0.1', port: process.env.PORT ?? 3000 }).then((url) => console.log(`Listening on ${url}`))
