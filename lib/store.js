'use strict'

const bridge = require('./bridge.js')
const { optionsOfClient } = require('./client.js')
const { DynamoDBStoreError } = require('./error.js')
const { defaultTouchAfter, lifetimeOf } = require('./lifetime.js')
const { nativeSettings, newTableOf, readOptions } = require('./options.js')
const { specialAttributes } = require('./special-keys.js')
const { hashOf, isTracing, trace } = require('./trace.js')

/** Bytes of the longest partition key and of the longest sort key. */
const LONGEST_HASH_KEY = 2048
const LONGEST_SORT_KEY = 1024

/** Clocks of two servers may differ by this much, in seconds, before an expiry counts as shortened. */
const CLOCK_TOLERANCE = 1

/** The class that keeps sessions in DynamoDB, extending `Base`. index.d.ts documents it. */
const createStoreClass = (Base) =>
  class DynamoDBStore extends Base {
    #options
    #native
    #opening
    #release
    #isClosed = false
    /** What the app's credentials function threw last, which the addon knows only as text. */
    #credentialsError
    /** The stored expiry of the sessions that were read or written, in seconds. */
    #expiries = new WeakMap()

    constructor(options) {
      super()
      this.#options = readOptions(options)
      if (this.#options.client === undefined) this.#openWith({})
    }

    /** The JavaScript client that was given. */
    get client() {
      return this.#options.client
    }

    get(sid, ...rest) {
      return answer(this.#get(sid), rest)
    }

    set(sid, session, ...rest) {
      const maxAge = typeof rest[0] === 'number' ? rest[0] : undefined
      return answer(this.#set(sid, session, maxAge), rest)
    }

    touch(sid, session, ...rest) {
      return answer(this.#touch(sid, session), rest)
    }

    destroy(sid, ...rest) {
      return answer(this.#destroy(sid), rest)
    }

    all(...rest) {
      return answer(this.#all(), rest)
    }

    ids(...rest) {
      return answer(this.#ids(), rest)
    }

    length(...rest) {
      return answer(this.#length(), rest)
    }

    clear(...rest) {
      return answer(this.#clear(), rest)
    }

    createTable(...rest) {
      return answer(this.#createTable(), rest)
    }

    describeTable(...rest) {
      return answer(this.#describeTable(), rest)
    }

    close(...rest) {
      return answer(this.#close(), rest)
    }

    /** express-session makes a Session of what `get` gave; what is known of the one holds for the other. */
    createSession(request, session) {
      const created = super.createSession(request, session)
      const expires = this.#expiries.get(session)
      if (expires !== undefined) this.#expiries.set(created, expires)
      return created
    }

    async #get(sid) {
      const key = this.#keyOf(sid, 'GetItem')
      if (key === undefined) return null
      let completion
      try {
        completion = await this.#run('GetItem', sid, (native, call, traced) => native.get(call, key, traced))
      } catch (error) {
        if (error.code !== 'CorruptItemError') throw error
        this.#emit('corrupt', error)
        return null
      }
      if (completion.text === null) return null
      const session = parse(completion.text)
      if (session === undefined) {
        const message = 'the session attribute holds no JSON object'
        this.#emit('corrupt', this.#error('CorruptItemError', message, 'GetItem'))
        return null
      }
      if (completion.number !== null) this.#expiries.set(session, completion.number)
      return session
    }

    async #set(sid, session, maxAge) {
      const key = this.#keyOf(sid, 'PutItem')
      if (key === undefined) {
        const message = 'the id is empty, too long for a key, or no well-formed Unicode'
        throw this.#error('InvalidSessionIdError', message, 'PutItem')
      }
      const { text, attributes } = this.#read('PutItem', () => ({
        text: textOf(session),
        attributes: specialAttributes(this.#options.specialKeys, session)
      }))
      const expires = secondsFromNow(this.#lifetimeOf(session, maxAge, 'PutItem'))
      await this.#run('PutItem', sid, (native, call, traced) =>
        native.set(call, key, text, expires, attributes, traced)
      )
      this.#expiries.set(session, expires)
    }

    async #touch(sid, session) {
      if (this.#options.disableTouch) return
      const key = this.#keyOf(sid, 'UpdateItem')
      if (key === undefined) return this.#emitMissing('touch', sid)
      this.#read('UpdateItem', () => requireObject(session))
      const lifetime = this.#lifetimeOf(session, undefined, 'UpdateItem')
      const expires = secondsFromNow(lifetime)
      const stored = this.#expiries.get(session)
      const touchAfter = this.#options.touchAfter ?? defaultTouchAfter(lifetime)
      if (expires >= stored - CLOCK_TOLERANCE && expires - stored < touchAfter) return
      const { number: wasThere } = await this.#run('UpdateItem', sid, (native, call, traced) =>
        native.touch(call, key, expires, traced)
      )
      if (wasThere) this.#expiries.set(session, expires)
      else this.#emitMissing('touch', sid)
    }

    async #destroy(sid) {
      const key = this.#keyOf(sid, 'DeleteItem')
      if (key === undefined) return
      await this.#run('DeleteItem', sid, (native, call, traced) => native.destroy(call, key, traced))
    }

    async #all() {
      const { text } = await this.#run('Scan', undefined, (native, call) => native.all(call))
      const sessions = []
      for (const [id, json] of JSON.parse(text)) {
        const session = parse(json)
        if (session !== undefined)
          sessions.push(Object.defineProperty(session, 'id', { value: id, configurable: true }))
      }
      return sessions
    }

    async #ids() {
      return JSON.parse((await this.#run('Scan', undefined, (native, call) => native.ids(call))).text)
    }

    async #length() {
      return (await this.#run('Scan', undefined, (native, call) => native.length(call))).number
    }

    async #clear() {
      await this.#run('BatchWriteItem', undefined, (native, call) => native.clear(call))
    }

    async #createTable() {
      const newTable = JSON.stringify(this.#options.newTable ?? newTableOf(true))
      return descriptionOf(
        await this.#run('CreateTable', undefined, (native, call) => native.createTable(call, newTable))
      )
    }

    async #describeTable() {
      return descriptionOf(await this.#run('DescribeTable', undefined, (native, call) => native.describeTable(call)))
    }

    async #close() {
      this.#isClosed = true
      this.#native?.close()
      this.#release?.()
    }

    /** Runs an operation of the addon; its failure is thrown as a DynamoDBStoreError. */
    async #run(operation, sid, start) {
      const native = this.#native ?? (await this.#open(operation))
      if (this.#isClosed) throw this.#error('ClosedError', 'the store is closed', operation)
      if (!isTracing()) {
        const completion = await bridge.run((call) => start(native, call, false))
        if (completion.failed) throw this.#failure(completion, operation, sid)
        return completion
      }
      const run = async (context) => {
        const completion = await bridge.run((call) => start(native, call, true))
        Object.assign(context, JSON.parse(completion.trace))
        if (completion.failed) throw this.#failure(completion, operation, sid)
        return completion
      }
      return trace({ operation, tableName: this.#options.table }, sid, run)
    }

    /** The addon's store, made of the client's configuration when that is known. */
    async #open(operation) {
      const { client, timeout } = this.#options
      const opening = (this.#opening ??= optionsOfClient(client, timeout).then((taken) => this.#openWith(taken)))
      try {
        await opening
        return this.#native
      } catch (error) {
        // The next operation may find it better.
        if (this.#opening === opening) this.#opening = undefined
        throw this.#error('ConfigError', 'the settings of the client cannot be read', operation, error)
      }
    }

    #openWith(taken) {
      const given = Object.entries(this.#options).filter(([, value]) => value !== undefined)
      const options = { ...taken, ...Object.fromEntries(given) }
      const provide = typeof options.credentials === 'function' ? this.#providerOf(options.credentials) : undefined
      const { native, release } = bridge.open(nativeSettings(options), provide)
      this.#native = native
      this.#release = release
    }

    #providerOf(credentials) {
      return async () => {
        this.#credentialsError = undefined
        try {
          return await credentials()
        } catch (error) {
          this.#credentialsError = error
          throw error
        }
      }
    }

    /** The key of the item, or undefined for an id that none can have. */
    #keyOf(sid, operation) {
      if (typeof sid !== 'string') {
        const message = `the id must be a string, not ${sid === null ? 'null' : typeof sid}`
        throw this.#error('InvalidSessionIdError', message, operation)
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
        throw this.#error('ConfigError', 'the function of the option ttl threw', operation, error)
      }
      if (Number.isFinite(seconds)) return seconds
      throw this.#error('ConfigError', 'the function of the option ttl gave no number of seconds', operation)
    }

    /** What `make` reads from a session, of which getters and toJSON may throw. */
    #read(operation, make) {
      try {
        return make()
      } catch (error) {
        throw this.#error('SerializationError', 'the session cannot be read as JSON', operation, error)
      }
    }

    #emitMissing(operation, sid) {
      const sidHash = typeof sid === 'string' ? hashOf(sid) : undefined
      this.#emit('missing', { operation, tableName: this.#options.table, sidHash })
    }

    /** What a listener throws is the app's, not the operation's. */
    #emit(event, value) {
      if (this.listenerCount(event) > 0) process.nextTick(() => this.emit(event, value))
    }

    #failure({ text }, operation, sid) {
      const error = DynamoDBStoreError.fromNative(text, operation, this.#options.table, sid)
      if (error.code === 'CredentialsError') error.cause = this.#credentialsError ?? error.cause
      return error
    }

    #error(code, message, operation, cause) {
      return new DynamoDBStoreError(code, message, { operation, tableName: this.#options.table, cause })
    }
  }

/**
 * Answers through the callback, if the last argument is one, else with the promise.
 *
 * The callback runs once, later, outside of any promise, so that what it throws is the app's uncaught
 * exception; and in the async context of the call. A promise that nobody awaits must not end the process:
 * express-session leaves out the callback of `req.session.destroy()`.
 */
function answer(promise, rest) {
  const callback = rest.at(-1)
  if (typeof callback === 'function') {
    promise.then(
      (value) => process.nextTick(callback, null, value),
      (error) => process.nextTick(callback, error)
    )
    return undefined
  }
  promise.catch(() => {})
  return promise
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

module.exports = { createStoreClass }
