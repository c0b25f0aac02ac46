'use strict'

const { randomUUID } = require('node:crypto')
const { setTimeout: sleep } = require('node:timers/promises')
const express = require('express')
const session = require('express-session')

const PRODUCTS = ['coffee', 'tea']
const MAX_HISTORY = 100
const MEETING_MS = 2000

const cookieName = (shop) => `demo-${shop}`

/** A small shop whose sessions are in a store. */
function createShop({ name, store, secret }) {
  const router = express.Router()
  const meet = createMeetings()
  // The browser keeps the cookie until it is closed, so only the store decides when a session ends.
  const cookie = { httpOnly: true, sameSite: 'lax', maxAge: null }
  router.use(session({ store, secret, name: cookieName(name), cookie, resave: false, saveUninitialized: false }))

  router.get('/session', reply)

  router.post('/login', withSessions, (request, response, next) => {
    const history = Math.min(Number(request.body.history) || 0, MAX_HISTORY)
    request.session.regenerate((error) => {
      if (error) return next(error)
      Object.assign(request.session, newSession('Laptop'))
      if (history) request.session.history = Array.from({ length: history }, (_, index) => `/products/coffee-${index}`)
      reply(request, response)
    })
  })

  router.post('/cart', loggedIn, (request, response) => {
    const { product } = request.body
    if (!PRODUCTS.includes(product)) return refuse(response, 400, 'The shop does not sell this product.')
    addToCart(request.session, product)
    reply(request, response)
  })

  // Both requests of a race have read the session before either one changes it.
  router.post('/race', loggedIn, async (request, response) => {
    const { race, change } = request.body
    await meet(race)
    if (change === 'cart') addToCart(request.session, 'tea')
    else request.session.theme = request.session.theme === 'light' ? 'dark' : 'light'
    reply(request, response)
  })

  router.post('/logout', withSessions, (request, response, next) => {
    request.session.destroy((error) => {
      if (error) return next(error)
      response.clearCookie(cookieName(name))
      reply(request, response)
    })
  })

  return router
}

function newSession(device, user = `ann-${randomUUID().slice(0, 8)}`) {
  return { user, name: 'Ann', device, since: new Date().toISOString(), theme: 'light', cart: { coffee: 1 } }
}

function addToCart({ cart }, product) {
  cart[product] = (cart[product] ?? 0) + 1
}

function reply(request, response) {
  response.json({ session: request.session?.user ? request.session : null, hasSessions: Boolean(request.session) })
}

/** Makes the first caller with an ID wait for the second one. */
function createMeetings() {
  const waiting = new Map()
  return async (id) => {
    const arrive = waiting.get(id)
    if (arrive) return arrive()
    const met = new Promise((resolve) => waiting.set(id, resolve))
    await Promise.race([met, sleep(MEETING_MS, undefined, { ref: false })])
    waiting.delete(id)
  }
}

/** While the store is disconnected, express-session lets requests through without a session. */
function withSessions(request, response, next) {
  if (request.session) return next()
  refuse(response, 503, 'Sessions are unavailable.')
}

function loggedIn(request, response, next) {
  withSessions(request, response, () => {
    if (request.session.user) return next()
    refuse(response, 401, 'Log in first.')
  })
}

function refuse(response, status, message) {
  response.status(status).json({ error: { message } })
}

module.exports = { createShop, loggedIn, newSession }
