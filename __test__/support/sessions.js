'use strict'

const { randomUUID } = require('node:crypto')

const nowInSeconds = () => Math.floor(Date.now() / 1000)

/** A session as express-session hands it to a store. */
function newSession(data = {}, maxAge = 60_000) {
  const expires = maxAge === null ? null : new Date(Date.now() + maxAge)
  return { cookie: { originalMaxAge: maxAge, maxAge, expires, httpOnly: true, path: '/' }, ...data }
}

/** What a value is after having been JSON text. */
const throughJSON = (value) => JSON.parse(JSON.stringify(value))

module.exports = { newSession, newSid: randomUUID, nowInSeconds, throughJSON }
