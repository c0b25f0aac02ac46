'use strict'

/**
 * On-demand prices of the DynamoDB Standard table class in US dollars for a million request units. A unit of capacity is
 * one request unit.
 */
const PRICES = { region: 'US East (N. Virginia)', date: 'November 1, 2024', read: 0.125, write: 0.625 }
const PAGES = 20
const CHANGE_EVERY = 10
const HISTORY = 72 // makes a session of about 2 KB

/**
 * Measures the capacity units of a user who logs in and views 20 pages, every tenth of which changes the session, and
 * computes the price of a million page views. It sends the same requests as a browser does.
 */
async function measureBill(origin, shops) {
  const stores = []
  for (const { name } of shops) stores.push({ name, ...(await measureShop(origin, name)) })
  return { prices: PRICES, pages: PAGES, changeEvery: CHANGE_EVERY, stores }
}

async function measureShop(origin, shop) {
  const browser = new Visitor(`${origin}/shops/${shop}`)
  await browser.post('/login', { history: HISTORY })
  for (let page = 1; page <= PAGES; page++) {
    if (page % CHANGE_EVERY === 0) await browser.post('/cart', { product: 'coffee' })
    else await browser.get('/session')
  }
  const { session } = await browser.get('/session')
  const { requests } = await browser.fetchJson(`${origin}/requests/${browser.clicks.slice(0, PAGES + 1)}`)
  const units = { read: 0, write: 0 }
  for (const { operation, capacityUnits } of requests.flat()) {
    units[/^(Get|Query|Describe)/.test(operation) ? 'read' : 'write'] += capacityUnits ?? 0
  }
  const views = PAGES + 1
  const perMillion = (units.read * PRICES.read + units.write * PRICES.write) / views
  const size = JSON.stringify(session).length
  return { size, reads: (units.read / views) * 1000, writes: (units.write / views) * 1000, perMillion }
}

/** A browser of one user: it keeps the cookie of the shop. */
class Visitor {
  clicks = []
  #cookie = ''

  constructor(url) {
    this.url = url
  }

  get(path) {
    return this.fetchJson(this.url + path)
  }

  post(path, body) {
    const headers = { 'content-type': 'application/json' }
    return this.fetchJson(this.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  async fetchJson(url, { headers, ...options } = {}) {
    const response = await fetch(url, { ...options, headers: { ...headers, cookie: this.#cookie } })
    const body = await response.json()
    if (!response.ok) throw new Error(body.error.message)
    for (const text of response.headers.getSetCookie()) this.#cookie = text.split(';')[0]
    if (response.headers.has('x-click')) this.clicks.push(response.headers.get('x-click'))
    return body
  }
}

module.exports = { measureBill }
