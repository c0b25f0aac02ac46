'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const express = require('express')
const session = require('express-session')
const { Browser } = require('../../support/http')

const secret = 'a secret of the tests, thirty-two characters'

/** A shop on a store: login, cart, logout, and a page that tells what the session holds. */
async function startShop(store) {
  const app = express()
  app.set('env', 'test')
  app.use(session({ store, secret, resave: false, saveUninitialized: false, cookie: { maxAge: 60_000 } }))
  const tell = (req, res) => {
    const { user = null, cart = [], since = null } = req.session
    res.json({ user, cart, since })
  }
  app.post('/login', (req, res, next) =>
    req.session.regenerate((error) => {
      if (error) return next(error)
      Object.assign(req.session, { user: req.query.user, cart: [], since: new Date(0).toISOString() })
      tell(req, res)
    })
  )
  app.post('/cart', (req, res) => {
    req.session.cart.push(req.query.item)
    tell(req, res)
  })
  app.get('/', tell)
  app.post('/logout', (req, res, next) => req.session.destroy((error) => (error ? next(error) : res.json({}))))
  app.use((error, req, res, next) => (res.headersSent ? next(error) : res.status(500).json({ error: String(error) })))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${server.address().port}` }
}

/**
 * Users whose requests reach one store and the other in turn: none loses its session or sees another's. In the
 * end every second one has logged out, and only its session is gone.
 */
async function assertSharedByUsers(stores, users = 50) {
  const shops = await Promise.all(stores.map(startShop))
  try {
    await Promise.all(Array.from({ length: users }, (_, index) => shop(shops, index)))
  } finally {
    for (const { server } of shops) {
      server.closeAllConnections()
      server.close()
    }
  }
}

async function shop(shops, index) {
  const browser = new Browser('')
  let turn = index
  const request = async (method, path) => {
    browser.url = shops[turn++ % shops.length].url
    const { status, body } = await browser.request(method, path)
    assert.equal(status, 200, `${method} ${path}: ${JSON.stringify(body)}`)
    return body
  }
  const user = `user ${index}`
  const cart = []
  await request('POST', `/login?user=${user}`)
  for (const item of ['bread', 'wine', 'salt']) {
    cart.push(item)
    assert.deepEqual((await request('POST', `/cart?item=${item}`)).cart, cart)
    for (const _ of shops) {
      const told = await request('GET', '/')
      assert.deepEqual([told.user, told.cart, told.since], [user, cart, new Date(0).toISOString()])
    }
  }
  if (index % 2 === 0) return
  await request('POST', '/logout')
  for (const _ of shops) assert.equal((await request('GET', '/')).user, null)
}

/** A Session and a Cookie of express-session, as the middleware hands them to a store. */
function expressSession(data = {}, cookie = { maxAge: 60_000 }) {
  const request = { sessionID: 'the id of the request', sessionStore: {} }
  const made = new session.Session(request, data)
  made.cookie = new session.Cookie(cookie)
  return made
}

module.exports = { assertSharedByUsers, expressSession }
