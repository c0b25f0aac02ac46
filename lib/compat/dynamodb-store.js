'use strict'

const { callbackOrPromise } = require('../callbacks.js')
const { findBase, requirerOf } = require('../express-base.js')
const { fromNow, lifetimeOf } = require('../lifetime.js')
const { copyOptions, writesBinary } = require('../options.js')
const { mayBeFastify } = require('../parallel/frameworks.js')
const { STATE } = require('../state.js')
const { hashOf } = require('../tracing.js')
const { optionsOfVersion2Config } = require('./aws-v2.js')
const { withRepairedCookie } = require('./dynamodb-store-cookie.js')
const { debug } = require('./debug.js')
const layout = require('./layouts.js')['dynamodb-store']
const {
  DEFAULT_CAPACITY,
  propertiesOf,
  nativeOptions,
  optionRows,
  settingsOf,
  validCapacity,
  warnOnce
} = require('./options.js')
const { createExpressStore, settle } = require('./store.js')
const { createTableInput, throughput } = require('./table.js')

const PACKAGE = 'dynamodb-store'

const rows = optionRows({
  'table.name': { property: 'tableName', native: 'table', default: 'sessions' },
  'table.hashPrefix': { property: 'hashPrefix', native: 'prefix', default: layout.prefix, keepsNull: true },
  'table.hashKey': { property: 'hashKey', native: 'hashKey', default: layout.hashKey },
  'table.readCapacityUnits': { property: 'readCapacityUnits', default: DEFAULT_CAPACITY, convert: Number },
  'table.writeCapacityUnits': { property: 'writeCapacityUnits', default: DEFAULT_CAPACITY, convert: Number },
  touchInterval: { property: 'touchInterval', default: 30_000, keepsNull: true },
  ttl: { property: 'ttl', keepsNull: true },
  keepExpired: { property: 'keepExpired', default: false, keepsNull: true },
  'dynamoConfig.region': { replaces: 'region' },
  'dynamoConfig.endpoint': { replaces: 'endpoint' }
})

/** Compatible with dynamodb-store 1.2.0. dynamodb-store.d.ts documents it. */
class DynamoDBStore extends createExpressStore(findBase(requirerOf(module))) {
  constructor(given = {}, callback) {
    super()
    const options = copyOptions(given)
    const { table, dynamoConfig, ttl, touchInterval, keepExpired } = options
    debug(() => 'Initializing store', { table, touchInterval, ttl, keepExpired })
    if (ttl !== undefined && !Number.isFinite(ttl)) {
      warnOnce(PACKAGE, 'ignored an option: option ttl must be a number of milliseconds')
    }
    this.setOptionsAsInstanceAttributes(options)
    this.dynamoService = null
    this.documentClient = null
    const native = { ...nativeOptions(PACKAGE, rows, options), ...optionsOfVersion2Config(dynamoConfig ?? {}) }
    this[STATE].native = native
    const { readCapacityUnits, writeCapacityUnits } = capacityOf(this)
    this[STATE].open({
      ...settingsOf(rows, this, native),
      format: layout.format,
      constants: layout.constants,
      lifetime: (sess) => (this.getExpirationDate(sess) - Date.now()) / 1000,
      stamp: { field: 'updated', value: (now) => now, attribute: (now) => ({ N: `${now}` }) },
      // The replaced package rounds down.
      round: Math.floor,
      // A touch cannot set the stamp in a binary form, so the expiry shows when the session was touched.
      ...(writesBinary(native)
        ? { touchAfter: native.touchAfter ?? this.touchInterval / 1000 }
        : { isFresh: (sess) => wasUpdatedRecently(this, sess) }),
      newTable: { throughput: [readCapacityUnits, writeCapacityUnits], timeToLive: false, tags: [] }
    })
    // Without a callback, the first operation that misses the table creates it.
    if (typeof callback === 'function') this.createTableIfDontExists(callback)
  }

  setOptionsAsInstanceAttributes(options) {
    const given = copyOptions(options)
    const { table = {}, prefix, hashKey } = given
    given.table = typeof table === 'string' ? { name: table, hashPrefix: prefix, hashKey } : copyOptions(table)
    Object.assign(this, propertiesOf(rows, given))
  }

  createTableIfDontExists(callback) {
    const called = callback && ((error) => (error ? callback(error) : callback()))
    return settle(createTableIfMissing(this), called, this[STATE].sessions)
  }

  async isTableCreated() {
    const state = this[STATE]
    state.description = undefined
    try {
      state.description = (await state.sessions.request('DescribeTable')).Table
      return true
    } catch (error) {
      if (error.code === 'ResourceNotFoundException') return false
      throw error
    }
  }

