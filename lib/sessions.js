'use strict'

const { renewCookie } = require('./cookie-renewal.js')
const { cookieFields, isCookie } = require('./express-cookie.js')
const { plainJson } = require('./json.js')
const { TOLERANCE_MS, fromNow, lifetimeOf, touchAfterOf } = require('./lifetime.js')
const { CompletionStatus } = require('./native/loader.js')
const { NativeStore } = require('./native/native-store.js')
const { operations } = require('./native/operations.js')
const { isProtected, newTableOf } = require('./options.js')
const { carrierOf, contextOf, frameworkOf, mayBeFastify } = require('./parallel/frameworks.js')
const { SessionEvents } = require('./session-events.js')
const { Base, SessionRecord, SessionRecords } = require('./session-record.js')
const { parseSession, requireObject } = require('./session-text.js')

/** Maximum length of a partition key and of a sort key, in bytes. */
const LONGEST_HASH_KEY = 2048
const LONGEST_SORT_KEY = 1024

/** The sessions of a table. Each operation returns a promise. */
class Sessions {
  #options
  #native
  #events
  #codec
  #records = new SessionRecords()
  #carrier = carrierOf((session, copy) => this.#records.handOver(session, copy, false))
  /** The cookie options of an Express app, or undefined before express-session has generated a session. */
  #cookieOptions
  /** Whether saves notice other requests. Otherwise, every save overwrites. */
  #isConditional
  /** A Saves, or undefined before the first save. */
  #saves
  /** A Protection, or undefined if the options do not require one. */
  protection
  #touchesSaved = 0
  /** Whether @fastify/session uses this store. Becomes true at the first `set` of one of its sessions. */
  isBehindFastify = false

