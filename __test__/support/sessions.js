'use strict'

const { randomUUID } = require('node:crypto')

const nowInSeconds = () => Math.floor(Date.now() / 1000)

/** A session like express-session passes it to a store. */
function newSession(data = {}, maxAge = 60_000) {
  const expires = maxAge === null ? null : new Date(Date.now() + maxAge)
  return { cookie: { originalMaxAge: maxAge, maxAge, expires, httpOnly: true, path: '/' }, ...data }
}

/** A value after a round trip through JSON. */
const throughJSON = (value) => JSON.parse(JSON.stringify(value))

module.exports = { newSession, newSid: randomUUID, nowInSeconds, throughJSON }
