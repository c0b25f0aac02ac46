'use strict'

const { TOLERANCE_MS, fromNow, lifetimeOf } = require('./lifetime.js')

/** What the store remembers about a session object between the operations on it. */
class SessionRecord {
  /** `expiry` is the item's, in milliseconds since 1970. It may be rounded up to whole seconds. */
  constructor(session, expiry) {
    const lifetime = lifetimeOf(session)
    const originalMaxAge = session.cookie?.originalMaxAge
    this.expiry = expiry
    /** The lifetime that the session's cookie states, in seconds. */
    this.lifetime = Number.isFinite(originalMaxAge) ? originalMaxAge / 1000 : lifetime
    /** When the cookie expires, in milliseconds since 1970. */
    this.cookieExpiry = fromNow(lifetime * 1000)
  }

  /**
   * Whether the app has changed the lifetime of the session since this record was made. When a framework touches the
   * session, the same lifetime starts again. That is not a change.
   */
  hasNewLifetime(session) {
    const lifetime = lifetimeOf(session)
    return (
      Math.abs(lifetime - this.lifetime) * 1000 >= TOLERANCE_MS &&
      Math.abs(fromNow(lifetime * 1000) - this.cookieExpiry) >= TOLERANCE_MS
    )
  }
}

/** The record of each session object that was read or written. */
class SessionRecords {
  #records = new WeakMap()

  get(session) {
    return this.#records.get(session)
  }

  set(session, record) {
    this.#records.set(session, record)
  }

  /**
   * Gives the record of a session to the object that replaces it. `hasNewCookie`: the replacement's cookie was not
   * copied from the session.
   */
  handOver(session, replacement, hasNewCookie) {
    const record = this.#records.get(session)
    if (record === undefined) return
    this.#records.set(replacement, hasNewCookie ? new SessionRecord(replacement, record.expiry) : record)
  }
}

module.exports = { SessionRecord, SessionRecords }
