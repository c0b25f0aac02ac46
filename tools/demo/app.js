'use strict'

const path = require('node:path')
const express = require('express')
const { measureBill } = require('./bill')
const { devicesOf } = require('./devices')
const { createItems } = require('./items')
const { describeError, recordRequests } = require('./requests')
const { createShop } = require('./shop')

const PAGE = path.join(__dirname, 'page')
const PAGE_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

/** An Express app with the page, a shop for each store, and what the page shows about them. */
function createApp({ shops, store, encryptedStore, comparedClient, client, table, connectionSwitch, secret }) {
  const requests = recordRequests(comparedClient)
  const items = createItems({ client, encryptedStore, table })
  const app = express().disable('x-powered-by')
  app.use(jsonOnly, express.json(), (request, response, next) => response.set('Cache-Control', 'no-store') && next())

  for (const { name, store: shopStore, prefix } of shops) {
    const shop = createShop({ name, store: shopStore, secret })
    shop.get('/item', items.stored(prefix))
    if (shopStore === store) shop.get('/encrypted-item', items.encrypted).use('/devices', devicesOf({ store, secret }))
    app.use(`/shops/${name}`, requests.record, shop)
  }
  app.get('/requests/:clicks', (request, response) => {
    response.json({ requests: request.params.clicks.split(',').map(requests.of) })
  })

  let bill
  app.get('/bill', async (request, response) => {
    bill ??= measureBill(`http://${request.socket.localAddress}:${request.socket.localPort}`, shops)
    bill.catch(() => (bill = undefined))
    response.json(await bill)
  })

  app.post('/connection', async (request, response) => {
    await connectionSwitch.turn(request.body.on === true)
    response.json({ on: connectionSwitch.isOn })
  })
  // A readiness probe reads a session that does not exist, which also tells a disconnected store that the service is back.
  app.get('/ready', async (request, response) => {
    await store.get('readiness probe')
    response.json({ ready: true })
  })

  app.use(express.static(PAGE, { setHeaders: (response) => response.set(PAGE_HEADERS) }))
  app.use(answerError)
  return app
}

/** Prevents CSRF, together with the cookie's `sameSite`: a form on another site cannot send JSON. */
function jsonOnly(request, response, next) {
  if (['GET', 'HEAD'].includes(request.method) || request.is('json')) return next()
  response.status(415).json({ error: { message: 'Send JSON.' } })
}

function answerError(error, request, response, next) {
  if (response.headersSent) return next(error)
  response.status(error.status ?? 503).json({ error: describeError(error) })
}

module.exports = { createApp }
