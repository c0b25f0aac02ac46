'use strict'

const assert = require('node:assert/strict')
const { setImmediate: nextTurn, setTimeout: sleep } = require('node:timers/promises')
const { newSid } = require('./sessions')

/** Timeouts that are short enough for a test. */
const shortTimeouts = { connectTimeout: 300, attemptTimeout: 600, timeout: 1500 }

/** Calls a method with a callback and returns { error, value }. The callback must be called once and asynchronously. */
async function callWithCallback(store, method, ...args) {
  const calls = []
  let returned = false
  const called = new Promise((resolve) => {
    const result = store[method](...args, (...results) => {
      calls.push({ results, synchronous: !returned })
      resolve()
    })
    returned = true
    assert.equal(result, undefined, 'a call with a callback returns undefined')
  })
  await called
  await nextTurn()
  await nextTurn()
  assert.equal(calls.length, 1, 'the callback is called once')
  assert.equal(calls[0].synchronous, false, 'the callback is called asynchronously')
  const [error, value] = calls[0].results
  return error ? { error } : { value: method === 'get' ? withoutCarrier(value) : value }
}

/** A session that `get` passed to a callback, without the prototype that @fastify/session copies. */
function withoutCarrier(session) {
  const isCarried = session && !Object.hasOwn(session, 'toJSON') && typeof session.toJSON === 'function'
  return isCarried ? { ...session } : session
}

/** Calls a method without a callback and returns { error, value } of its promise. */
async function callWithPromise(store, method, ...args) {
  let promise
  try {
    promise = store[method](...args)
  } catch (error) {
    assert.fail(`${method} threw instead of rejecting: ${error}`)
  }
  assert.ok(promise instanceof Promise, `${method} returns a promise`)
  return promise.then(
    (value) => ({ value }),
    (error) => ({ error })
  )
}

/** Calls a method with a callback and with a promise, which must agree. Returns { error, value } after all events. */
async function callBothWays(store, method, ...args) {
  const callback = await callWithCallback(store, method, ...args)
  const promise = await callWithPromise(store, method, ...args)
  await nextTurn()
  assert.equal(callback.error?.code, promise.error?.code, 'callback and promise fail with the same code')
  assert.deepEqual(callback.value, promise.value, 'callback and promise return the same value')
  return promise
}

/** Collects the arguments of an event from now on. */
function collectEvents(emitter, name) {
  const events = []
  emitter.on(name, (event) => events.push(event))
  return events
}

/** Waits until a condition holds, and throws after a time limit. */
async function eventually(condition, milliseconds = 5000) {
  const deadline = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the condition did not hold within ${milliseconds} ms: ${condition}`)
    await sleep(5)
  }
}

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

module.exports = {
  callBothWays,
  callDuringFault,
  callWithCallback,
  callWithPromise,
  collectEvents,
  eventually,
  settlesWithin,
  shortTimeouts
}
