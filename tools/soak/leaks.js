'use strict'

const { setImmediate: nextTurn } = require('node:timers/promises')
const { parseArgs } = require('node:util')
const { DynamoDBStore } = require('../..')
const { RawClient } = require('../../__test__/support/raw-client')
const { startServer } = require('../../__test__/support/server')

/** Compares the memory after a tenth of the operations with the memory after all of them. Run it with --expose-gc. */
const AT_A_TIME = 64
const SESSIONS = 500
const TOLERANCE = 1.05

async function main() {
  const { operations = '1000000' } = parseArgs({ options: { operations: { type: 'string' } } }).values
  const total = Number(operations)
  const server = await startServer()
  const raw = new RawClient(server.connection)
  await raw.createTable('leaks')
  raw.close()
  const store = new DynamoDBStore({ ...server.connection, table: 'leaks', touchAfter: 0 })
  await run(store, total / 10)
  const before = await residentSize(`after ${total / 10} operations`)
  await run(store, total - total / 10)
  const after = await residentSize(`after ${total} operations`)
  await store.close()
  await server.close()
  process.exitCode = after <= before * TOLERANCE ? 0 : 1
}

async function run(store, operations) {
  let left = operations
  const work = async () => {
    while (left-- > 0) await operation(store, left)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
}

/** Runs one of the five operations in turn. Every tenth fails, as calls of an app may. */
function operation(store, n) {
  const sid = `sid-${n % SESSIONS}`
  const session = { cookie: { maxAge: 60_000 }, user: sid, text: 'é'.repeat(n % 2000) }
  if (n % 10 === 9) return store.set(sid, 'no object').catch(() => {})
  return [
    () => store.set(sid, session),
    () => store.get(sid),
    () => store.touch(sid, session),
    () => store.destroy(sid),
    () => changeInParallel(store, sid, n)
  ][Math.floor(n / 3) % 5]()
}

/** Changes two fields of a session as two requests of koa-session do at once. The second save is merged. */
async function changeInParallel(store, sid, n) {
  const requests = [{ ctx: {} }, { ctx: {} }]
  const sessions = await Promise.all(requests.map((request) => store.get(sid, undefined, request)))
  const change = (session, i) => session && store.set(sid, { ...session, [`field${i}`]: n }, undefined, requests[i])
  await Promise.all(sessions.map(change))
}

async function residentSize(when) {
  for (let i = 0; i < 3; i++) {
    global.gc()
    await nextTurn()
  }
  const { rss, heapUsed } = process.memoryUsage()
  console.log(`${when}: rss ${(rss / 2 ** 20).toFixed(1)} MB, heap ${(heapUsed / 2 ** 20).toFixed(1)} MB`)
  return rss
}

main()
