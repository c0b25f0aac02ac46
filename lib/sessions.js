'use strict'

const { Connection } = require('./connection.js')
const { defaultTouchAfter, lifetimeOf } = require('./lifetime.js')
const { newTableOf } = require('./options.js')
const { specialAttributes } = require('./special-keys.js')
const { hashOf } = require('./trace.js')

/** Bytes of the longest partition key and of the longest sort key. */
const LONGEST_HASH_KEY = 2048
const LONGEST_SORT_KEY = 1024

/** Clocks of two servers may differ by this much, in seconds, before an expiry counts as shortened. */
const CLOCK_TOLERANCE = 1

/** The sessions of a table, each operation a promise. `emit(event, value)` tells what is no failure. */
class Sessions {
  #options
  #connection
  #emit
  /** The stored expiry of the sessions that were read or written, in seconds. */
  #expiries = new WeakMap()

  constructor(options, emit) {
    this.#options = options
    this.#connection = new Connection(options)
    this.#emit = emit
  }

  /** The session, or null. */
  async get(sid) {
    const key = this.#keyOf(sid, 'GetItem')
    if (key === undefined) return null
    let completion
    try {
      completion = await this.#connection.run('GetItem', sid, (native, call, traced) => native.get(call, key, traced))
    } catch (error) {
      if (error.code !== 'CorruptItemError') throw error
      this.#emit('corrupt', error)
      return null
    }
    if (completion.text === null) return null
    const session = parse(completion.text)
    if (session === undefined) {
      const message = 'the session attribute holds no JSON object'
      this.#emit('corrupt', this.#connection.error('CorruptItemError', message, 'GetItem'))
      return null
    }
    if (completion.number !== null) this.#expiries.set(session, completion.number)
    return session
  }

  async set(sid, session, maxAge) {
    const key = this.#keyOf(sid, 'PutItem')
    if (key === undefined) {
      const message = 'the id is empty, too long for a key, or no well-formed Unicode'
      throw this.#connection.error('InvalidSessionIdError', message, 'PutItem')
    }
    const { text, attributes } = this.#read('PutItem', () => ({
      text: textOf(session),
      attributes: specialAttributes(this.#options.specialKeys, session)
    }))
    const expires = secondsFromNow(this.#lifetimeOf(session, maxAge, 'PutItem'))
    await this.#connection.run('PutItem', sid, (native, call, traced) =>
      native.set(call, key, text, expires, attributes, traced)
    )
    this.#expiries.set(session, expires)
  }

  async touch(sid, session) {
    if (this.#options.disableTouch) return
    const key = this.#keyOf(sid, 'UpdateItem')
    if (key === undefined) return this.#tellMissing(sid)
    this.#read('UpdateItem', () => requireObject(session))
    const lifetime = this.#lifetimeOf(session, undefined, 'UpdateItem')
    const expires = secondsFromNow(lifetime)
    const stored = this.#expiries.get(session)
    const touchAfter = this.#options.touchAfter ?? defaultTouchAfter(lifetime)
    if (expires >= stored - CLOCK_TOLERANCE && expires - stored < touchAfter) return
    const { number: wasThere } = await this.#connection.run('UpdateItem', sid, (native, call, traced) =>
      native.touch(call, key, expires, null, traced)
    )
    if (wasThere) this.#expiries.set(session, expires)
    else this.#tellMissing(sid)
  }

  async destroy(sid) {
    const key = this.#keyOf(sid, 'DeleteItem')
    if (key === undefined) return
    await this.#connection.run('DeleteItem', sid, (native, call, traced) => native.destroy(call, key, traced))
  }

  /** Each session with its id as a property that is not enumerable. */
  async all() {
    const { text } = await this.#connection.run('Scan', undefined, (native, call) => native.all(call))
    const sessions = []
    for (const [id, json] of JSON.parse(text)) {
      const session = parse(json)
      if (session !== undefined) sessions.push(Object.defineProperty(session, 'id', { value: id, configurable: true }))
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
    const newTable = JSON.stringify(this.#options.newTable ?? newTableOf(true))
    return descriptionOf(
      await this.#connection.run('CreateTable', undefined, (native, call) => native.createTable(call, newTable))
    )
  }

  async describeTable() {
    return descriptionOf(
      await this.#connection.run('DescribeTable', undefined, (native, call) => native.describeTable(call))
    )
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
    const { ttl } = this.#options
    if (typeof ttl !== 'function') return ttl ?? this.#read(operation, () => lifetimeOf(session, maxAge))
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
  }
}

function requireObject(session) {
  if (typeof session === 'object' && session !== null) return
  throw new TypeError(`a session is an object, not ${session === null ? 'null' : typeof session}`)
}

function textOf(session) {
  requireObject(session)
  const text = JSON.stringify(session)
  if (text === undefined || text[0] !== '{') throw new TypeError('a session is written as a JSON object')
  return text
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

function secondsFromNow(lifetime) {
  return Math.floor(Date.now() / 1000 + lifetime)
}

/** The table as the service describes it, with its time to live where that is told. */
function descriptionOf({ text }) {
  const [table, timeToLive] = JSON.parse(text)
  const dates = (name, value) => (name.endsWith('DateTime') ? new Date(value * 1000) : value)
  return { ...JSON.parse(table, dates).Table, ...(timeToLive === null ? {} : JSON.parse(timeToLive)) }
}

module.exports = { Sessions }
