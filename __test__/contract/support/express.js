'use strict'

const { createHmac } = require('node:crypto')
const { once } = require('node:events')
const { beforeEach, afterEach } = require('node:test')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const connectDynamoDB = require('connect-dynamodb')
const express = require('express')
const session = require('express-session')
const sinon = require('sinon')
const { Browser } = require('../../support/browser')
const { entries } = require('../../support/entry-points')

/** The entry points whose stores work with express-session. */
const stores = entries.filter(({ frameworks }) => frameworks.includes('express'))
const [native] = stores

/** The published connect-dynamodb. */
const original = {
  name: 'the original connect-dynamodb',
  schema: { hashKey: 'id' },
  prefix: 'sess:',
  create({ connection, table }) {
    const client = new DynamoDBClient(connection)
    return new (connectDynamoDB(session))({ client, table, initialized: true })
  }
}

/** The options of a store that make every touch send a request. */
function writingOptions(name) {
  if (name.endsWith('/dynamodb-store')) return { touchInterval: 0 }
  return name.includes('pwrdrvr') ? { touchAfter: 1 } : {}
}

/** Creates a store on a new table, with functions that read and write items of that table directly. */
async function openStore(dynamodb, { name, schema, prefix, create }, options) {
  const table = await dynamodb.newTable(schema)
  const store = create({ connection: dynamodb.connection, table }, { ...writingOptions(name), ...options })
  const keyOf = (sid) => ({ [schema.hashKey]: { S: prefix + sid } })
  return {
    store,
    expiresOf: async (sid) => Number((await dynamodb.raw.read(table, { [schema.hashKey]: prefix + sid })).expires.N),
    putItem: (sid, attributes) => dynamodb.raw.putItem(table, { ...keyOf(sid), ...attributes })
  }
}

/** Calls a method with a callback, which every store supports, and returns a promise. */
function call(store, method, ...args) {
  return new Promise((resolve, reject) => {
    store[method](...args, (error, value) => (error ? reject(error) : resolve(value)))
  })
}

/** Replaces Date during each test of the current suite or file. */
function useFakeDate() {
  let clock
  beforeEach(() => (clock = sinon.useFakeTimers({ now: Date.now(), toFake: ['Date'] })))
  afterEach(() => clock.restore())
  return {
    tick: (milliseconds) => clock.tick(milliseconds),
    setSystemTime: (time) => clock.setSystemTime(time)
  }
}

const secret = 'a secret of the tests, thirty-two characters'

/** Starts an Express app whose routes read and change the session and its cookie, and returns a browser for it. */
async function startApp(t, store, { cookie = {}, rolling = false, pause } = {}) {
  const app = express()
  app.set('env', 'test')
  app.use(session({ store, secret, resave: false, saveUninitialized: false, rolling, cookie }))
  const show = (req, res) => {
    const { maxAge, originalMaxAge } = req.session.cookie
    res.json({
      id: req.sessionID,
      user: req.session.user ?? null,
      note: req.session.note ?? null,
      maxAge,
      originalMaxAge
    })
  }
  app.post('/login', (req, res) => {
    req.session.user = 'Ann'
    show(req, res)
  })
  app.get('/', show)
  app.get('/slow', async (req, res) => {
    await pause()
    show(req, res)
  })
  app.post('/save', (req, res, next) => {
    req.session.note = 'saved'
    req.session.save((error) => (error ? next(error) : show(req, res)))
  })
  app.post('/reload-and-save', (req, res, next) => {
    req.session.reload((error) => {
      if (error) return next(error)
      req.session.note = 'saved'
      req.session.save((error) => (error ? next(error) : show(req, res)))
    })
  })
  app.post('/max-age', (req, res) => {
    if (req.query.note) req.session.note = req.query.note
    req.session.cookie.maxAge = Number(req.query.ms)
    show(req, res)
  })
  app.get('/load', (req, res, next) => {
    store.load(req.sessionID, (error, loaded) => (error ? next(error) : res.json(loaded)))
  })
  app.use((error, req, res, next) => (res.headersSent ? next(error) : res.status(500).json({ error: error.message })))
  const server = app.listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return new Browser(`http://127.0.0.1:${server.address().port}`)
}

/** A session ID with its signature, in the format of express-session and @fastify/session. */
function sign(sid) {
  return `${sid}.${createHmac('sha256', secret).update(sid).digest('base64').replace(/=+$/, '')}`
}

/** Gives a browser the cookie of the session with this ID. */
function setSessionCookie(browser, sid) {
  browser.cookies.set('connect.sid', encodeURIComponent(`s:${sign(sid)}`))
  return browser
}

module.exports = { call, native, openStore, original, setSessionCookie, sign, startApp, stores, useFakeDate }
