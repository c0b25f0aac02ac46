'use strict'

const { operations } = require('../native/operations.js')
const { SessionRecord } = require('../session-record.js')

/** A save of a session, which is written as it is at the time of the call. */
class Save {
  /**
   * `owner` is the object that leads from the `get` of a request to this save, and has the record of the session.
   * `text` is the session as JSON. `attributes` are those of special keys, or null.
   */
  constructor(sid, session, owner, framework, text, attributes) {
    this.sid = sid
    this.session = session
    this.owner = owner
    this.framework = framework
    this.text = text
    this.attributes = attributes
    /** The record that the session gets. */
    this.record = new SessionRecord(session)
    /** The session's lifetime in seconds. */
    this.lifetime = 0
    /** Whether a later expiry that is stored stays. */
    this.keepsLater = false
    /** Whether the session is written although it has not changed. */
    this.isRenewal = false
    /** When the save must have ended; see `monotonicNow`. */
    this.deadline = 0
    /** The text that was sent last. */
    this.written = undefined
    /** The requests of the save, in a Series of the native store. */
    this.series = undefined
  }

  /** An error after which the app can reload and save the session again. */
  failed(native, code, message) {
    const error = native.createError(operations.set, code, message)
    error.$metadata.attempts = this.series?.attempts ?? 0
    return Object.assign(error, { retryable: true })
  }
}

module.exports = { Save }
