'use strict'

const assert = require('node:assert/strict')
const { setImmediate: nextTurn } = require('node:timers/promises')

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
  return error ? { error } : { value }
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

module.exports = { callBothWays, callWithCallback, callWithPromise, collectEvents }
