'use strict'

// What an example takes for granted, and what ends it: this file is loaded before the example runs.
const assert = require('node:assert/strict')
const { randomUUID } = require('node:crypto')
const net = require('node:net')
const { DynamoDBStore } = require('../../..')

const made = []

class TriedDynamoDBStore extends DynamoDBStore {
  constructor(options) {
    super(options)
    made.push(this)
  }
}

/** Names that an example uses without a declaration of its own. */
const given = {
  DynamoDBStore: () => TriedDynamoDBStore,
  store: () => new DynamoDBStore(),
  session: () => require('express-session'),
  app: () => require('express')()
}
for (const [name, make] of Object.entries(given)) {
  let value
  Object.defineProperty(globalThis, name, { get: () => (value ??= make()) })
}

/** A store that was made and not used is used once, when the example has come to its end. */
process.once('beforeExit', async () => {
  for (const store of made) {
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

/** An app has to count its visitor's views. */
async function visit(port) {
  let cookie
  for (const count of [1, 2, 3]) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: cookie ? { cookie } : {} })
    cookie =
      response.headers
        .getSetCookie()
        .map((set) => set.split(';')[0])
        .join('; ') || cookie
    assert.equal(await response.text(), `${count} views`)
  }
  process.exit()
}
