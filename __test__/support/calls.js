'use strict'

const assert = require('node:assert/strict')
const { setImmediate: nextTurn } = require('node:timers/promises')

/** Calls a method with a callback, which must come once, later, and with nothing returned; gives { error, value }. */
async function callWithCallback(store, method, ...args) {
  const calls = []
  let returned = false
  const called = new Promise((resolve) => {
    const answer = store[method](...args, (...results) => {
      calls.push({ results, synchronous: !returned })
      resolve()
    })
    returned = true
    assert.equal(answer, undefined, 'a call with a callback returns nothing')
  })
  await called
  await nextTurn()
  await nextTurn()
  assert.equal(calls.length, 1, 'the callback is called once')
  assert.equal(calls[0].synchronous, false, 'the callback is called later')
  const [error, value] = calls[0].results
  return error ? { error } : { value }
}

/** Calls a method without a callback; gives { error, value }. */
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

/** Calls a method both ways, which must agree; gives { error, value } of the promise once events came too. */
async function callBothWays(store, method, ...args) {
  const callback = await callWithCallback(store, method, ...args)
  const promise = await callWithPromise(store, method, ...args)
  await nextTurn()
  assert.equal(callback.error?.code, promise.error?.code, 'callback and promise fail alike')
  assert.deepEqual(callback.value, promise.value, 'callback and promise give alike')
  return promise
}

/** Collects what an event brings from now on. */
function collectEvents(emitter, name) {
  const events = []
  emitter.on(name, (event) => events.push(event))
  return events
}

module.exports = { callBothWays, callWithCallback, callWithPromise, collectEvents }
