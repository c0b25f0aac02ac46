'use strict'

const { ItemCodec, parseSession } = require('./native/item-codec.js')
const { Connection } = require('./native/native-store.js')
const { cookieFields, isCookie } = require('./express-cookie.js')
const { plainJson } = require('./json.js')
const { TOLERANCE, factsOf, fromNow, hasNewLifetime, lifetimeOf, moveCookie, touchAfterOf } = require('./lifetime.js')
const { newTableOf } = require('./options.js')
const { hashOf } = require('./tracing.js')

/** Bytes of the longest partition key and of the longest sort key. */
const LONGEST_HASH_KEY = 2048
const LONGEST_SORT_KEY = 1024

/** The sessions of a table, each operation a promise. `emit(event, value)` tells what is no failure. */
class Sessions {
  #options
  #connection
  #codec
  #emit
  /** The facts of each session that was read or written. A stored expiry may be rounded up. */
  #known = new WeakMap()
  /** The cookie options of an Express app, once they are known. */
  #cookieOptions
  #touchesSaved = 0
  /** The last write of @fastify/session that is in flight, by key. */
  #writes = new Map()
  /** Whether @fastify/session uses the store. Only the sessions that it passes to `set` show it. */
  isBehindFastify = false

  constructor(given, emit) {
    // Without a prototype, so that a member of Object.prototype is never taken for an option. Unlike one that is
    // created so, this object has fast properties.
    const options = Object.setPrototypeOf({ ...given }, null)
    this.#options = options
    this.#connection = new Connection(options, emit)
    this.#emit = emit
  }

  /** The session, or null. */
  async get(sid) {
    return (await this.find(sid)).session
  }

