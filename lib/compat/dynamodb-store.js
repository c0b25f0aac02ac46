'use strict'

const { answer, call, emitLater } = require('../answer.js')
const { findBase, requirerOf } = require('../base.js')
const { watchGenerate } = require('../express-cookie.js')
const { fromNow, lifetimeOf } = require('../lifetime.js')
const { Sessions } = require('../sessions.js')
const { STATE } = require('../state.js')
const { hashOf } = require('../tracing.js')
const { optionsOfVersion2Config } = require('./aws-v2.js')
const { withRepairedCookie } = require('./cookie.js')
const layout = require('./layouts.js')['dynamodb-store']
const { nativeOptions, optionsOf, warnOnce } = require('./options.js')

const FACE = 'dynamodb-store'
const OWN_OPTIONS = ['table', 'dynamoConfig', 'touchInterval', 'ttl', 'keepExpired']
const DEFAULT_CAPACITY = 5

/** What the native options are called here, for messages. */
const names = {
  table: 'table.name',
  hashKey: 'table.hashKey',
  region: 'dynamoConfig.region',
  endpoint: 'dynamoConfig.endpoint'
}

/** For the sessions of a store, what its last call of isTableCreated found. */
const descriptions = new WeakMap()

/** The face of dynamodb-store 1.2.0. dynamodb-store.d.ts documents it. */
class DynamoDBStore extends findBase(requirerOf(module)) {
  constructor(given = {}, callback) {
    super()
    const options = optionsOf(given)
    const { table, dynamoConfig, ttl, touchInterval, keepExpired } = options
    debug(() => 'Initializing store', undefined, { table, touchInterval, ttl, keepExpired })
    if (ttl !== undefined && !Number.isFinite(ttl)) warnOnce(FACE, 'option ttl is no number of milliseconds')
    this.setOptionsAsInstanceAttributes(options)
    this.dynamoService = null
    this.documentClient = null
    const sessions = new Sessions(
      {
        ...nativeOptions(FACE, options, OWN_OPTIONS),
        ...optionsOfVersion2Config(dynamoConfig ?? {}),
        table: `${this.tableName}`,
        hashKey: `${this.hashKey}`,
        prefix: `${this.hashPrefix}`,
        format: layout.format,
        constants: layout.constants,
        names,
        lifetime: (sess) => (this.getExpirationDate(sess) - Date.now()) / 1000,
        stamp: { field: 'updated', value: (now) => now, attribute: (now) => ({ N: `${now}` }) },
        // The original rounds down.
        round: Math.floor,
        isFresh: () => false,
        newTable: { throughput: capacityOf(this), timeToLive: false, tags: [] }
      },
      (event, value) => emitLater(this, event, value)
    )
    Object.defineProperty(this, STATE, { value: sessions })
    watchGenerate(this, (cookie) => sessions.setCookieOptions(cookie))
    // Otherwise the first operation that misses the table creates it.
    if (typeof callback === 'function') this.createTableIfDontExists(callback)
  }

  setOptionsAsInstanceAttributes(options) {
    const { table = {}, touchInterval = 30_000, ttl, keepExpired = false } = options
    const { name, hashPrefix, hashKey, readCapacityUnits, writeCapacityUnits } =
      typeof table === 'string'
        ? { name: table, hashPrefix: options.prefix, hashKey: options.hashKey }
        : optionsOf(table)
    this.tableName = name ?? 'sessions'
    this.hashPrefix = hashPrefix === undefined ? layout.prefix : hashPrefix
    this.hashKey = hashKey ?? layout.hashKey
    this.readCapacityUnits = Number(readCapacityUnits ?? DEFAULT_CAPACITY)
    this.writeCapacityUnits = Number(writeCapacityUnits ?? DEFAULT_CAPACITY)
    this.touchInterval = touchInterval
    this.ttl = ttl
    this.keepExpired = keepExpired
  }

  createTableIfDontExists(callback) {
    return settle(this, createTableIfMissing(this), callback && ((error) => (error ? callback(error) : callback())))
  }

  async isTableCreated() {
    const sessions = this[STATE]
    descriptions.delete(sessions)
    try {
      descriptions.set(sessions, (await sessions.request('DescribeTable')).Table)
      return true
    } catch (error) {
      if (error.code === 'ResourceNotFoundException') return false
      throw error
    }
  }

  createTable() {
    const [ReadCapacityUnits, WriteCapacityUnits] = capacityOf(this)
    return this[STATE].request('CreateTable', {
      KeySchema: [{ AttributeName: this.hashKey, KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: this.hashKey, AttributeType: 'S' }],
      ProvisionedThroughput: { ReadCapacityUnits, WriteCapacityUnits }
    })
  }

  getSessionId(sid) {
    return `${this.hashPrefix}${sid}`
  }

