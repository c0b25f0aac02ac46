'use strict'

const session = require('express-session')

/** A Session with a Cookie, as express-session passes it to a store. */
function expressSession(data = {}, cookie = { maxAge: 60_000 }) {
  const request = { sessionID: 'the id of the request', sessionStore: {} }
  const made = new session.Session(request, data)
  made.cookie = new session.Cookie(cookie)
  return made
}

module.exports = { expressSession }
