'use strict'

const { once } = require('node:events')
const session = require('express-session')

const secret = 'a secret of the tests, thirty-two characters'

function data(session) {
  const { cookie: _, ...rest } = session
  return rest
}

/** An app that uses express-session with this version of Express, with the routes that ./contract.js requests. */
function startExpress(express, { store, maxAge = 60_000, rolling = false, saveUninitialized = false, unset, pause }) {
  const app = express()
  app.set('env', 'test')
  app.use(session({ store, secret, resave: false, rolling, saveUninitialized, unset, cookie: { maxAge } }))

  app.get('/', (req, res) => res.json({ id: req.sessionID, session: data(req.session) }))
  app.get('/count', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.json({ id: req.sessionID, views: req.session.views })
  })
  app.get('/set', (req, res) => {
    req.session.value = JSON.parse(req.query.value)
    res.json({ id: req.sessionID })
  })
  app.post('/login', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.user = req.query.user
      res.json({})
    })
  })
  app.post('/logout', (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.json({})))
  })
  app.post('/regenerate', (req, res, next) => {
    req.session.regenerate((error) => (error ? next(error) : res.json({})))
  })
  app.post('/unset', (req, res) => {
    req.session = null
    res.json({})
  })
  app.get('/reload', (req, res, next) => {
    req.session.views = 'only in memory'
    req.session.reload((error) => (error ? next(error) : res.json({ session: data(req.session) })))
  })
  app.get('/wait', async (req, res) => {
    await pause()
    res.json({ session: data(req.session) })
  })
  app.use((error, req, res, next) => (res.headersSent ? next(error) : res.status(500).json({ error: error.code })))
  return listen(app)
}

async function listen(app) {
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

const abilities = { reload: true, saveUninitialized: true, touch: true, unset: true }

module.exports = [
  { name: 'Express 5', abilities, start: (options) => startExpress(require('express'), options) },
  { name: 'Express 4', abilities, start: (options) => startExpress(require('express4'), options) }
]
