'use strict'

const { createHmac } = require('node:crypto')
const express = require('express')
const session = require('express-session')
const { DynamoDBStore } = require('dynamodb-session')
const { contentSecurityPolicy, devicesPage, loginPage } = require('./pages')

const secret = process.env.SESSION_SECRET ?? 'for development only'

// `user` is the field of the session that names its user. The store writes it to an attribute with an index, which finds
// the sessions of a user. `createTable` creates the index only with a new table. To add it to an existing table, run
// `npx dynamodb-session init --user-index`, then `rewrite` for the sessions that are already in the table.
const store = new DynamoDBStore({ table: 'sessions', createTable: true, user: 'user' })

const app = express()
app.use((req, res, next) => {
  // Browsers send the origin of the page with each form. Pages of other sites must not submit forms with the user's cookie.
  // Behind a proxy that terminates TLS, Express needs the setting `trust proxy` to know the app's own origin.
  const isTrusted = req.method !== 'POST' || req.get('origin') === `${req.protocol}://${req.get('host')}`
  if (!isTrusted) return res.sendStatus(403)
  res.set({ 'Cache-Control': 'no-store', 'Content-Security-Policy': contentSecurityPolicy })
  next()
})
app.use(express.urlencoded())
app.use(
  session({
    store,
    secret,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 14 * 24 * 60 * 60 * 1000, sameSite: 'lax', secure: 'auto' }
  })
)

app.get('/', async (req, res) => {
  const { user } = req.session
  res.send(user ? devicesPage(user, await devicesOf(req)) : loginPage())
})

app.post('/login', (req, res, next) => {
  const user = String(req.body?.user ?? '').trim()
  // A real app also checks a password.
  if (!user || user.length > 100) return res.status(400).send(loginPage('Say who you are.'))
  // A new session ID at login prevents session fixation: somebody who has planted an ID does not get into this session.
  req.session.regenerate((error) => {
    if (error) return next(error)
    const userAgent = (req.get('user-agent') ?? '').slice(0, 250)
    Object.assign(req.session, { user, userAgent, since: Date.now() })
    res.redirect(303, '/')
  })
})

app.use('/logout', (req, res, next) => (req.session.user ? next() : res.redirect(303, '/')))

app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.redirect(303, '/')))
})

app.post('/logout/device', async (req, res) => {
  const ids = await store.idsOf(req.session.user)
  const id = ids.find((id) => deviceOf(id) === req.body?.device)
  if (id) await store.destroy(id)
  res.redirect(303, '/')
})

app.post('/logout/others', async (req, res) => {
  await store.destroyAllOf(req.session.user, { except: req.sessionID })
  res.redirect(303, '/')
})

/**
 * The user's sessions, this one first. The index lags behind the table for a moment: it may not list this session yet, and
 * may still list a session that has ended.
 */
async function devicesOf({ session, sessionID }) {
  const others = (await store.idsOf(session.user)).filter((id) => id !== sessionID)
  const found = await Promise.all(others.map(async (id) => ({ device: deviceOf(id), ...(await store.get(id)) })))
  const alive = found.filter(({ user }) => user === session.user)
  return [session, ...alive.sort((a, b) => b.since - a.since)]
}

/** Names a session in a form. A session ID must not appear in a page: whoever has it may be able to use the session. */
function deviceOf(id) {
  return createHmac('sha256', secret).update(`device ${id}`).digest('base64url')
}

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`Listening on http://127.0.0.1:${server.address().port}`)
})
