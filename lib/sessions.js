'use strict'

const { renewCookie } = require('./cookie-renewal.js')
const { cookieFields, isCookie } = require('./express-cookie.js')
const { FastifyWrites, isFastifySession } = require('./fastify-writes.js')
const { plainJson } = require('./json.js')
const { fromNow, lifetimeOf, touchAfterOf } = require('./lifetime.js')
const { NativeStore } = require('./native/native-store.js')
const { operations } = require('./native/operations.js')
const { newTableOf } = require('./options.js')
const { SessionRecord, SessionRecords } = require('./session-record.js')
const { parseSession, requireObject, serializeSession } = require('./session-text.js')
const { hashOf } = require('./tracing.js')

/** Maximum length of a partition key and of a sort key, in bytes. */
const LONGEST_HASH_KEY = 2048
const LONGEST_SORT_KEY = 1024

/** The sessions of a table. Each operation returns a promise. */
class Sessions {
  #options
  #native
  #emit
  #codec
  #records = new SessionRecords()
  #fastifyWrites = new FastifyWrites()
  /** The cookie options of an Express app, or undefined before express-session has generated a session. */
  #cookieOptions
  #touchesSaved = 0
  /** Whether @fastify/session uses this store. Becomes true at the first `set` of one of its sessions. */
  isBehindFastify = false

  /** Calls `emit(event, value)` to report events that do not fail an operation. */
  constructor(options, emit) {
    // Without a prototype, no member of Object.prototype counts as an option. An object that is created with
    // `__proto__: null` would have slow properties.
    this.#options = Object.setPrototypeOf({ ...options }, null)
    this.#native = new NativeStore(this.#options, emit)
    this.#emit = emit
  }

  /** Resolves to the session, or null. */
  async get(sid) {
    return (await this.find(sid)).session
  }

  /** Resolves to `{ session, isExpired }`. Without a session, `session` is null. */
  async find(sid) {
    const operation = operations.get
    const missing = { session: null, isExpired: false }
    if (!this.#checkId(operation, sid)) return missing
    let completion
    try {
      completion = await this.#native.run(operation, sid, Date.now())
    } catch (error) {
      if (error.code !== 'CorruptItemError') throw error
      this.#emit('corrupt', error)
      return missing
    }
    if (completion.text === undefined) return { session: null, isExpired: completion.expired }
    return { session: this.parse(completion.text, completion.number), isExpired: false }
  }

  /** Parses an item's text. If it holds no session, emits `corrupt` and returns null. `expires` is in seconds. */
  parse(text, expires) {
    const session = parseSession(text)
    if (session === undefined) {
      const message = 'the session attribute is not a JSON object'
      this.#emit('corrupt', this.#native.createError(operations.get, 'CorruptItemError', message))
      return null
    }
    renewCookie(this.#options, session, expires)
    this.#records.set(session, new SessionRecord(session, expires === undefined ? -Infinity : expires * 1000))
    return session
  }

  /** The session ID, text, session, and expiry of an item; see ItemCodec. */
  decodeItem(item) {
    const { ItemCodec } = require('./native/item-codec.js')
    this.#codec ??= new ItemCodec(this.#options)
    return this.#codec.decode(item)
  }

  /** Writes the session as it is at the time of the call. */
  async set(sid, session, maxAge) {
    const operation = operations.set
    if (!this.#checkId(operation, sid)) {
      const message = 'the session ID is empty, too long for a key, or not well-formed Unicode'
      throw this.#native.createError(operation, 'InvalidSessionIdError', message)
    }
    const { stamp, specialKeys } = this.#options
    const { text, attributes, record, isFromFastify } = this.#serializing(operation, () => ({
      text: serializeSession(session, stamp),
      attributes: specialKeys.length > 0 ? require('./special-keys.js').specialAttributes(specialKeys, session) : null,
      record: new SessionRecord(session),
      isFromFastify: isFastifySession(session)
    }))
    this.isBehindFastify ||= isFromFastify
    record.expiry = fromNow(this.#lifetimeOf(operation, session, maxAge) * 1000)
    const expires = this.secondsOf(record.expiry)
    const write = this.#native.run(operation, sid, text, expires, attributes)
    await (isFromFastify ? this.#fastifyWrites.inOrder(sid, write) : write)
    this.#records.set(session, record)
  }

  /**
   * Resolves to the item's new expiry in seconds, or to undefined if no write was needed or the session is missing.
   *
   * The expiry becomes earlier only if the app has changed the session's lifetime. Without this rule, a request that
   * read the session before another request lengthened its lifetime would undo that change.
   */
  async touch(sid, session) {
    const { disableTouch, stamp } = this.#options
    if (disableTouch) return undefined
    const operation = operations.touch
    if (!this.#checkId(operation, sid)) return this.#emitMissing(sid)
    this.#serializing(operation, () => requireObject(session))
    const lifetime = this.#lifetimeOf(operation, session)
    const previous = this.#records.get(session)
    const { keepsLater, record } = this.#serializing(operation, () => ({
      keepsLater: previous !== undefined && !previous.hasNewLifetime(session),
      record: new SessionRecord(session)
    }))
    const wanted = fromNow(lifetime * 1000)
    record.expiry = keepsLater ? Math.max(wanted, previous.expiry) : wanted
    if (this.#serializing(operation, () => this.#isFresh(session, previous, record, lifetime)))
      return this.countSavedTouch()
    const expires = this.secondsOf(record.expiry)
    const stamped = stamp === undefined ? null : [stamp.field, plainJson(stamp.attribute(Date.now()))]
    const completion = await this.#native.run(operation, sid, expires, keepsLater, Date.now(), stamped)
    const stored = completion.number
    if (stored === undefined) return this.#emitMissing(sid)
    if (stored > expires) record.expiry = stored * 1000
    this.#records.set(session, record)
    return stored
  }

