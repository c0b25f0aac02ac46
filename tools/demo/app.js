'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
const { createHmac, timingSafeEqual } = require('node:crypto')
const { tracingChannel } = require('node:diagnostics_channel')
const { setTimeout: sleep } = require('node:timers/promises')
const { GetItemCommand } = require('@aws-sdk/client-dynamodb')
const express = require('express')
const session = require('express-session')

const COOKIE = 'dynamodb-session-demo'
const PRODUCTS = ['coffee', 'bread', 'pears']
const LIFETIMES = [30, 3600] // seconds
const PREFERENCES = new Map([
  ['theme', ['light', 'dark']],
  ['language', ['English', 'German']]
])
const RACE_MS = 300
const KEPT_REQUESTS = 100

const PAGE_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

/** The `ttl` option of the demo's store: each session holds the lifetime that its user chose. */
const lifetimeOf = (session) => session.lifetime ?? LIFETIMES[0]

/**
 * An Express app with a small shop under /shop, and /inspect, which reads the item of the shop's session. The same shop is
 * under /overwriting-shop, with a store of the same table whose `onConflict` is 'overwrite'.
 */
function createApp({ store, overwritingStore, client, table, secret }) {
  const clicks = recordRequests()
  const app = express().disable('x-powered-by')
  app.get(['/', '/page.css', '/page.js'], (request, response) => {
    response.set(PAGE_HEADERS).sendFile(request.path === '/' ? 'page.html' : request.path.slice(1), { root: __dirname })
  })
  app.get('/inspect', async (request, response) => {
    const sid = signedSessionId(request, secret)
    const key = sid && `sess:${sid}`
    const read = key ? await readItem(client, table, key) : {}
    response.json({ now: Date.now(), table, key, ...read, operations: clicks.take([request.query.click].flat()) })
  })
  app.use(['/shop', '/overwriting-shop'], clicks.record, jsonOnly, express.json())
  app.use('/shop', shopSession(store, secret), shop())
  app.use('/overwriting-shop', shopSession(overwritingStore, secret), shop())
  app.use(answerError)
  return app
}

/** The browser keeps the cookie until it is closed, so only the store decides when a session ends. */
function shopSession(store, secret) {
  const cookie = { httpOnly: true, sameSite: 'lax', maxAge: null }
  return session({ store, secret, name: COOKIE, cookie, resave: false, saveUninitialized: false })
}

function shop() {
  const router = express.Router()
  const reply = (request, response) => response.json({ session: request.session?.name ? request.session : null })

  router.get('/session', reply)

  router.post('/login', (request, response, next) => {
    const { name, lifetime } = request.body
    if (typeof name !== 'string' || !name.trim()) return refuse(response, 400, 'Enter a name to log in.')
    if (!LIFETIMES.includes(lifetime)) return refuse(response, 400, 'The lifetime must be 30 or 3600 seconds.')
    request.session.regenerate((error) => {
      if (error) return next(error)
      Object.assign(request.session, {
        name: name.trim().slice(0, 40),
        lifetime,
        cart: {},
        theme: 'light',
        language: 'English'
      })
      reply(request, response)
    })
  })

  router.post('/cart', loggedIn, (request, response) => {
    const { product } = request.body
    if (!PRODUCTS.includes(product)) return refuse(response, 400, 'The shop does not sell this product.')
    const { cart } = request.session
    cart[product] = (cart[product] ?? 0) + 1
    reply(request, response)
  })

  // The requests of a race have all read the session before the first one saves it.
  router.post('/preference', loggedIn, async (request, response) => {
    const { name, value } = request.body
    if (!PREFERENCES.get(name)?.includes(value)) return refuse(response, 400, 'The shop does not have this preference.')
    await sleep(RACE_MS)
    request.session[name] = value
    reply(request, response)
  })

  router.post('/lifetime', loggedIn, (request, response) => {
    const { lifetime } = request.body
    if (!LIFETIMES.includes(lifetime)) return refuse(response, 400, 'The lifetime must be 30 or 3600 seconds.')
    request.session.lifetime = lifetime
    reply(request, response)
  })

  router.post('/logout', (request, response, next) => {
    request.session.destroy((error) => {
      if (error) return next(error)
      response.clearCookie(COOKIE)
      reply(request, response)
    })
  })

  return router
}

function loggedIn(request, response, next) {
  if (request.session.name) return next()
  refuse(response, 401, 'Your session has ended. Log in again.')
}

/** Prevents CSRF, together with the cookie's `sameSite`: a form on another site cannot send JSON. */
function jsonOnly(request, response, next) {
  if (request.method === 'GET' || request.is('json')) return next()
  refuse(response, 415, 'Send JSON.')
}

function refuse(response, status, message) {
  response.status(status).json({ error: { message } })
}

/** Records the operations of the store for each request to the shop. */
function recordRequests() {
  const current = new AsyncLocalStorage()
  const kept = new Map()
  let last = 0
  tracingChannel('dynamodb-session:operation').subscribe({
    start: (operation) => current.getStore()?.push(operation)
  })
  return {
    record(request, response, next) {
      const operations = []
      kept.set(String(++last), operations)
      kept.delete(String(last - KEPT_REQUESTS))
      response.set('X-Click', last)
      current.run(operations, next)
    },
    take(ids) {
      const operations = ids.flatMap((id) => kept.get(id) ?? [])
      for (const id of ids) kept.delete(id)
      return operations.map(({ error, ...operation }) => ({ ...operation, error: error && describe(error) }))
    }
  }
}

/** Reads the item directly from the table, without the store: no expiry check, no touch, and no cost for the shop. */
function readItem(client, table, key) {
  const command = new GetItemCommand({ TableName: table, Key: { id: { S: key } }, ConsistentRead: true })
  return client.send(command).then(
    ({ Item }) => ({ item: Item }),
    (error) => ({ error: describe(error) })
  )
}

/** The session ID from express-session's cookie, if its signature is valid. */
function signedSessionId(request, secret) {
  const cookies = (request.headers.cookie ?? '').split('; ')
  const value = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1)
  const [, sid, signature] = /^s:([^.]+)\.(.+)$/.exec(decode(value)) ?? []
  if (!sid) return null
  const expected = Buffer.from(createHmac('sha256', secret).update(sid).digest('base64').replace(/=+$/, ''))
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected) ? sid : null
}

function decode(value) {
  try {
    return decodeURIComponent(value ?? '')
  } catch {
    return ''
  }
}

function answerError(error, request, response, _next) {
  console.error(`${request.method} ${request.path}: ${error.message}`)
  if (response.headersSent) return
  response.status(error.status ?? 503).json({ error: describe(error) })
}

const describe = ({ code, name, message, retryable }) => ({ code: code ?? name, message, retryable })

module.exports = { createApp, lifetimeOf }
