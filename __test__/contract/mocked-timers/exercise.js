'use strict'

const { entries } = require('../../support/entry-points')

/** The server of the parent process, and a table for each entry point. */
const { connection, tables } = JSON.parse(process.env.CONNECTION)

const callWithCallback = (store, method, ...args) =>
  new Promise((resolve, reject) => {
    store[method](...args, (error, value) => (error ? reject(error) : resolve(value)))
  })

/** Calls the methods of a new store, with callbacks if it has them, or else with promises. */
async function exercise({ name, create, frameworks }) {
  const store = create({ connection, table: tables[name] })
  const call = frameworks.includes('express') ? callWithCallback : (target, method, ...args) => target[method](...args)
  const missing = new Promise((resolve) => store.on('missing', resolve))
  const session = { cookie: { maxAge: 60_000, originalMaxAge: 60_000 }, user: 'ann' }
  await call(store, 'set', 'id', session, 60_000)
  const { user } = await call(store, 'get', 'id')
  if (store.touch !== undefined) {
    await call(store, 'touch', 'another', { ...session, cookie: { maxAge: 90_000 } })
    await missing
  }
  await call(store, 'destroy', 'id')
  const destroyed = await call(store, 'get', 'id')
  await store.close()
  return { user, destroyed: destroyed ?? null }
}

const expected = { user: 'ann', destroyed: null }

module.exports = { connection, entries, exercise, expected, tables }
