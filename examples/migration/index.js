'use strict'

const express = require('express')
const session = require('express-session')

const Before = require('connect-dynamodb')(session)
const After = require('dynamodb-session/connect-dynamodb')(session)

// Starts the app on both stores, as during a rolling deployment.
start('before', new Before({ table: 'sessions' }))
start('after', new After({ table: 'sessions' }))

/** Starts the app with the given store. */
function start(name, store) {
  const app = express()
  app.use(express.json())
  app.use(
    session({
      store,
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

  const port = Number(process.env.PORT ?? 3000)
  const server = app.listen(name === 'after' && port ? port + 1 : port, '127.0.0.1', (error) => {
    if (error) throw error
    console.log(`Listening on http://127.0.0.1:${server.address().port} (${name})`)
  })
}
