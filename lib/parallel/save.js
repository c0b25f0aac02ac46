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
    /** The user of the session, if the store has the option. */
    this.user = undefined
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

/**
 * The saves in progress, by session ID. Saves of one session run one after another, and each one starts from what the
 * previous one wrote. Otherwise, most of them would collide.
 */
class SaveQueues {
  #queues = new Map()

  /**
   * Calls `start(queue)` after the earlier saves of the session have succeeded or failed, and returns its promise.
   * `queue.stored` is for the saves to use, and lasts as long as saves are in progress. Each save must call `leave` when
   * it ends.
   */
  enter(sid, start) {
    const queue = this.#queues.get(sid)
    if (queue === undefined) {
      const created = { length: 1, last: undefined, stored: undefined }
      this.#queues.set(sid, created)
      return (created.last = start(created))
    }
    queue.length += 1
    const next = () => start(queue)
    return (queue.last = queue.last.then(next, next))
  }

  leave(sid, queue) {
    queue.length -= 1
    if (queue.length === 0) this.#queues.delete(sid)
  }
}

module.exports = { Save, SaveQueues }
