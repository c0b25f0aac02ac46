'use strict'

const { throwUncaught } = require('./native/bridge.js')

/**
 * Passes the outcome to the callback, if the last argument is one. Otherwise returns the promise.
 *
 * The callback runs once, asynchronously, and in the async context of the call. It runs in a microtask, because tests
 * may mock `process.nextTick` and the timers. An error that it throws does not reject the promise: see `invoke`. If the
 * promise rejects and nobody awaits it, the process must not exit: express-session passes no callback for
 * `req.session.destroy()`.
 */
function callbackOrPromise(promise, rest, sessions) {
  const callback = rest.at(-1)
  if (typeof callback !== 'function') {
    promise.catch(() => {})
    return promise
  }
  promise.then(
    (value) => invoke(sessions, callback, ...(value === undefined ? [null] : [null, value])),
    (error) => invoke(sessions, callback, error)
  )
  return undefined
}

/**
 * Calls a function of the app. What it throws becomes an uncaught exception, or a warning if @fastify/session passed
 * the function. Callers pass `sessions` if @fastify/session may have passed the function.
 */
function invoke(sessions, callback, ...results) {
  try {
    callback(...results)
  } catch (error) {
    if (sessions?.isBehindFastify || (sessions && cameThroughFastify(error))) warnOfThrown(error)
    else throwUncaught(error)
  }
}

/**
 * The store recognizes @fastify/session by the sessions that it passes to `set`. Before the first `set`, only the
 * error's stack shows it.
 */
function cameThroughFastify(error) {
  return /[\\/]@fastify[\\/]session[\\/]/.test(error?.stack)
}

/**
 * Fastify continues the request in the callback and may throw there, for example if a handler sends a second response
 * while the session is being saved. Stores that call the callback inside a promise swallow the error.
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
    return 'a value that cannot be converted to a string'
  }
}

/**
 * Emits an event asynchronously. If a listener throws, the error becomes an uncaught exception, and no operation fails.
 */
function emitLater(emitter, event, value) {
  // With connect-dynamodb, the base class may not be an EventEmitter.
  if (!(emitter.listenerCount?.(event) > 0)) return
  Promise.resolve().then(() => invoke(undefined, () => emitter.emit(event, value)))
}

/** The options among the last arguments of a method, whatever they are, if there are any. */
function optionsIn(rest) {
  return typeof rest[0] === 'function' ? undefined : rest[0]
}

/** A promise that settles like this one, but resolves to undefined. */
function withoutValue(promise) {
  return promise.then(() => undefined)
}

module.exports = { callbackOrPromise, emitLater, invoke, optionsIn, withoutValue }
