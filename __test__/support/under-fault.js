'use strict'

const assert = require('node:assert/strict')
const { setTimeout: sleep } = require('node:timers/promises')
const { byCallback } = require('./calls')
const { eventually } = require('./eventually')
const { newSid } = require('./sessions')

/** Bounds that are short enough for a test. */
const bounds = { connectTimeout: 300, attemptTimeout: 600, timeout: 1500 }

/**
 * Makes one call under the faults of the proxy, and checks what holds under every fault: the call answers once,
 * within `timeout` and 10 %; when the faults are over the next operation works; and no connection outlives the
 * store. That nothing is left unhandled, node:test sees to. Gives { error, value } of the call.
 */
async function underFault({ proxy, store, timeout = bounds.timeout, mend = () => proxy.reset() }, method, ...args) {
  const result = await inTime(timeout, () => byCallback(store, method, ...args))
  await mend()
  assert.deepEqual(await byCallback(store, 'get', newSid()), { value: null }, 'the next operation works')
  await store.close()
  await eventually(() => proxy.connections === 0)
  return result
}

/** Waits for some work, which must take at most so many milliseconds and 10 %. */
async function inTime(limit, work) {
  const start = performance.now()
  const elapsed = () => performance.now() - start
  // On a machine that is busy a timer of ours is late too.
  const timer = sleep(limit, undefined, { ref: false }).then(elapsed)
  const result = await work()
  const took = elapsed()
  assert.ok(took <= limit || took <= (await timer) * 1.1, `it took ${Math.round(took)} ms of at most ${limit}`)
  return result
}

module.exports = { bounds, inTime, underFault }
