'use strict'

const { isDeepStrictEqual } = require('node:util')
const { createHiddenField } = require('./hidden-field.js')
const { TOLERANCE_MS, fromNow, lifetimeOf } = require('./lifetime.js')

/** What the store remembers about a session object between the operations on it. */
class SessionRecord {
  /** `expiry` is the item's, in milliseconds since 1970. It may be rounded up to whole seconds. */
  constructor(session, expiry) {
    const remaining = lifetimeOf(session)
    const originalMaxAge = session.cookie?.originalMaxAge
    this.expiry = expiry
    /** The Base of the session's request, if there is one. */
    this.base = undefined
    /** When the session was created, in seconds since 1970, if it is known. */
    this.created = undefined
    /** The lifetime that the session's cookie states, in seconds. */
    this.lifetime = Number.isFinite(originalMaxAge) ? originalMaxAge / 1000 : remaining
    /** The time until the cookie expires, in seconds. */
    this.remaining = remaining
    /** When the cookie expires, in milliseconds since 1970. */
    this.cookieExpiry = fromNow(remaining * 1000)
  }

  /** Takes the place of an earlier record, so that the object that has it does not need another one. */
  replace(earlier) {
    earlier.expiry = this.expiry
    earlier.base = this.base
    earlier.created = this.created
    earlier.lifetime = this.lifetime
    earlier.remaining = this.remaining
    earlier.cookieExpiry = this.cookieExpiry
  }

  /** Applies what a save has completed with: the session may have been created earlier than the store knew. */
  correct({ created, number }) {
    if (created === undefined) return
    this.created = created
    this.expiry = number * 1000
  }

  /**
   * Whether the app has changed the lifetime of the session since this record was made. `current` is a record that is made
   * now. When a framework touches the session, the same lifetime starts again. That is not a change.
   */
  hasNewLifetime(current) {
    return (
      Math.abs(current.remaining - this.lifetime) * 1000 >= TOLERANCE_MS &&
      Math.abs(current.cookieExpiry - this.cookieExpiry) >= TOLERANCE_MS
    )
  }
}

let lastMoment = 0

/** A number that is higher than all earlier ones. It tells which of two versions of a session is newer. */
function nextMoment() {
  return (lastMoment += 1)
}

/** What a request has read or written of a session. */
class Base {
  /**
   * `text` is the session as the app has it, and `stored` is what the table is expected to hold, if that differs; see
   * parallel/conditional-saves.js.
   */
  constructor(sid, text, stored) {
    this.sid = sid
    this.text = text
    this.stored = stored
    this.moment = nextMoment()
    /** The later saves that may have arrived although they failed: `{ text, written }`. */
    this.unconfirmed = undefined
  }

  /** Remembers a save that failed but may have arrived. `written` is the text that it sent. */
  addUnconfirmed(text, written) {
    this.unconfirmed ??= []
    this.unconfirmed.push({ text, written })
  }

  /** The session as the app had it when the stored session was written, or read. */
  textOf(stored) {
    const arrived = this.unconfirmed?.findLast(({ written }) => isSameText(written, stored))
    return arrived?.text ?? this.text
  }
}

/** A session that is stored as a map does not keep the order of its fields and the form of its numbers. */
function isSameText(written, { text, token }) {
  if (token === undefined || text === undefined) return written === text
  try {
    return isDeepStrictEqual(JSON.parse(written), JSON.parse(text))
  } catch {
    return false
  }
}

/**
 * The record of each session object that was read or written. koa-session does not keep the object that it reads, so
 * there the request's context has the records of its sessions.
 */
class SessionRecords {
  #records = createHiddenField()
  #contexts = new WeakMap()

  get(session) {
    return this.#records.get(session)
  }

  set(session, record) {
    this.#records.set(session, record)
  }

  /** The record of a session in the object that leads from a `get` to the `set` of one request. */
  of({ owner, framework, sid }) {
    const record = framework === 'koa' ? this.#contexts.get(owner)?.get(sid) : this.#records.get(owner)
    // An app may save a session under a different ID.
    return record?.base === undefined || record.base.sid === sid ? record : undefined
  }

  setOf({ owner, framework, sid }, record) {
    if (framework !== 'koa') {
      const isOther = (this.get(owner)?.base?.sid ?? sid) !== sid
      return isOther ? undefined : this.set(owner, record)
    }
    const records = this.#contexts.get(owner) ?? new Map()
    this.#contexts.set(owner, records.set(sid, record))
  }

  deleteInContext(context, sid) {
    this.#contexts.get(context)?.delete(sid)
  }

  /**
   * Gives the record of a session to the object that replaces it. `hasNewCookie`: the replacement's cookie was not
   * copied from the session.
   */
  handOver(session, replacement, hasNewCookie) {
    const record = this.#records.get(session)
    if (record === undefined) return
    const { expiry, base, created } = record
    const given = hasNewCookie ? Object.assign(new SessionRecord(replacement, expiry), { base, created }) : record
    this.#records.set(replacement, given)
  }
}

module.exports = { Base, SessionRecord, SessionRecords, nextMoment }
