'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')

/** Starts an app that counts the views of a session, and visits it twice. The process must then exit by itself. */
module.exports = async function visit(express, session, DynamoDBStore) {
  const store = new DynamoDBStore({ table: 'sessions', createTable: true })
  const app = express()
  app.use(session({ store, secret: 'of the rehearsal', resave: false, saveUninitialized: false }))
  app.get('/', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.json(req.session.views)
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}`

  const first = await fetch(url)
  // express-session saves the session before it sends the end of the body.
  assert.equal(await first.json(), 1)
  const cookie = first.headers.getSetCookie()[0].split(';')[0]
  const second = await fetch(url, { headers: { cookie } })
  assert.equal(await second.json(), 2)
  server.close().closeAllConnections()
  await store.close()
}
