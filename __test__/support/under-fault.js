'use strict'

const assert = require('node:assert/strict')
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
  const start = performance.now()
  const result = await byCallback(store, method, ...args)
  const took = performance.now() - start
  assert.ok(took <= timeout * 1.1, `${method} took ${Math.round(took)} ms of at most ${timeout}`)
  await mend()
  assert.deepEqual(await byCallback(store, 'get', newSid()), { value: null }, 'the next operation works')
  await store.close()
  await eventually(() => proxy.connections === 0)
  return result
}

module.exports = { bounds, underFault }
