'use strict'

// A process for the contender given as the argument. It opens stores and measures their operations.

const { contenders } = require('../contenders')
const { serve } = require('../support/children')
const { newSession, sessionIds, tableOf } = require('../support/sessions')
const { difference, megabytes, peakMegabytes, quantile, usage } = require('../support/measurement')

const DAY = 86_400_000

const contender = contenders[process.argv[2]]
const SIDS = contender.readsOneSession ? sessionIds.slice(0, 1) : sessionIds
const stores = new Map()
const sessions = new Map()

// Loads express-session first, because the store extends its Store if it is installed.
require('express-session')

/** `table` overrides the table for the size. */
function storeOf({ endpoint, size, table = tableOf(contender.layout, size) }) {
  const key = `${endpoint} ${table} ${size}`
  if (!stores.has(key)) stores.set(key, contender.open({ endpoint, table, everyTouch: true }))
  return stores.get(key)
}

function sessionOf(size) {
  if (!sessions.has(size)) sessions.set(size, newSession(size))
  return sessions.get(size)
}

/** Reads the sessions as express-session does at the start of a request. */
function readSessions(store) {
  const read = async (sid) => {
    const found = await new Promise((resolve, reject) =>
      store.get(sid, (error, session) => (error ? reject(error) : resolve(session)))
    )
    return store.createSession({ sessionID: sid, sessionStore: store }, found)
  }
  return Promise.all(SIDS.map(read))
}

/** Returns a function that changes a session that was read, starts to save it, and takes the callback. */
async function saverOf(store) {
  if (store.createSession === undefined) return undefined
  const read = await readSessions(store)
  let turn = 0
  return (done) => {
    const index = turn++ % SIDS.length
    read[index].note = `the page of visit ${1_000_000 + turn}`
    store.set(SIDS[index], read[index], done)
  }
}

/** Returns a function that starts one operation and takes its callback. */
function starterOf(operation, store, session) {
  let turn = 0
  const nextSid = () => SIDS[turn++ % SIDS.length]
  if (contender.returnsPromises) {
    const starters = {
      get: (done) => store.get(nextSid()).then((found) => done(null, found), done),
      set: (done) => store.set(nextSid(), session, DAY).then(() => done(null), done)
    }
    return starters[operation]
  }
  const starters = {
    get: (done) => store.get(nextSid(), done),
    set: (done) => store.set(nextSid(), session, done),
    touch: (done) => store.touch(nextSid(), session, done)
  }
  return store[operation] && starters[operation]
}

/**
 * Keeps `inFlight` operations in flight. The warm-up takes `warmup` milliseconds, and at least until `inFlight` operations
 * have completed. Then it measures the operations that complete within `time` milliseconds, or within a longer time if there
 * are too few.
 */
function measure(start, { inFlight, warmup, time }) {
  return new Promise((resolve, reject) => {
    const warm = performance.now() + warmup
    const latencies = []
    let before
    let after
    let end
    let completed = 0
    let running = inFlight
    const next = () => {
      const started = performance.now()
      start((error) => {
        if (error) return reject(error)
        const now = performance.now()
        completed += 1
        if (before !== undefined && after === undefined) {
          latencies.push(now - started)
          if (now >= end && latencies.length >= 2 * inFlight) after = usage()
        } else if (before === undefined && now >= warm && completed >= inFlight) {
          before = usage()
          end = now + time
        }
        if (after === undefined) next()
        else if (--running === 0) resolve({ latencies, used: difference(before, after) })
      })
    }
    for (let i = 0; i < inFlight; i++) next()
  })
}

function figuresOf({ latencies, used }) {
  const count = latencies.length
  const sorted = Float64Array.from(latencies).sort()
  return {
    opsPerSecond: count / (used.time / 1e6),
    p50: quantile(sorted, 0.5) * 1000,
    p99: quantile(sorted, 0.99) * 1000,
    main: used.main / count,
    cpu: used.cpu / count
  }
}

/** A callback for the get of a session that must exist. */
function check(resolve, reject) {
  return (error, session) =>
    session?.user?.name === 'Ann' ? resolve() : reject(error ?? new Error('the session does not exist'))
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number) / numbers.length

serve({
  /** Writes the sessions that a later get reads. The servers without storage do not need it. */
  async putSessions({ endpoint, size, table }) {
    const store = storeOf({ endpoint, size, table })
    const set = starterOf('set', store, sessionOf(size))
    for (let i = 0; i < SIDS.length; i++) {
      await new Promise((resolve, reject) => set((error) => (error ? reject(error) : resolve())))
    }
  },

  /** The figures in microseconds, or null if the contender does not have the operation. */
  async sample({ endpoint, size, table, operation, ...settings }) {
    const store = storeOf({ endpoint, size, table })
    const start = operation === 'save' ? await saverOf(store) : starterOf(operation, store, sessionOf(size))
    if (operation === 'get') await new Promise((resolve, reject) => start(check(resolve, reject)))
    return start ? figuresOf(await measure(start, settings)) : null
  },

  /** Reads and writes sessions. Returns the memory in MB after each tenth of them, and the growth to the last three. */
  async work({ endpoint, size, operations, inFlight }) {
    const store = storeOf({ endpoint, size })
    const [get, set] = ['get', 'set'].map((operation) => starterOf(operation, store, sessionOf(size)))
    const part = async (count) => {
      let started = 0
      const lane = async () => {
        while (started < count) {
          const start = started++ % 10 === 0 ? set : get
          await new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())))
        }
      }
      await Promise.all(Array.from({ length: inFlight }, lane))
      global.gc()
      await new Promise((resolve) => setTimeout(resolve, 100))
      global.gc()
      return megabytes()
    }
    const course = []
    for (let tenth = 0; tenth < 10; tenth++) course.push(await part(operations / 10))
    return { course, growth: mean(course.slice(-3)) - mean(course.slice(1, 4)) }
  },

  peak: () => peakMegabytes()
})
