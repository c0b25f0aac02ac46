'use strict'

// A program that runs a shop on koa-session or express-session. The parent process sends the settings, with the module of
// the store, and the shop sends its URL back.

// The published @pwrdrvr/dynamodb-session-store loads only if TypeScript's helpers are global.
globalThis.__importDefault ??= require('tslib').__importDefault

const { once } = require('node:events')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const express = require('express')
const session = require('express-session')
const { frameworks, startKoaApp } = require('./koa-app')

/** How to create a store of each package for express-session. */
const makers = {
  'connect-dynamodb': (factory, { table, connection }) =>
    new (factory(session))({ client: new DynamoDBClient(connection), table }),
  'dynamodb-store': (Store, { table, connection: { credentials, ...others }, ...options }) =>
    new Store({ table: { name: table }, dynamoConfig: { ...credentials, ...others }, ...options }),
  '@pwrdrvr/dynamodb-session-store': ({ DynamoDBStore }, { table, connection, ...options }) =>
    new DynamoDBStore({ dynamoDBClient: new DynamoDBClient(connection), tableName: table, ...options })
}

async function startExpressShop({ name, module, ...settings }) {
  const store = makers[name](require(module), settings)
  const app = express()
  const secret = 'a secret of the tests, thirty-two characters'
  app.use(session({ store, secret, resave: false, saveUninitialized: false, cookie: { maxAge: 60_000 } }))
  const sendSession = (req, res) => {
    const { cookie: _, lastModified: _stamp, updated: _date, ...data } = req.session
    res.json({ session: data })
  }
  app.get('/', sendSession)
  app.post('/login', (req, res, next) =>
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.user = req.query.user
      sendSession(req, res)
    })
  )
  app.post('/cart', (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.query.item]
    sendSession(req, res)
  })
  app.post('/logout', (req, res, next) => req.session.destroy((error) => (error ? next(error) : res.json({}))))
  app.use((error, req, res, next) => (res.headersSent ? next(error) : res.status(500).json({ error: String(error) })))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${server.address().port}` }
}

function startKoaShop({ module, framework, ...options }) {
  const Store = require(module)
  const { session } = frameworks.find(({ name }) => name === framework)
  return startKoaApp(session, { store: new Store(options), maxAge: 60_000 })
}

process.once('disconnect', () => process.exit())
process.once('message', async (settings) => {
  const { url } = await (settings.framework ? startKoaShop(settings) : startExpressShop(settings))
  process.send(url)
})