  /** An expiry in whole seconds, rounded up so that no session ends early. */
  secondsOf(expiry) {
    return (this.#options.round ?? Math.ceil)(expiry / 1000)
  }

  /** Counts a touch that needs no request. */
  countSavedTouch() {
    this.#touchesSaved += 1
    return undefined
  }

  /** Whether the expiry was written so recently that a touch needs no request. */
  #isFresh(session, previous, record, lifetime) {
    if (this.#options.isFresh !== undefined) return this.#options.isFresh(session)
    const movesBy = record.expiry - previous?.expiry
    return movesBy >= 0 && movesBy < touchAfterOf(lifetime, this.#options.touchAfter) * 1000
  }

  async destroy(sid) {
    const operation = operations.destroy
    if (this.#checkId(operation, sid)) await this.#native.run(operation, sid)
  }

  /** Deletes the session if it has expired; resolves to whether it had. */
  async destroyExpired(sid) {
    const operation = operations.destroyExpired
    if (!this.#checkId(operation, sid)) return false
    const { number } = await this.#native.run(operation, sid, Date.now())
    return number === 1
  }

  /** Resolves to all sessions. Each has its ID as a property that is not enumerable. */
  async all() {
    const { text } = await this.#native.run(operations.all, undefined, Date.now())
    const sessions = []
    for (const { id, session: json, expires } of JSON.parse(text)) {
      const session = parseSession(json)
      if (session === undefined) continue
      renewCookie(this.#options, session, expires ?? undefined)
      // A field of the session itself takes precedence.
      if (!Object.hasOwn(session, 'id')) Object.defineProperty(session, 'id', { value: id, configurable: true })
      sessions.push(session)
    }
    return sessions
  }

  async ids() {
    const { text } = await this.#native.run(operations.ids, undefined, Date.now())
    return JSON.parse(text)
  }

  async length() {
    const { number } = await this.#native.run(operations.length, undefined, Date.now())
    return number
  }

  async clear() {
    await this.#native.run(operations.clear)
  }

  async createTable() {
    const newTable = plainJson(this.#options.newTable ?? newTableOf(true))
    const completion = await this.#native.run(operations.createTable, undefined, newTable)
    return require('./table-description.js').tableDescription(completion)
  }

  async describeTable() {
    const completion = await this.#native.run(operations.describeTable)
    return require('./table-description.js').tableDescription(completion)
  }

  /** Throws if the key of a table with this description differs from the key in the options. */
  requireKey(description) {
    const message = require('./table-description.js').keyMismatchMessage(description, this.#options)
    if (message !== undefined) throw this.#native.createError(operations.describeTable, 'ConfigError', message)
  }

  /** Sends any other request of DynamoDB's API to the table; resolves to the response. */
  async request(name, input) {
    return require('./table-description.js').parseResponse(await this.#native.request(name, input))
  }

  stats() {
    return { ...this.#native.stats(), touchesSaved: this.#touchesSaved }
  }

  async close() {
    this.#native.close()
  }

  /** Applies what the store remembers about a session to the object that replaces it, and returns that object. */
  handOver(session, replacement) {
    this.#records.handOver(session, replacement, false)
    return replacement
  }

  /** Makes a Session of express-session from what `get` returned, with express-session's `create(request, session)`. */
  createSession(create, request, session) {
    const needsCookie = !isCookie(session.cookie)
    if (needsCookie) session.cookie = cookieFields(session.cookie, request, this.#cookieOptions)
    const created = create(request, session)
    this.#records.handOver(session, created, needsCookie)
    return created
  }

  setCookieOptions(options) {
    this.#cookieOptions = options
  }

  /** Returns whether the key of an item can contain the session ID. Throws if the ID is not a string. */
  #checkId(operation, sid) {
    if (typeof sid !== 'string') {
      const message = `the session ID must be a string, not ${sid === null ? 'null' : typeof sid}`
      throw this.#native.createError(operation, 'InvalidSessionIdError', message)
    }
    const { prefix, sortKey } = this.#options
    const longest = sortKey === undefined ? LONGEST_HASH_KEY : LONGEST_SORT_KEY
    return sid !== '' && sid.isWellFormed() && Buffer.byteLength(prefix) + Buffer.byteLength(sid) <= longest
  }

  /** The session's lifetime in seconds from now. */
  #lifetimeOf(operation, session, maxAge) {
    const { ttl, lifetime = lifetimeOf } = this.#options
    if (typeof ttl !== 'function') return ttl ?? this.#serializing(operation, () => numberOf(lifetime(session, maxAge)))
    let seconds
    try {
      seconds = ttl(session)
    } catch (error) {
      throw this.#native.createError(operation, 'ConfigError', 'the function of option ttl threw', error)
    }
    if (Number.isFinite(seconds)) return seconds
    const message = 'the function of option ttl did not return a number of seconds'
    throw this.#native.createError(operation, 'ConfigError', message)
  }

  /** Calls `read`. Turns errors from the session's getters or `toJSON` into a SerializationError. */
  #serializing(operation, read) {
    try {
      return read()
    } catch (error) {
      throw this.#native.createError(operation, 'SerializationError', 'the session cannot be serialized to JSON', error)
    }
  }

  #emitMissing(sid) {
    this.#emit('missing', { operation: 'touch', tableName: this.#options.table, sidHash: hashOf(sid) })
    return undefined
  }
}

/** A lifetime in seconds. An app may override the method of a compatible store that computes it, and return no number. */
function numberOf(seconds) {
  if (Number.isFinite(seconds)) return seconds
  throw new TypeError('the lifetime of the session is not a number')
}

module.exports = { Sessions }
