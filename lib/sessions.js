'use strict'

const { Connection } = require('./connection.js')
const { plainJson } = require('./json.js')
const { lifetimeOf, touchAfterOf } = require('./lifetime.js')
const { newTableOf } = require('./options.js')
const { hashOf } = require('./trace.js')

/** Bytes of the longest partition key and of the longest sort key. */
const LONGEST_HASH_KEY = 2048
const LONGEST_SORT_KEY = 1024

/** Clocks of two servers may differ by this much, in seconds, before an expiry counts as shortened. */
const CLOCK_TOLERANCE = 1

/** A stored expiry has lost its parts of a second. */
const ROUNDING = 1

/** The sessions of a table, each operation a promise. `emit(event, value)` tells what is no failure. */
class Sessions {
  #options
  #connection
  #emit
  /** The latest that the expiry of a session may be which was read or written, in seconds and parts of them. */
  #expiries = new WeakMap()
  #touchesSaved = 0
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
      completion = await this.#connection.run('GetItem', sid, (native, call, traced) => native.get(call, key, traced))
    } catch (error) {
      if (error.code !== 'CorruptItemError') throw error
      this.#emit('corrupt', error)
      return nothing
    }
    if (completion.text === undefined) return { session: null, isExpired: completion.number !== undefined }
    const session = this.parse(completion.text)
    if (session !== null && completion.number !== undefined) this.#expiries.set(session, completion.number + ROUNDING)
    return { session, isExpired: false }
  }

  /** The session of a stored text, or null when it holds none, which is told. */
  parse(text) {
    const session = parse(text)
    if (session !== undefined) return session
    const message = 'the session attribute holds no JSON object'
    this.#emit('corrupt', this.#connection.error('CorruptItemError', message, 'GetItem'))
    return null
  }

  /** Writes the session as it is at the call; resolves to its expiry in seconds. */
  async set(sid, session, maxAge) {
    const key = this.#keyOf(sid, 'PutItem')
    if (key === undefined) {
      const message = 'the id is empty, too long for a key, or no well-formed Unicode'
      throw this.#connection.error('InvalidSessionIdError', message, 'PutItem')
    }
    const { stamp, specialKeys } = this.#options
    const { text, attributes, isFastifySession } = this.#read('PutItem', () => ({
      text: textOf(session, stamp),
      attributes: specialKeys.length > 0 ? require('./special-keys.js').specialAttributes(specialKeys, session) : null,
      isFastifySession: hasMethodsOfFastify(session)
    }))
    this.isBehindFastify ||= isFastifySession
    const expiry = fromNow(this.#lifetimeOf(session, maxAge, 'PutItem'))
    const expires = Math.floor(expiry)
    await this.#connection.run('PutItem', sid, (native, call, traced) =>
      native.set(call, key, text, expires, attributes, traced)
    )
    this.#expiries.set(session, expiry)
    return expires
  }

  /** Resolves to the expiry in seconds, or to undefined when there was no need or nothing to move. */
  async touch(sid, session) {
    const { disableTouch, stamp } = this.#options
    if (disableTouch) return undefined
    const key = this.#keyOf(sid, 'UpdateItem')
    if (key === undefined) return this.#tellMissing(sid)
    this.#read('UpdateItem', () => requireObject(session))
    const lifetime = this.#lifetimeOf(session, undefined, 'UpdateItem')
    const expiry = fromNow(lifetime)
    const expires = Math.floor(expiry)
    if (this.#read('UpdateItem', () => this.#isFresh(session, expiry, lifetime))) return this.touchSaved()
    const stamped = stamp === undefined ? null : [stamp.field, plainJson(stamp.attribute(Date.now()))]
    const { number: wasThere } = await this.#connection.run('UpdateItem', sid, (native, call, traced) =>
      native.touch(call, key, expires, stamped, traced)
    )
    if (!wasThere) return this.#tellMissing(sid)
    this.#expiries.set(session, expiry)
    return expires
  }

  /** Counts a touch that needs no request. */
  touchSaved() {
    this.#touchesSaved += 1
    return undefined
  }

  /** Whether the expiry was written so lately that a touch can be saved. */
  #isFresh(session, expiry, lifetime) {
    if (this.#options.isFresh !== undefined) return this.#options.isFresh(session)
    const stored = this.#expiries.get(session)
    const touchAfter = touchAfterOf(lifetime, this.#options.touchAfter)
    if (touchAfter === 0) return false
    return expiry >= stored - ROUNDING - CLOCK_TOLERANCE && expiry - stored < touchAfter
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
      native.destroyExpired(call, key, traced)
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
    const { text } = await this.#connection.run('Scan', undefined, (native, call) => native.all(call))
    const sessions = []
    for (const [id, json] of JSON.parse(text)) {
      const session = parse(json)
      if (session === undefined) continue
      // A field of the session's own goes before.
      if (!Object.hasOwn(session, 'id')) Object.defineProperty(session, 'id', { value: id, configurable: true })
      sessions.push(session)
    }
    return sessions
  }

  async ids() {
    const { text } = await this.#connection.run('Scan', undefined, (native, call) => native.ids(call))
    return JSON.parse(text)
  }

  async length() {
    const { number } = await this.#connection.run('Scan', undefined, (native, call) => native.length(call))
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
    const expires = this.#expiries.get(session)
    if (expires !== undefined) this.#expiries.set(successor, expires)
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
    if (typeof ttl !== 'function') return ttl ?? this.#read(operation, () => lifetime(session, maxAge))
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

/** The session of a text, or undefined when it holds none. */
function parse(text) {
  try {
    const session = JSON.parse(text)
    return typeof session === 'object' && session !== null && !Array.isArray(session) ? session : undefined
  } catch {
    return undefined
  }
}

function fromNow(lifetime) {
  return Date.now() / 1000 + lifetime
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
