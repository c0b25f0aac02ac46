'use strict'

const assert = require('node:assert/strict')
const { setTimeout: sleep } = require('node:timers/promises')
const { callWithCallback } = require('./calls')
const { eventually } = require('./eventually')
const { newSid } = require('./sessions')

/** Timeouts that are short enough for a test. */
const shortTimeouts = { connectTimeout: 300, attemptTimeout: 600, timeout: 1500 }

/**
 * Makes one call while the proxy injects faults, and checks what holds for every fault: the callback is called once, within
 * `timeout` plus 10%; the next operation succeeds after `repair`; and closing the store closes its connections. node:test
 * fails the test if an error is unhandled. Returns { error, value } of the call.
 */
async function callDuringFault(
  { proxy, store, timeout = shortTimeouts.timeout, repair = () => proxy.reset() },
  method,
  ...args
) {
  const result = await settlesWithin(timeout, () => callWithCallback(store, method, ...args))
  await repair()
  assert.deepEqual(await callWithCallback(store, 'get', newSid()), { value: null }, 'the next operation succeeds')
  await store.close()
  await eventually(() => proxy.connections === 0)
  return result
}

/** Waits for `work`, which must take at most `limit` milliseconds plus 10%. */
async function settlesWithin(limit, work) {
  const start = performance.now()
  const elapsed = () => performance.now() - start
  // On a busy machine, the timers of this test are late too.
  const timer = sleep(limit, undefined, { ref: false }).then(elapsed)
  const result = await work()
  const took = elapsed()
  assert.ok(took <= limit || took <= (await timer) * 1.1, `took ${Math.round(took)} ms, at most ${limit} ms allowed`)
  return result
}

module.exports = { callDuringFault, settlesWithin, shortTimeouts }