  /** The session, or null, and then whether there is an item that has expired. */
  async find(sid) {
    const nothing = { session: null, isExpired: false }
    const key = this.#keyOf(sid, 'GetItem')
    if (key === undefined) return nothing
    let completion
    try {
      completion = await this.#connection.run('GetItem', sid, (native, call, traced) =>
        native.get(call, key, Date.now(), traced)
      )
    } catch (error) {
      if (error.code !== 'CorruptItemError') throw error
      this.#emit('corrupt', error)
      return nothing
    }
    if (completion.text === undefined) return { session: null, isExpired: completion.number !== undefined }
    return { session: this.parse(completion.text, completion.number), isExpired: false }
  }

  /** The session of an item's text and expiry in seconds; null, and an event, when the text holds none. */
  parse(text, expires) {
    const session = parseSession(text)
    if (session === undefined) {
      const message = 'the session attribute holds no JSON object'
      this.#emit('corrupt', this.#connection.error('CorruptItemError', message, 'GetItem'))
      return null
    }
    this.#renewCookie(session, expires)
    this.#known.set(session, factsOf(session, expires === undefined ? -Infinity : expires * 1000))
    return session
  }

  /** The session ID, text, session, and expiry of an item; see ItemCodec. */
  decodeItem(item) {
    return this.#itemCodec.decode(item)
  }

  /** The item of a session, as `set` writes it; see ItemCodec. */
  encodeItem(id, session, expires, attributes) {
    return this.#itemCodec.encode(id, session, expires, attributes)
  }

  get #itemCodec() {
    return (this.#codec ??= new ItemCodec(this.#options))
  }

  /**
   * Gives the cookie the expiry that the last touch gave it. A touch writes the item's expiry only, which is
   * `ttl` seconds after it, or the cookie's lifetime.
   */
  #renewCookie(session, expires) {
    const { cookie } = session
    if (expires === undefined || typeof cookie?.expires !== 'string') return
    const { ttl, lifetime, touchAfter } = this.#options
    const { originalMaxAge } = cookie
    const slack = touchAfterOf(originalMaxAge / 1000, touchAfter) * 1000
    if (ttl === undefined && lifetime === undefined) {
      moveCookie(cookie, expires * 1000, slack)
    } else if (Number.isFinite(originalMaxAge)) {
      const outlives = this.#fullLifetimeOf(session) * 1000 - originalMaxAge
      // The option ttl may have changed since the item was written. A guess must not end the session early.
      const isExact = Math.abs(outlives) < TOLERANCE
      moveCookie(cookie, expires * 1000 - outlives, isExact ? slack : Infinity)
    }
  }

  /** Seconds that the session has to live when it is touched; NaN if the app's function gives none. */
  #fullLifetimeOf(session) {
    const { ttl, lifetime } = this.#options
    if (typeof ttl === 'number') return ttl
    const { originalMaxAge: maxAge } = session.cookie
    const touched = { ...session, cookie: { ...session.cookie, maxAge, expires: new Date(fromNow(maxAge)) } }
    try {
      return (ttl ?? lifetime)(touched)
    } catch {
      return NaN
    }
  }

  /** Writes the session as it is at the call; resolves to its expiry in seconds. */
  async set(sid, session, maxAge) {
    const key = this.#keyOf(sid, 'PutItem')
    if (key === undefined) {
      const message = 'the id is empty, too long for a key, or no well-formed Unicode'
      throw this.#connection.error('InvalidSessionIdError', message, 'PutItem')
    }
    const { stamp, specialKeys } = this.#options
    const { text, attributes, facts, isFastifySession } = this.#read('PutItem', () => ({
      text: textOf(session, stamp),
      attributes: specialKeys.length > 0 ? require('./special-keys.js').specialAttributes(specialKeys, session) : null,
      facts: factsOf(session),
      isFastifySession: hasMethodsOfFastify(session)
    }))
    this.isBehindFastify ||= isFastifySession
    facts.expiry = fromNow(this.#lifetimeOf(session, maxAge, 'PutItem') * 1000)
    const expires = this.secondsOf(facts.expiry)
    const write = this.#connection.run('PutItem', sid, (native, call, traced) =>
      native.set(call, key, text, expires, attributes, traced)
    )
    await (isFastifySession ? this.#inOrder(key, write) : write)
    this.#known.set(session, facts)
    return expires
  }

  /**
   * Settles like the write, but not before earlier writes of the same session. @fastify/session saves the session
   * once per response. If a handler sends two responses, the client must get the first one.
   */
  #inOrder(key, write) {
    const earlier = this.#writes.get(key)
    const ordered = earlier === undefined ? write : Promise.allSettled([earlier, write]).then(() => write)
    this.#writes.set(key, ordered)
    const forget = () => this.#writes.get(key) === ordered && this.#writes.delete(key)
    ordered.then(forget, forget)
    return ordered
  }

  /**
   * Resolves to the item's expiry in seconds, or to undefined when there was no need or nothing to move.
   *
   * The expiry becomes earlier only if the app has changed the session's lifetime. Otherwise a request that read
   * the session before another one lengthened its lifetime would undo that.
   */
  async touch(sid, session) {
    const { disableTouch, stamp } = this.#options
    if (disableTouch) return undefined
    const key = this.#keyOf(sid, 'UpdateItem')
    if (key === undefined) return this.#tellMissing(sid)
    this.#read('UpdateItem', () => requireObject(session))
    const lifetime = this.#lifetimeOf(session, undefined, 'UpdateItem')
    const known = this.#known.get(session)
    const { keepsLater, facts } = this.#read('UpdateItem', () => ({
      keepsLater: known !== undefined && !hasNewLifetime(session, known),
      facts: factsOf(session)
    }))
    const wanted = fromNow(lifetime * 1000)
    const expiry = keepsLater ? Math.max(wanted, known.expiry) : wanted
    if (this.#read('UpdateItem', () => this.#isFresh(session, expiry, lifetime))) return this.touchSaved()
    const expires = this.secondsOf(expiry)
    const stamped = stamp === undefined ? null : [stamp.field, plainJson(stamp.attribute(Date.now()))]
    const { number: stored } = await this.#connection.run('UpdateItem', sid, (native, call, traced) =>
      native.touch(call, key, expires, keepsLater, Date.now(), stamped, traced)
    )
    if (stored === undefined) return this.#tellMissing(sid)
    facts.expiry = stored > expires ? stored * 1000 : expiry
    this.#known.set(session, facts)
    return stored
  }

  /** The whole seconds of an expiry, rounded up so that no session ends early. */
  secondsOf(expiry) {
    return (this.#options.round ?? Math.ceil)(expiry / 1000)
  }

  /** Counts a touch that needs no request. */
  touchSaved() {
    this.#touchesSaved += 1
    return undefined
  }

  /** Whether the expiry was written so recently that a touch needs no request. */
  #isFresh(session, expiry, lifetime) {
    if (this.#options.isFresh !== undefined) return this.#options.isFresh(session)
    const movesBy = expiry - this.#known.get(session)?.expiry
    return movesBy >= 0 && movesBy < touchAfterOf(lifetime, this.#options.touchAfter) * 1000
  }

  async destroy(sid) {
    const key = this.#keyOf(sid, 'DeleteItem')
    if (key === undefined) return
    await this.#connection.run('DeleteItem', sid, (native, call, traced) => native.destroy(call, key, traced))
  }

  /** Deletes the session if it has expired; resolves to whether it had. */
  async destroyExpired(sid) {
    const key = this.#keyOf(sid, 'DeleteItem')
    if (key === undefined) return false
    const { number } = await this.#connection.run('DeleteItem', sid, (native, call, traced) =>
      native.destroyExpired(call, key, Date.now(), traced)
    )
    return number === 1
  }

  /** Sends any other request of DynamoDB's API to the table; resolves to the service's answer. */
  async request(operation, input) {
    const body = plainJson({ TableName: this.#options.table, ...input })
    const { text } = await this.#connection.run(operation, undefined, (native, call, traced) =>
      native.request(call, operation, body, traced)
    )
    return JSON.parse(text, datesOf)
  }

  /** Each session with its id as a property that is not enumerable. */
  async all() {
    const { text } = await this.#connection.run('Scan', undefined, (native, call) => native.all(call, Date.now()))
    const sessions = []
    for (const { id, session: json, expires } of JSON.parse(text)) {
      const session = parseSession(json)
      if (session === undefined) continue
      this.#renewCookie(session, expires ?? undefined)
      // A field of the session's own goes before.
      if (!Object.hasOwn(session, 'id')) Object.defineProperty(session, 'id', { value: id, configurable: true })
      sessions.push(session)
    }
    return sessions
  }

  async ids() {
    const { text } = await this.#connection.run('Scan', undefined, (native, call) => native.ids(call, Date.now()))
    return JSON.parse(text)
  }

  async length() {
    const { number } = await this.#connection.run('Scan', undefined, (native, call) => native.length(call, Date.now()))
    return number
  }

  async clear() {
    await this.#connection.run('BatchWriteItem', undefined, (native, call) => native.clear(call))
  }

  async createTable() {
    const newTable = plainJson(this.#options.newTable ?? newTableOf(true))
    return descriptionOf(
      await this.#connection.run('CreateTable', undefined, (native, call) => native.createTable(call, newTable))
    )
  }

  async describeTable() {
    return descriptionOf(
      await this.#connection.run('DescribeTable', undefined, (native, call) => native.describeTable(call))
    )
  }

  /** Throws when a table with this description has another key than the options say. */
  requireKey(description, operation) {
    const complaint = require('./keys.js').keyComplaint(description, this.#options)
    if (complaint !== undefined) throw this.#connection.error('ConfigError', complaint, operation)
  }

  stats() {
    return { ...this.#connection.stats(), touchesSaved: this.#touchesSaved }
  }

  async close() {
    this.#connection.close()
  }

  /** What is known of one session holds for another that was made of it. */
  handOver(session, successor) {
    const known = this.#known.get(session)
    if (known !== undefined) this.#known.set(successor, known)
    return successor
  }

  /** Makes a Session of what `get` returned, with express-session's own `create(request, session)`. */
  createSession(create, request, session) {
    if (isCookie(session.cookie)) return this.handOver(session, create(request, session))
    session.cookie = cookieFields(session.cookie, request, this.#cookieOptions)
    const created = create(request, session)
    const known = this.#known.get(session)
    if (known !== undefined) this.#known.set(created, factsOf(created, known.expiry))
    return created
  }

  /** Takes over the cookie options of the app. */
  learnCookie(options) {
    this.#cookieOptions = options
  }

  /** The key of the item, or undefined for an id that none can have. */
  #keyOf(sid, operation) {
    if (typeof sid !== 'string') {
      const message = `the id must be a string, not ${sid === null ? 'null' : typeof sid}`
      throw this.#connection.error('InvalidSessionIdError', message, operation)
    }
    const key = this.#options.prefix + sid
    const longest = this.#options.sortKey === undefined ? LONGEST_HASH_KEY : LONGEST_SORT_KEY
    const isPossible = sid !== '' && sid.isWellFormed() && Buffer.byteLength(key) <= longest
    return isPossible ? key : undefined
  }

  #lifetimeOf(session, maxAge, operation) {
    const { ttl, lifetime = lifetimeOf } = this.#options
    if (typeof ttl !== 'function') return ttl ?? this.#read(operation, () => numberOf(lifetime(session, maxAge)))
    let seconds
    try {
      seconds = ttl(session)
    } catch (error) {
      throw this.#connection.error('ConfigError', 'the function of the option ttl threw', operation, error)
    }
    if (Number.isFinite(seconds)) return seconds
    throw this.#connection.error('ConfigError', 'the function of the option ttl gave no number of seconds', operation)
  }

  /** What `make` reads from a session, of which getters and toJSON may throw. */
  #read(operation, make) {
    try {
      return make()
    } catch (error) {
      throw this.#connection.error('SerializationError', 'the session cannot be read as JSON', operation, error)
    }
  }

  #tellMissing(sid) {
    this.#emit('missing', { operation: 'touch', tableName: this.#options.table, sidHash: hashOf(sid) })
    return undefined
  }
}

/** Whether it is a Session of @fastify/session. One of express-session does not have these methods. */
function hasMethodsOfFastify({ isSaved, isModified }) {
  return typeof isSaved === 'function' && typeof isModified === 'function'
}

function requireObject(session) {
  if (typeof session === 'object' && session !== null) return
  throw new TypeError(`a session is an object, not ${session === null ? 'null' : typeof session}`)
}

function textOf(session, stamp) {
  requireObject(session)
  const text = JSON.stringify(stamp === undefined ? session : stamped(session, stamp))
  if (text === undefined || text[0] !== '{') throw new TypeError('a session is written as a JSON object')
  return text
}

/** What is written of the session, with a stamp that the session itself does not get. */
function stamped(session, stamp) {
  const plain = typeof session.toJSON === 'function' ? session.toJSON() : session
  return { ...plain, [stamp.field]: stamp.value(Date.now()) }
}

/** A lifetime in seconds. What a subclass of a compatible store computes may be no number. */
function numberOf(seconds) {
  if (Number.isFinite(seconds)) return seconds
  throw new TypeError('the lifetime of the session is not a number')
}

/** The table as the service describes it, with its time to live where that is told. */
function descriptionOf({ text }) {
  const [table, timeToLive] = JSON.parse(text)
  return { ...JSON.parse(table, datesOf).Table, ...(timeToLive === null ? {} : JSON.parse(timeToLive)) }
}

/** The service tells times in seconds. */
function datesOf(name, value) {
  return name.endsWith('DateTime') ? new Date(value * 1000) : value
}

module.exports = { Sessions }
