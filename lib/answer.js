'use strict'

const { throwUncaught } = require('./native/bridge.js')

/**
 * Passes the outcome to the callback, if the last argument is one. Otherwise returns the promise.
 *
 * The callback runs once, later, and in the async context of the call. It runs in a microtask, because a test may
 * have mocked `process.nextTick` and the timers. What it throws is reported outside of the promise: as the app's
 * uncaught exception, or as `sessions` says. A promise that nobody awaits must not end the process:
 * express-session leaves out the callback of `req.session.destroy()`.
 */
function answer(promise, rest, sessions) {
  const callback = rest.at(-1)
  if (typeof callback !== 'function') {
    promise.catch(() => {})
    return promise
  }
  promise.then(
    (value) => call(sessions, callback, ...(value === undefined ? [null] : [null, value])),
    (error) => call(sessions, callback, error)
  )
  return undefined
}

/** Calls a function of the app. `sessions` is given if @fastify/session may have passed the function. */
function call(sessions, callback, ...results) {
  try {
    callback(...results)
  } catch (error) {
    if (sessions?.isBehindFastify || (sessions && cameThroughFastify(error))) warnOfThrown(error)
    else throwUncaught(error)
  }
}

/** Only `set` gets a session that shows @fastify/session. Before the first `set`, the stack of the error shows it. */
function cameThroughFastify(error) {
  return /[\\/]@fastify[\\/]session[\\/]/.test(error?.stack)
}

/**
 * Fastify continues the request in the callback and may throw there, for example when a handler sends a second
 * response while the session is being saved. Stores that call back within a promise swallow it.
 */
function warnOfThrown(error) {
  const message = `a callback that @fastify/session passed to the store threw ${textOf(error)}`
  const detail = typeof error?.stack === 'string' ? error.stack : undefined
  process.emitWarning(message, { type: 'DynamoDBSessionWarning', code: 'DYNAMODB_SESSION_CALLBACK', detail })
}

function textOf(thrown) {
  try {
    return String(thrown)
  } catch {
    return 'a value that has no text'
  }
}

/** Emits an event later. What a listener throws is the app's uncaught exception and does not fail an operation. */
function emitLater(emitter, event, value) {
  // The base class of connect-dynamodb need not be an EventEmitter.
  if (!(emitter.listenerCount?.(event) > 0)) return
  Promise.resolve().then(() => call(undefined, () => emitter.emit(event, value)))
}

/** The promise without what it resolves to. */
function done(promise) {
  return promise.then(() => undefined)
}

module.exports = { answer, call, done, emitLater }