  /** Calls `emit(event, value)` to report events that do not fail an operation. */
  constructor(options, emit) {
    // Without a prototype, no member of Object.prototype counts as an option. An object that is created with
    // `__proto__: null` would have slow properties.
    this.#options = Object.setPrototypeOf({ ...options }, null)
    this.#native = new NativeStore(this.#options, emit)
    this.#events = new SessionEvents(emit, this.#options, this.#native)
    if (isProtected(this.#options)) {
      const { Protection } = require('./protection.js')
      this.protection = new Protection(this.#options, this.#native)
    }
    // With the user option, a session that has ended is not written again, so that a user who is logged out stays so.
    this.#isConditional = this.#options.onConflict !== 'overwrite' || this.#options.user !== undefined
  }

  /** Resolves to the session, or null. `context` is the request's context if koa-session calls. */
  get(sid, context) {
    const reading = this.#read(sid)
    if (context === undefined) return reading
    return reading.then((session) => {
      if (session !== null) {
        this.#records.setOf({ owner: context, framework: 'koa', sid }, this.#records.get(session))
      }
      return session
    })
  }

  /** As `get`, for a framework that calls the store's `get` with these arguments after the session ID. */
  getFor(store, sid, rest) {
    return mayBeFastify(store, rest) ? this.#getToCopy(sid) : this.get(sid, contextOf(rest))
  }

  async #getToCopy(sid) {
    return this.withCarrier(await this.#read(sid))
  }

  /** Prepares the session for @fastify/session, which copies it. */
  withCarrier(session) {
    const { base, created } = (session && this.#records.get(session)) ?? {}
    const isNeeded = base !== undefined || created !== undefined
    return isNeeded ? Object.setPrototypeOf(session, this.#carrier) : session
  }

  /** Resolves to `{ session, isExpired }`. Without a session, `session` is null. */
  async find(sid) {
    let isExpired = false
    const session = await this.#read(sid, () => (isExpired = true))
    return { session, isExpired }
  }

  /** Resolves to the session, or null. Calls `onExpired`, if given, if there is an expired one. */
  async #read(sid, onExpired) {
    const operation = operations.get
    if (!this.checkId(operation, sid)) return null
    let completion
    try {
      completion = await this.#native.run(operation, sid, Date.now())
    } catch (error) {
      if (error.code !== 'CorruptItemError') throw error
      this.#events.corrupt(error)
      return null
    }
    if (completion.text !== undefined) return this.parse(completion.text, completion.number, sid, completion)
    if (completion.status === CompletionStatus.Expired) onExpired?.()
    return null
  }

  /**
   * Parses the text of a session's item. If it holds no session, emits `corrupt` and returns null. `expires` is in seconds.
   * Without a session ID, the session can be saved only as a new one. `token` stands for the stored session, if its text does
   * not, and `created` is when the session was created, if that is known.
   */
  parse(text, expires, sid, { token, created } = {}) {
    const session = parseSession(text)
    if (session === undefined) {
      this.#events.notASession(operations.get)
      return null
    }
    renewCookie(this.#options, session, expires)
    const record = new SessionRecord(session, expires === undefined ? -Infinity : expires * 1000)
    record.created = created
    if (sid !== undefined && this.#isConditional) {
      record.base = new Base(sid, text, token && { text, token, expiry: undefined })
    }
    this.#records.set(session, record)
    return session
  }

  /** Decodes an item; see ItemCodec. Without a text, it has no session that `get` would return. */
  decodeItem(item) {
    const { ItemCodec } = require('./native/item-codec.js')
    this.#codec ??= new ItemCodec(this.#options)
    const decoded = this.#codec.decode(item)
    return this.protection?.accepts(decoded) === false ? { ...decoded, text: undefined } : decoded
  }

  /**
   * Writes the session as it is at the time of the call. Returns a promise. `context` is the request's context if
   * koa-session calls.
   */
  set(sid, session, maxAge, context) {
    try {
      this.#saves ??= this.#loadSaves()
      return this.#saves.run(sid, session, maxAge, context)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Saving is loaded at the first save, so that it takes no time from the start of an app. */
  #loadSaves() {
    try {
      const { Saves } = require('./saves.js')
      return new Saves(this, this.#options, this.#native, this.#records, this.#events, this.#isConditional)
    } catch (error) {
      // The process may be unable to open files, for example because too many are open.
      throw this.#native.createError(operations.set, 'InternalError', 'cannot load a file of the package', error)
    }
  }

  /**
   * Resolves to the item's new expiry in seconds, or to undefined if no write was needed or the session is missing.
   * `save` is `{ operation, timeout }` if a `set` became this touch, because the session has not changed.
   *
   * The expiry becomes earlier only if the app has changed the session's lifetime. Without this rule, a request that
   * read the session before another request lengthened its lifetime would undo that change.
   */
  async touch(sid, session, save) {
    const { disableTouch, stamp } = this.#options
    if (disableTouch) return undefined
    const operation = operations.touch
    if (!this.checkId(operation, sid)) return this.#events.missing(operation, sid)
    this.serializing(operation, () => requireObject(session))
    const lifetime = this.lifetimeOf(operation, session)
    const previous = this.#records.get(session)
    const record = this.serializing(operation, () => new SessionRecord(session))
    const hasNewLifetime = previous !== undefined && previous.hasNewLifetime(record)
    // The stored session gets the new lifetime too. Otherwise, parallel requests would not see it.
    const merges = this.#options.onConflict !== 'overwrite' && previous?.base !== undefined
    if (
      hasNewLifetime &&
      save === undefined &&
      merges &&
      previous.base.sid === sid &&
      frameworkOf(session) === 'express'
    ) {
      return this.set(sid, session)
    }
    const keepsLifetime = previous !== undefined && !hasNewLifetime
    const wanted = fromNow(lifetime * 1000)
    record.expiry = keepsLifetime ? Math.max(wanted, previous.expiry) : wanted
    this.protection?.start(record, previous)
    if (this.protection?.hasEnded(record)) return this.#events.missing(save?.operation ?? operation, sid)
    if (this.serializing(operation, () => this.#isFresh(save, session, previous, record, lifetime)))
      return this.countSavedTouch()
    const expires = this.secondsOf(record.expiry)
    const isStamped = stamp !== undefined && !this.protection?.writesBinary
    const stamped = !isStamped ? null : [stamp.field, plainJson(stamp.attribute(Date.now()))]
    // An earlier expiry than the one that was read is of a request that has shortened the lifetime.
    const earliest = keepsLifetime && merges ? Math.floor(previous.expiry / 1000) - 1 : null
    const keepsLater = keepsLifetime && !this.protection?.isLatest(record.expiry, record.created)
    const created = record.created ?? null
    const args = [sid, expires, keepsLater, earliest, created, Date.now(), stamped, save?.timeout ?? null]
    const completion = await (save ? this.#native.runHeld(operation, ...args) : this.#native.run(operation, ...args))
    const stored = completion.number
    if (stored === undefined) return this.#events.missing(save?.operation ?? operation, sid)
    if (stored !== expires) record.expiry = stored * 1000
    // A save may have ended in the meantime.
    record.base = this.#records.get(session)?.base
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

  /** Whether the expiry was written so recently that the save of a session that has not changed needs no request. */
  isFreshSave({ session, record, lifetime }, previous) {
    const { isFresh, touchAfter } = this.#options
    if (this.protection?.needsCreated(previous)) return false
    if (isFresh !== undefined) return isFresh(session)
    const movesBy = record.expiry - previous.expiry
    const throttle = touchAfterOf(lifetime, touchAfter) * 1000
    // The stored expiry is rounded up, so it may be later.
    return throttle > 0 && movesBy > -TOLERANCE_MS && movesBy < throttle
  }

  /** Whether the expiry was written so recently that a touch needs no request. */
  #isFresh(save, session, previous, record, lifetime) {
    if (this.protection?.needsCreated(previous)) return false
    // A compatible store has checked this before it touches a session.
    if (this.#options.isFresh !== undefined) return save !== undefined && this.#options.isFresh(session)
    const movesBy = record.expiry - previous?.expiry
    return movesBy >= 0 && movesBy < touchAfterOf(lifetime, this.#options.touchAfter) * 1000
  }

  /** `context` is the request's context if koa-session calls. */
  async destroy(sid, context) {
    const operation = operations.destroy
    if (this.checkId(operation, sid)) await this.#native.run(operation, sid)
    if (context !== undefined) this.#records.deleteInContext(context, sid)
  }

  /** Deletes the session if it has expired; resolves to whether it had. */
  async destroyExpired(sid) {
    const operation = operations.destroyExpired
    if (!this.checkId(operation, sid)) return false
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

  /** Resolves to the IDs of a user's sessions. */
  async idsOf(user) {
    return this.#usersFor(operations.idsOf).idsOf(user)
  }

  /** Deletes a user's sessions, except those with the IDs `except`; resolves to the number of sessions that it deleted. */
  async destroyAllOf(user, options) {
    return this.#usersFor(operations.destroyAllOf).destroyAllOf(user, options)
  }

  #usersFor(operation) {
    if (this.#options.user === undefined) {
      throw this.#native.createError(operation, 'ConfigError', 'the store does not have the option user')
    }
    const { Users } = require('./users.js')
    return new Users(this.#native)
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

  /** Prepares the first request: reads a session that does not exist. */
  async warm() {
    await this.#native.run(operations.warm)
  }

  stats() {
    const parts = [this.#native.stats(), this.#saves?.stats() ?? nothingSaved, this.#events.stats()]
    return Object.assign({ touchesSaved: this.#touchesSaved }, ...parts)
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
    // A Session of express-session would copy what is for @fastify/session.
    if (Object.getPrototypeOf(session) === this.#carrier) Object.setPrototypeOf(session, Object.prototype)
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
  checkId(operation, sid) {
    if (typeof sid !== 'string') {
      const message = `the session ID must be a string, not ${sid === null ? 'null' : typeof sid}`
      throw this.#native.createError(operation, 'InvalidSessionIdError', message)
    }
    const { prefix, sortKey } = this.#options
    const longest = sortKey === undefined ? LONGEST_HASH_KEY : LONGEST_SORT_KEY
    const isKey = sid !== '' && sid.isWellFormed() && Buffer.byteLength(prefix) + Buffer.byteLength(sid) <= longest
    if (this.protection === undefined || !isKey) return isKey
    // `ids` returns hashed IDs, so that `destroy` accepts them.
    return operation.name === 'DeleteItem' || this.protection.problemWithId(sid) === undefined
  }

  /** The session's lifetime in seconds from now. */
  lifetimeOf(operation, session, maxAge) {
    const { ttl, lifetime = lifetimeOf } = this.#options
    if (typeof ttl !== 'function') return ttl ?? this.serializing(operation, () => numberOf(lifetime(session, maxAge)))
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
  serializing(operation, read) {
    try {
      return read()
    } catch (error) {
      throw this.#native.createError(operation, 'SerializationError', 'the session cannot be serialized to JSON', error)
    }
  }
}

/** The statistics of saves before the first one. */
const nothingSaved = { setsSaved: 0, merges: 0, conflicts: 0 }

/** A lifetime in seconds. An app may override the method of a compatible store that computes it, and return no number. */
function numberOf(seconds) {
  if (Number.isFinite(seconds)) return seconds
  throw new TypeError('the lifetime of the session is not a number')
}

module.exports = { Sessions }
