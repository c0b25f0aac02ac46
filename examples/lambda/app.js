'use strict'

const express = require('express')
const session = require('express-session')

function createApp(store) {
  const app = express()
  app.use(express.json())
  app.use(
    session({
      store,
      secret: process.env.SESSION_SECRET,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 24 * 60 * 60 * 1000, sameSite: 'lax', secure: 'auto' }
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
  return app
}

module.exports = { createApp }
