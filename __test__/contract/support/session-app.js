'use strict'

const { createHmac } = require('node:crypto')
const { once } = require('node:events')
const express = require('express')
const session = require('express-session')
const { Browser } = require('../../support/browser')

const secret = 'a secret of the tests, thirty-two characters'

/** Starts an Express app whose routes read and change the session and its cookie, and returns a browser for it. */
async function startApp(t, store, { cookie = {}, rolling = false, pause } = {}) {
  const app = express()
  app.set('env', 'test')
  app.use(session({ store, secret, resave: false, saveUninitialized: false, rolling, cookie }))
  const show = (req, res) => {
    const { maxAge, originalMaxAge } = req.session.cookie
    res.json({
      id: req.sessionID,
      user: req.session.user ?? null,
      note: req.session.note ?? null,
      maxAge,
      originalMaxAge
    })
  }
  app.post('/login', (req, res) => {
    req.session.user = 'Ann'
    show(req, res)
  })
  app.get('/', show)
  app.get('/slow', async (req, res) => {
    await pause()
    show(req, res)
  })
  app.post('/save', (req, res, next) => {
    req.session.note = 'saved'
    req.session.save((error) => (error ? next(error) : show(req, res)))
  })
  app.post('/reload-and-save', (req, res, next) => {
    req.session.reload((error) => {
      if (error) return next(error)
      req.session.note = 'saved'
      req.session.save((error) => (error ? next(error) : show(req, res)))
    })
  })
  app.post('/max-age', (req, res) => {
    if (req.query.note) req.session.note = req.query.note
    req.session.cookie.maxAge = Number(req.query.ms)
    show(req, res)
  })
  app.get('/load', (req, res, next) => {
    store.load(req.sessionID, (error, loaded) => (error ? next(error) : res.json(loaded)))
  })
  app.use((error, req, res, next) => (res.headersSent ? next(error) : res.status(500).json({ error: error.message })))
  const server = app.listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return new Browser(`http://127.0.0.1:${server.address().port}`)
}

/** A session ID with its signature, in the format of express-session and @fastify/session. */
function sign(sid) {
  return `${sid}.${createHmac('sha256', secret).update(sid).digest('base64').replace(/=+$/, '')}`
}

/** Gives a browser the cookie of the session with this ID. */
function setSessionCookie(browser, sid) {
  browser.cookies.set('connect.sid', encodeURIComponent(`s:${sign(sid)}`))
  return browser
}

module.exports = { setSessionCookie, sign, startApp }
