'use strict'

const { randomBytes, randomUUID } = require('node:crypto')

const nowInSeconds = () => Math.floor(Date.now() / 1000)

/** A session in the format in which express-session passes it to a store. */
function newSession(data = {}, maxAge = 60_000) {
  // Stored expiries are rounded up to whole seconds. The cookie expires a little later than its maxAge, so that `get` does not
  // move its expiry if a second passes before the session is stored.
  const expires = maxAge === null ? null : new Date(Date.now() + maxAge + 900)
  return { cookie: { originalMaxAge: maxAge, maxAge, expires, httpOnly: true, path: '/' }, ...data }
}

/** An instance of Session with a Cookie, as express-session passes it to a store. */
function expressSession(data = {}, cookie = { maxAge: 60_000 }) {
  const { Cookie, Session } = require('express-session')
  const request = { sessionID: 'the id of the request', sessionStore: {} }
  const created = new Session(request, data)
  created.cookie = new Cookie(cookie)
  return created
}

/** A value after a round trip through JSON. */
const throughJSON = (value) => JSON.parse(JSON.stringify(value))

/** A key for the option encryption. */
const newKey = (id = '2026-11') => ({ id, key: randomBytes(32) })

module.exports = { expressSession, newKey, newSession, newSid: randomUUID, nowInSeconds, throughJSON }
