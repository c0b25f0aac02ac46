'use strict'

const { fromNow } = require('../lifetime.js')
const { operations } = require('../native/operations.js')
const { parseSession, serializeSession } = require('../session-text.js')
const { specialAttributes } = require('../special-keys.js')
const { mergeSessions } = require('./merge.js')

/** Merges the session of a save into a stored session that is not the one that the request read. */
class VersionMerger {
  #sessions
  #options
  #native

  constructor(sessions, options, native) {
    this.#sessions = sessions
    this.#options = options
    this.#native = native
  }

  /**
   * Returns what to write: `{ text, attributes, user, expiry, changesStored, isMerged, conflicts }`. Returns undefined if the
   * stored attribute is not a session.
   */
  merge(stored, save, baseText) {
    const { stamp, onConflict } = this.#options
    const theirs = stored.text === undefined ? undefined : parseSession(stored.text)
    if (theirs === undefined) return undefined
    const versions = { base: JSON.parse(baseText), theirs, mine: JSON.parse(save.text) }
    const mergeField = typeof onConflict === 'function' ? (...args) => this.#mergeField(...args) : undefined
    const merged = mergeSessions(versions, {
      framework: save.framework,
      stampField: stamp?.field,
      mergeField,
      isMap: this.#options.format === 'map'
    })
    const isMerged = merged.theyChanged && merged.changesTheirs
    const iChanged = merged.own.size > 0 || merged.lifetimeOf === 'mine'
    // Two requests that make the same change are in conflict too: both may have counted down from the same number.
    if (onConflict === 'fail' && merged.theyChanged && iChanged) throw this.#conflictError(save)
    const { text, attributes } = this.#sessions.serializing(operations.set, () => ({
      text: serializeSession(merged.session, stamp),
      attributes: this.#attributesOf(merged, save)
    }))
    const { protection } = this.#sessions
    const expiry = this.#expiryOf(merged, stored, save)
    return {
      text,
      attributes,
      user: protection?.userOf(merged.session),
      expiry: protection?.limited(expiry, save.record.created) ?? expiry,
      changesStored: merged.changesTheirs,
      isMerged,
      conflicts: [...new Set(merged.conflicts)]
    }
  }

  /** Calls the app's function with copies, which it may change. What it throws is the error of the save. */
  #mergeField(name, ...values) {
    const copies = values.map((value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value))))
    const value = this.#options.onConflict(name, ...copies)
    if (typeof value?.then !== 'function') {
      this.#sessions.serializing(operations.set, () => JSON.stringify(value))
      return value
    }
    // Otherwise, a promise that rejects would end the process.
    Promise.resolve(value).catch(() => {})
    const message = 'the function of option onConflict returned a promise; it must return the value'
    throw this.#native.createError(operations.set, 'ConfigError', message)
  }

  /**
   * The attributes of special keys. The values of the request's own fields were converted from its session object, which
   * may hold values that JSON cannot represent.
   */
  #attributesOf({ session, own }, { attributes }) {
    const { specialKeys } = this.#options
    if (specialKeys.length === 0) return null
    const others = specialKeys.filter(({ name }) => !own.has(name))
    const ownAttributes = Object.entries(JSON.parse(attributes)).filter(([name]) => own.has(name))
    return JSON.stringify({ ...JSON.parse(specialAttributes(others, session)), ...Object.fromEntries(ownAttributes) })
  }

  /** The expiry follows whoever has changed the lifetime of the session. If nobody has, the later one stays. */
  #expiryOf({ session, lifetimeOf }, stored, { record }) {
    if (typeof this.#options.ttl === 'function') {
      return fromNow(this.#sessions.lifetimeOf(operations.set, withCookieTimes(session)) * 1000)
    }
    if (lifetimeOf === 'mine') return record.expiry
    if (lifetimeOf === 'theirs') return stored.expiry ?? record.expiry
    return Math.max(record.expiry, stored.expiry ?? -Infinity)
  }

  #conflictError(save) {
    const message =
      'another request has changed the session since this request read it; reload the session and try again'
    return save.failed(this.#native, 'ConflictError', message)
  }
}

/** The session with the times that its cookie has in an app. */
function withCookieTimes(session) {
  const { cookie } = session
  if (typeof cookie?.expires !== 'string') return session
  const expires = new Date(cookie.expires)
  return { ...session, cookie: { ...cookie, expires, maxAge: expires.getTime() - Date.now() } }
}

module.exports = { VersionMerger }