  createTable() {
    const { sessions, native } = this[STATE]
    const input = createTableInput([this.hashKey], { ProvisionedThroughput: throughput(capacityOf(this)) }, native)
    return sessions.request('CreateTable', input)
  }

  getSessionId(sid) {
    return `${this.hashPrefix}${sid}`
  }

  getExpirationDate(sess) {
    return new Date(fromNow(Number.isFinite(this.ttl) ? this.ttl : lifetimeOf(sess) * 1000))
  }

  get(sid, callback) {
    const { sessions } = this[STATE]
    const getting = get(this, sid)
    const isForFastify = mayBeFastify(this, [callback])
    return settle(isForFastify ? getting.then((sess) => sessions.withCarrier(sess)) : getting, callback, sessions)
  }

  set(sid, sess, ...rest) {
    debugSession(sid, (id) => `Saving session ${id}`)
    const { sessions } = this[STATE]
    const saving = sessions.set(sid, sess).then(() => ({}))
    return callbackOrPromise(withDebug(saving, 'saving', sid), rest, sessions)
  }

  touch(sid, sess, ...rest) {
    const isFresh = wasUpdatedRecently(this, sess)
    debugSession(sid, (id) => `${isFresh ? 'Skipping touch of' : 'Touching'} session ${id}`)
    if (isFresh) this[STATE].sessions.countSavedTouch()
    return callbackOrPromise(isFresh ? Promise.resolve() : withDebug(touch(this, sid, sess), 'touching', sid), rest)
  }

  destroy(sid, callback) {
    return settle(destroy(this, sid), callback, this[STATE].sessions)
  }

  handleExpiredSession(sid, callback) {
    return settle(handleExpired(this, sid), callback, this[STATE].sessions)
  }
}

async function createTableIfMissing(store) {
  const { tableName } = store
  const state = store[STATE]
  if (await store.isTableCreated()) {
    // An override of isTableCreated need not describe the table.
    state.sessions.requireKey(state.description ?? {})
    return debug(() => `Table ${tableName} already exists`)
  }
  debug(() => `Creating table ${tableName}...`)
  try {
    await state.sessions.createTable()
  } catch (error) {
    debug(() => `Error creating table ${tableName}`, error)
    throw error
  }
}

async function get(store, sid) {
  const { sessions } = store[STATE]
  const { session, isExpired } = await withDebug(sessions.find(sid), 'getting', sid)
  if (isExpired) {
    return new Promise((resolve, reject) => {
      store.handleExpiredSession(sid, (error, value) => (error ? reject(error) : resolve(value)))
    })
  }
  debugSession(sid, (id) => `Session ${id} ${session === null ? 'not found' : 'found'}`)
  return session && sessions.handOver(session, withRepairedCookie(session))
}

async function touch(store, sid, sess) {
  const updated = Date.now()
  const expires = await store[STATE].sessions.touch(sid, sess)
  return expires === undefined ? undefined : { Attributes: { expires, sess: { updated } } }
}

async function destroy(store, sid) {
  await withDebug(store[STATE].sessions.destroy(sid), 'destroying', sid)
  debugSession(sid, (id) => `Destroyed session ${id}`)
  return null
}

async function handleExpired(store, sid) {
  debugSession(sid, (id) => `Found session ${id} but it is expired`)
  if (store.keepExpired) return null
  const isDestroyed = await withDebug(store[STATE].sessions.destroyExpired(sid), 'destroying', sid)
  if (isDestroyed) debugSession(sid, (id) => `Destroyed session ${id}`)
  return null
}

function wasUpdatedRecently(store, sess) {
  return Boolean(sess?.updated) && Number(sess.updated) + store.touchInterval > Date.now()
}

function capacityOf(store) {
  const unitsOf = (name) => validCapacity(PACKAGE, `table.${name}`, Math.floor(store[name]))
  return { readCapacityUnits: unitsOf('readCapacityUnits'), writeCapacityUnits: unitsOf('writeCapacityUnits') }
}

/** Returns the promise. Prints its failure as debug output. */
async function withDebug(promise, doing, sid) {
  try {
    return await promise
  } catch (error) {
    debugSession(sid, (id) => `Error ${doing} session ${id}`, error)
    throw error
  }
}

/** Prints what the replaced package prints about a session. A hash takes the place of the session ID. */
function debugSession(sid, messageOf, details) {
  debug(() => messageOf(`'${hashOf(String(sid))}'`), details)
}

module.exports = DynamoDBStore
