'use strict'

const express = require('express')
const session = require('express-session')
const { DynamoDBStore } = require('dynamodb-session')
// Keep the one that you use.
const { getKeys } = process.env.KEYS === 'kms' ? require('./kms') : require('./secrets-manager')

const app = express()
app.use(express.json())
app.use(
  session({
    store: new DynamoDBStore({ table: 'sessions', createTable: true, encryption: getKeys }),
    secret: process.env.SESSION_SECRET ?? 'for development only',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 24 * 60 * 60 * 1000, sameSite: 'lax' }
  })
)

app.get('/', ({ session }, res) => {
  if (!session.user) return res.status(401).json({ error: 'Log in first.' })
  session.views += 1
  res.json({ user: session.user, views: session.views })
})

app.post('/login', (req, res, next) => {
  const user = req.body?.user
  if (!user) return res.status(400).json({ error: 'Say who you are.' })
  // A new session ID at login prevents session fixation.
  req.session.regenerate((error) => {
    if (error) return next(error)
    Object.assign(req.session, { user, views: 0 })
    res.json({ user })
  })
})

app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.json({})))
})

// A process that cannot get its keys rejects requests for a while, but logs nobody out.
app.use((error, req, res, next) => {
  if (error.code !== 'EncryptionKeyError') return next(error)
  console.error(error.message)
  res.status(503).json({ error: 'Try again in a moment.' })
})

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`Listening on http://127.0.0.1:${server.address().port}`)
})
