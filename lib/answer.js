'use strict'

/**
 * Answers through the callback, if the last argument is one, else with the promise.
 *
 * The callback runs once, later, outside of any promise, so that what it throws is the app's uncaught
 * exception; and in the async context of the call. A promise that nobody awaits must not end the process:
 * express-session leaves out the callback of `req.session.destroy()`.
 */
function answer(promise, rest) {
  const callback = rest.at(-1)
  if (typeof callback === 'function') {
    promise.then(
      (value) => (value === undefined ? process.nextTick(callback, null) : process.nextTick(callback, null, value)),
      (error) => process.nextTick(callback, error)
    )
    return undefined
  }
  promise.catch(() => {})
  return promise
}

/** The promise without what it resolves to. */
function done(promise) {
  return promise.then(() => undefined)
}

module.exports = { answer, done }
