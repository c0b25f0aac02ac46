'use strict'

const { once } = require('node:events')
const { readdirSync } = require('node:fs')
const { setImmediate: nextTurn } = require('node:timers/promises')
const express = require('express')
const session = require('express-session')
const { DynamoDBStore } = require('../..')

/** The app of the soak test. It has its own process, so that its memory and handles can be measured. */
const store = new DynamoDBStore(JSON.parse(process.env.OPTIONS))
const app = express()
app.set('env', 'test')
app.use(
  session({ store, secret: 'of the soak test', resave: false, saveUninitialized: false, cookie: { maxAge: 3600_000 } })
)

/** The part of the session that a client sees, or null. */
function contentsOf({ session }) {
  const { cookie: _cookie, ...contents } = session ?? {}
  return contents.user === undefined ? null : contents
}

/** Saves the session before it responds. express-session would respond before it knows the outcome. */
function saveAndRespond(req, res, next) {
  req.session.save((error) => (error ? next(error) : res.json(contentsOf(req))))
}

app.use(({ query: { milliseconds } }, res, next) => (milliseconds ? setTimeout(next, milliseconds) : next()))
app.get('/session', (req, res) => res.json(contentsOf(req)))
app.post('/write', (req, res, next) => {
  if (contentsOf(req) === null) return res.json(null)
  req.session[req.query.field] = Number(req.query.value)
  return saveAndRespond(req, res, next)
})
app.post('/login', (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error)
    req.session.user = req.query.user
    return saveAndRespond(req, res, next)
  })
})
app.post('/logout', (req, res, next) => req.session.destroy((error) => (error ? next(error) : res.json(null))))
app.use((error, req, res, _next) => {
  // A touch fails after the response was sent.
  if (res.headersSent) return
  // Otherwise express-session saves again, and closes the connection if that fails too.
  req.session = undefined
  res.status(500).json({ error: error.code ?? String(error) })
})

/** The figures that must not grow, measured while no request is in flight. */
async function measure(server) {
  for (let i = 0; i < 3; i++) {
    global.gc()
    await nextTurn()
  }
  const stats = store.stats()
  const [clients] = await new Promise((resolve) => server.getConnections((...results) => resolve(results.slice(1))))
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    rss,
    heap: heapUsed + external,
    handles: process.getActiveResourcesInfo().length - clients,
    files: process.platform === 'linux' ? readdirSync('/proc/self/fd').length - clients - stats.pool.open : 0,
    inFlight: stats.inFlight,
    stats
  }
}

async function main() {
  const server = app.listen(0, '127.0.0.1')
  // A keep-alive connection that closes just as a request arrives would count as a failure of the app.
  server.keepAliveTimeout = 0
  await once(server, 'listening')
  process.on('message', async () => process.send(await measure(server)))
  process.on('disconnect', () => process.exit())
  process.send(`http://127.0.0.1:${server.address().port}`)
}

main()
