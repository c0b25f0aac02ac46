'use strict'

const { NativeStore } = require('./native/native-store.js')
const { isProtected } = require('./options.js')

/**
 * Opens the sessions of a table, so that wrong options are reported now. Returns a function that returns them. Their code
 * is loaded at the first operation, so that it takes no time from the start of an app. Calls `emit(event, value)` to
 * report events that do not fail an operation.
 */
function openSessions(options, emit) {
  // Without a prototype, no member of Object.prototype counts as an option. An object that is created with
  // `__proto__: null` would have slow properties.
  const ownOptions = Object.setPrototypeOf({ ...options }, null)
  const native = new NativeStore(ownOptions, emit)
  const protection = isProtected(ownOptions) ? openProtection(ownOptions, native) : undefined
  let sessions
  return () => {
    if (sessions === undefined) {
      const { Sessions } = require('./sessions.js')
      sessions = new Sessions(ownOptions, emit, native, protection)
    }
    return sessions
  }
}

function openProtection(options, native) {
  const { Protection } = require('./protection.js')
  return new Protection(options, native)
}

module.exports = { openSessions }
