'use strict'

const path = require('node:path')
const express = require('express')
const session = require('express-session')
const { Piscina } = require('piscina')
const { DynamoDBStore } = require('dynamodb-session')

const workers = new Piscina({ filename: path.join(__dirname, 'worker.js'), maxThreads: 2 })

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
  if (!session.user) return res.status(401).json({ error: 'Log in first.' })
  session.views += 1
  res.json({ user: session.user, views: session.views })
})

app.post('/login', (req, res, next) => {
  const user = req.body?.user
  if (typeof user !== 'string' || user === '') return res.status(400).json({ error: 'Say who you are.' })
  // A new session ID at login prevents session fixation.
  req.session.regenerate((error) => {
    if (error) return next(error)
    Object.assign(req.session, { user, views: 0 })
    res.json({ user })
  })
})

app.get('/report', ({ session }, res) => {
  if (!session.report) return res.status(404).json({ error: 'Create a report first.' })
  res.json(session.report)
})

app.post('/report', async (req, res) => {
  if (!req.session.user) return res.status(401).json({ error: 'Log in first.' })
  await workers.run(req.sessionID)
  res.json({})
})

app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.json({})))
})

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`Listening on http://127.0.0.1:${server.address().port}`)
})