  getExpirationDate(sess) {
    return new Date(fromNow(Number.isFinite(this.ttl) ? this.ttl : lifetimeOf(sess) * 1000))
  }

  get(sid, callback) {
    return settle(this, get(this, sid), callback)
  }

  set(sid, sess, ...rest) {
    debug((id) => `Saving session ${id}`, sid)
    const saving = this[STATE].set(sid, sess).then(() => ({}))
    return answer(withDebug(saving, 'saving', sid), rest, this[STATE])
  }

  touch(sid, sess, ...rest) {
    const isFresh = wasUpdatedLately(this, sess)
    debug((id) => `${isFresh ? 'Skipping touch of' : 'Touching'} session ${id}`, sid)
    if (isFresh) this[STATE].touchSaved()
    return answer(isFresh ? Promise.resolve() : withDebug(touch(this, sid, sess), 'touching', sid), rest)
  }

  destroy(sid, callback) {
    return settle(this, destroy(this, sid), callback)
  }

  handleExpiredSession(sid, callback) {
    return settle(this, handleExpired(this, sid), callback)
  }

  /** express-session makes a Session of what `get` returned. */
  createSession(request, session) {
    return this[STATE].createSession((...args) => super.createSession(...args), request, session)
  }

  stats() {
    return this[STATE].stats()
  }

  close(...rest) {
    return answer(this[STATE].close(), rest)
  }
}

async function createTableIfMissing(store) {
  const { tableName } = store
  if (await store.isTableCreated()) {
    // An overridden isTableCreated leaves none.
    store[STATE].requireKey(descriptions.get(store[STATE]) ?? {}, 'DescribeTable')
    return debug(() => `Table ${tableName} already exists`)
  }
  debug(() => `Creating table ${tableName}...`)
  try {
    await store[STATE].createTable()
  } catch (error) {
    debug(() => `Error creating table ${tableName}`, undefined, error)
    throw error
  }
}

async function get(store, sid) {
  const { session, isExpired } = await withDebug(store[STATE].find(sid), 'getting', sid)
  if (isExpired) {
    return new Promise((resolve, reject) => {
      store.handleExpiredSession(sid, (error, value) => (error ? reject(error) : resolve(value)))
    })
  }
  debug((id) => `Session ${id} ${session === null ? 'not found' : 'found'}`, sid)
  return session && store[STATE].handOver(session, withRepairedCookie(session))
}

async function touch(store, sid, sess) {
  const updated = Date.now()
  const expires = await store[STATE].touch(sid, sess)
  return expires === undefined ? undefined : { Attributes: { expires, sess: { updated } } }
}

async function destroy(store, sid) {
  await withDebug(store[STATE].destroy(sid), 'destroying', sid)
  debug((id) => `Destroyed session ${id}`, sid)
  return null
}

async function handleExpired(store, sid) {
  debug((id) => `Found session ${id} but it is expired`, sid)
  if (store.keepExpired) return null
  const wasDestroyed = await withDebug(store[STATE].destroyExpired(sid), 'destroying', sid)
  if (wasDestroyed) debug((id) => `Destroyed session ${id}`, sid)
  return null
}

function wasUpdatedLately(store, sess) {
  return Boolean(sess?.updated) && Number(sess.updated) + store.touchInterval > Date.now()
}

function capacityOf(store) {
  return ['readCapacityUnits', 'writeCapacityUnits'].map((name) => {
    const units = Math.floor(store[name])
    if (units >= 1 && Number.isSafeInteger(units)) return units
    warnOnce(FACE, `option table.${name} is no number of 1 or more; ${DEFAULT_CAPACITY} is taken`)
    return DEFAULT_CAPACITY
  })
}

/**
 * A promise that resolves to nothing once the callback was called, or, without a callback, to the value. What
 * the callback throws is the app's uncaught exception.
 */
function settle(store, promise, callback) {
  if (typeof callback !== 'function') {
    promise.catch(() => {})
    return promise
  }
  const called = (...results) => call(store[STATE], callback, ...results)
  return promise.then((value) => called(null, value), called)
}

/** The promise. Its failure is written to the debug output. */
async function withDebug(promise, doing, sid) {
  try {
    return await promise
  } catch (error) {
    debug((id) => `Error ${doing} session ${id}`, sid, error)
    throw error
  }
}

/** The original's debug output, but for ids, contents and secrets. */
function debug(messageOf, sid, details) {
  if (!process.env.DYNAMODB_STORE_DEBUG) return
  const message = messageOf(sid === undefined ? undefined : `'${hashOf(String(sid))}'`)
  console.log(`${new Date()} - DYNAMODB_STORE: ${message}`, details === undefined ? '' : JSON.stringify(details))
}

module.exports = DynamoDBStore
