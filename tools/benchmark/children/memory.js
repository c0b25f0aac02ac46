'use strict'

// A process that measures the memory of stores of the contender given as the argument. Needs --expose-gc.

const { setTimeout: pause } = require('node:timers/promises')
const { contenders } = require('../contenders')
const { serve } = require('../support/children')
const { megabytes, resetPeak, peakSinceReset } = require('../support/measurement')
const { newSession, sessionIds } = require('../support/sessions')

const DAY = 86_400_000

const contender = contenders[process.argv[2]]
const [sid] = sessionIds

// Loads express-session first, because the store extends its Store if it is installed.
require('express-session')

function call(store, method, ...args) {
  if (contender.returnsPromises) return store[method](...args, DAY)
  return new Promise((resolve, reject) =>
    store[method](...args, (error, result) => (error ? reject(error) : resolve(result)))
  )
}

async function read(store) {
  const session = await call(store, 'get', sid)
  if (session?.user?.name !== 'Ann') throw new Error('the session does not exist')
}

/** Opens a store that has written and read a session. */
async function openUsed({ size, ...options }) {
  const store = contender.open(options)
  await call(store, 'set', sid, newSession(size))
  await read(store)
  return store
}

async function settledMegabytes() {
  global.gc()
  await pause(200)
  global.gc()
  return megabytes()
}

const readAtOnce = (store, count) => Promise.all(Array.from({ length: count }, () => read(store)))

serve({
  /** The KB of an idle store: the growth by `count` stores after the first one. */
  async idle({ count, ...options }) {
    const stores = [await openUsed(options)]
    const before = await settledMegabytes()
    while (stores.length <= count) stores.push(await openUsed(options))
    return ((await settledMegabytes()) - before) * (1024 / count)
  },

  /** The MB by which the process grows at most while `count` gets are in progress. */
  async concurrent({ count, ...options }) {
    const store = await openUsed(options)
    for (let batch = 0; batch < 20; batch++) await readAtOnce(store, 50)
    const before = await settledMegabytes()
    resetPeak()
    await readAtOnce(store, count)
    return peakSinceReset() - before
  }
})
