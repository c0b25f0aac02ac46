'use strict'

const { operations } = require('./native/operations.js')
const { hashOf } = require('./tracing.js')

/** Reports what happens to sessions without failing an operation. index.d.ts documents the events. */
class SessionEvents {
  #emit
  #tableName
  #native
  #missing = 0

  /** Calls `emit(event, value)`. */
  constructor(emit, { table }, native) {
    this.#emit = emit
    this.#tableName = table
    this.#native = native
  }

  stats() {
    return { missing: this.#missing }
  }

  corrupt(error) {
    this.#emit('corrupt', error)
  }

  /** Reports an item whose session attribute is not a session. */
  notASession(operation) {
    const message = 'the session attribute is not a JSON object'
    this.corrupt(this.#native.createError(operation, 'CorruptItemError', message))
  }

  /** Reports that a session to save or touch has ended. */
  missing(operation, sid) {
    this.#missing += 1
    this.#emitAbout('missing', operation, sid)
  }

  /** Reports that two requests have changed the same fields of a session. */
  conflict(sid, fields) {
    this.#emitAbout('conflict', operations.set, sid, { fields })
  }

  #emitAbout(event, { method: operation }, sid, details) {
    this.#emit(event, { operation, tableName: this.#tableName, sidHash: hashOf(sid), ...details })
  }
}

module.exports = { SessionEvents }
