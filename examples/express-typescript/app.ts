import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'
import { DynamoDBStore } from 'dynamodb-session'

declare module 'express-session' {
  interface SessionData {
    user: string
    views: number
  }
}

const app = express()
app.use(express.json())
app.use(
  session({
    store: new DynamoDBStore({ table: 'sessions', createTable: true }),
    secret: process.env.SESSION_SECRET ?? 'for development only',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 24 * 60 * 60 * 1000, sameSite: 'lax' }
  })
)

app.get('/', ({ session }, res) => {
  if (!session.user) {
    res.status(401).json({ error: 'Log in first.' })
    return
  }
  session.views = (session.views ?? 0) + 1
  res.json({ user: session.user, views: session.views })
})

app.post('/login', (req, res, next) => {
  const user: unknown = req.body?.user
  if (typeof user !== 'string') {
    res.status(400).json({ error: 'Say who you are.' })
    return
  }
  // A new session ID at login prevents session fixation.
  req.session.regenerate((error) => {
    if (error) return next(error)
    req.session.user = user
    res.json({ user })
  })
})

app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.json({})))
})

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error?: Error) => {
  if (error) throw error
  console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
