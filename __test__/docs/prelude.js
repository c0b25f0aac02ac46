'use strict'

// Loaded before an example runs. Defines the names that examples use without declaring them, and ends the example.
const assert = require('node:assert/strict')
const { randomBytes, randomUUID } = require('node:crypto')
const net = require('node:net')
const { DynamoDBStore } = require('../..')

process.env.SESSION_KEYS = JSON.stringify([{ id: '2026-11', key: randomBytes(32).toString('base64') }])

const stores = []

class RecordedStore extends DynamoDBStore {
  constructor(options) {
    super(options)
    stores.push(this)
  }
}

/** Names that an example may use without declaring them. */
const predefined = {
  DynamoDBStore: () => RecordedStore,
  store: () => new DynamoDBStore(),
  session: () => require('express-session'),
  app: () => require('express')()
}
for (const [name, create] of Object.entries(predefined)) {
  let value
  Object.defineProperty(globalThis, name, { get: () => (value ??= create()) })
}

/** Uses each store of the example once, after the example has ended. */
process.once('beforeExit', async () => {
  for (const store of stores) {
    const sid = randomUUID()
    await store.set(sid, { user: 'ann', admin: true })
    assert.deepEqual(await store.get(sid), { user: 'ann', admin: true })
    await store.touch(sid, { user: 'ann', admin: true })
    await store.destroy(sid)
  }
})

const { listen } = net.Server.prototype
let visited = false
net.Server.prototype.listen = function (...args) {
  if (!visited) this.once('listening', () => visit(this.address().port))
  visited = true
  return listen.call(this, { port: 0, host: '127.0.0.1' }, ...args.filter((arg) => typeof arg === 'function'))
}

/** Visits an app, whose page must say when the session began. */
async function visit(port) {
  let cookie
  const pages = new Set()
  for (let count = 1; count <= 3; count++) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: cookie ? { cookie } : {} })
    cookie =
      response.headers
        .getSetCookie()
        .map((set) => set.split(';')[0])
        .join('; ') || cookie
    pages.add(await response.text())
  }
  const [page, ...others] = pages
  assert.match(page, /^Your session began at \d{4}-.+\.$/)
  assert.deepEqual(others, [])
  process.exit()
}
