'use strict'

const { EventEmitter } = require('node:events')
const { answer, emitLater } = require('../answer.js')
const { fromNow } = require('../lifetime.js')
const { Sessions } = require('../sessions.js')
const { STATE } = require('../state.js')
const { optionsOfVersion2Config } = require('./aws-v2.js')
const { defined, nativeOptions, optionsOf, warnOnce } = require('./options.js')

const ONE_DAY = 86_400_000

const DEFAULT_UNITS = 5

/** What the native options are called here, for messages. */
const names = {
  table: 'table.name',
  createTable: 'table.autoCreate: true',
  hashKey: 'table.hashKey',
  sortKey: 'table.sortKey',
  region: 'dynamoConfig.region',
  endpoint: 'dynamoConfig.endpoint'
}

/**
 * The class of a koa-session store: koa-session-dynamodb-store's, and with a sort key that of its fork.
 * koa.d.ts documents it.
 */
function createStoreClass({ face, layout, idOf }) {
  const { hashKey, sortKey, prefix, format } = layout
  const defaults = { hashKey, sortKey, prefix, format, consistentRead: 'on-miss' }

  return class DynamoDBStore extends EventEmitter {
    constructor(options = {}, callback) {
      super()
      const state = new State(face, (event, value) => emitLater(this, event, value))
      Object.defineProperty(this, STATE, { value: state })
      debug('Initializing store', withoutSecrets(options))
      this.setOptions(options)
      if (this.autoCreateTable) createTableAtStart(this, callback)
    }

    setOptions(options) {
      const { table: given, dynamoConfig, attributes, ...others } = optionsOf(options ?? {})
      const table = typeof given === 'string' ? { name: given } : optionsOf(given ?? {})
      const { autoCreate = false, useTtlExpired = true } = table
      const config = optionsOf(dynamoConfig ?? {})
      const wanted = {
        ...defaults,
        ...defined(others),
        attributes: { ...layout.attributes, ...attributes }
      }
      const native = nativeOptions(face, wanted, [])
      // What was left out has the default of this face.
      for (const name of Object.keys(defaults)) if (native[name] !== wanted[name]) native[name] = defaults[name]
      // A name that cannot be meant is not replaced by another table's: the service refuses it.
      this.tableName = String(table.name ?? native.table)
      this.autoCreateTable = autoCreate
      this.hashKey = String(table.hashKey ?? native.hashKey)
      if (sortKey !== undefined) {
        this.hasValuePrefix = String(table.hasValuePrefix ?? native.prefix)
        this.sortKey = String(table.sortKey ?? native.sortKey)
      }
      this.ttlKey = String(table.ttlKey ?? native.attributes.expires)
      this.readCapacityUnits = unitsOf(face, table, 'readCapacityUnits')
      this.writeCapacityUnits = unitsOf(face, table, 'writeCapacityUnits')
      this.isLocal = String(config.region ?? native.region).includes('local')
      this.useTtlExpired = useTtlExpired
      const throughput = [this.readCapacityUnits, this.writeCapacityUnits]
      this[STATE].options = {
        ...native,
        ...optionsOfVersion2Config(config),
        constants: layout.constants,
        names,
        // The originals round down.
        round: Math.floor,
        lifetime: (_session, maxAge) => (this.getExpirationDate(maxAge) - Date.now()) / 1000,
        newTable: this.autoCreateTable ? { throughput, timeToLive: hasTimeToLive(this), tags: [] } : native.newTable
      }
      this[STATE].layout = []
    }

    // An operation starts at the call, unless the table is being created: `set` writes the session as it is then, and
    // `close` lets all that have started finish.

    /** The session, or undefined. */
    async get(id) {
      if (this[STATE].creation !== undefined) await this[STATE].creation
      try {
        return (await sessionsOf(this).get(idOf(id))) ?? undefined
      } catch (error) {
        throw Object.assign(new Error('Unable to get session.', { cause: error }), error)
      }
    }

    async set(id, session, maxAge) {
      if (this[STATE].creation !== undefined) await this[STATE].creation
      await sessionsOf(this).set(idOf(id), session, maxAge)
      return {}
    }

    async destroy(id) {
      if (this[STATE].creation !== undefined) await this[STATE].creation
      await sessionsOf(this).destroy(idOf(id))
      return {}
    }

    stats() {
      return sessionsOf(this).stats()
    }

    async close() {
      await sessionsOf(this).close()
    }

    /** koa-session's 'session', and what is no number, stand for the default lifetime. */
    getExpirationDate(maxAge) {
      const lifetime = maxAge === null ? 0 : Number.isFinite(maxAge) ? maxAge : ONE_DAY
      return new Date(fromNow(lifetime))
    }

    /** The service's two answers, or null when there is no table, or no longer one. */
    async isTableCreated() {
      try {
        const describeTable = await sessionsOf(this).request('DescribeTable', {})
        debug('DescribeTable message : ', describeTable)
        const describeTimeToLive = (await sessionsOf(this)
          .request('DescribeTimeToLive', {})
          // Some servers do not support time to live.
          .catch(codes('UnknownOperationException'))) ?? { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } }
        debug('DescribeTimeToLive message : ', describeTimeToLive)
        return { describeTable, describeTimeToLive }
      } catch (error) {
        if (error.code === 'ResourceNotFoundException') return null
        throw error
      }
    }

    async createTable() {
      const keys = [
        [this.hashKey, 'HASH'],
        [this.sortKey ?? this[STATE].options.sortKey, 'RANGE']
      ].filter(([name]) => name !== undefined)
      return sessionsOf(this).request('CreateTable', {
        AttributeDefinitions: keys.map(([AttributeName]) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: keys.map(([AttributeName, KeyType]) => ({ AttributeName, KeyType })),
        ProvisionedThroughput: throughputOf(this)
      })
    }

    /** The service's answer, or true when there is nothing to update: an on-demand table has no capacity. */
    async updateTable(exists) {
      const { Table } = exists?.describeTable ?? (await sessionsOf(this).request('DescribeTable', {}))
      const { ReadCapacityUnits, WriteCapacityUnits } = throughputOf(this)
      const { ProvisionedThroughput: current = {} } = Table
      const isSame =
        current.ReadCapacityUnits === ReadCapacityUnits && current.WriteCapacityUnits === WriteCapacityUnits
      if (isSame || Table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST') {
        debug('UpdateTable message : nothing to update.')
        return true
      }
      debug('UpdateTable params : ', { TableName: this.tableName, ProvisionedThroughput: throughputOf(this) })
      return sessionsOf(this).request('UpdateTable', { ProvisionedThroughput: throughputOf(this) })
    }

    async setTtlField() {
      const TimeToLiveSpecification = { AttributeName: this.ttlKey, Enabled: Boolean(this.useTtlExpired) }
      return sessionsOf(this).request('UpdateTimeToLive', { TimeToLiveSpecification })
    }

    /** With a callback, which gets the error, the promise is never rejected. */
    async createTableIfDontExists(callback) {
      const creation = createMissingTable(this)
      const settled = creation.then(
        () => {},
        (error) => debug(`Error creating table ${this.tableName}`, error)
      )
      this[STATE].creation = settled
      settled.then(() => {
        if (this[STATE].creation === settled) this[STATE].creation = undefined
      })
      if (typeof callback !== 'function') return creation
      return new Promise((resolve) => {
        answer(creation, [
          (error) => {
            resolve()
            callback(error ?? undefined)
          }
        ])
      })
    }
  }
}

async function createTableAtStart(store, callback) {
  try {
    await store.createTableIfDontExists(callback)
  } catch (error) {
    const { face } = store[STATE]
    warnOnce(face, `the table ${store.tableName} was not created (${error.code}): ${error.message}`)
  }
}

async function createMissingTable(store) {
  const exists = await store.isTableCreated()
  if (exists !== null) {
    debug(`Table ${store.tableName} already exists`)
    sessionsOf(store).requireKey(exists.describeTable.Table, 'DescribeTable')
    if (exists.describeTable.Table.TableStatus === 'CREATING') await untilActive(store)
    if (!store.isLocal) followTimeToLive(store, exists.describeTimeToLive.TimeToLiveDescription)
    return
  }
  debug(`Creating table ${store.tableName}...`)
  // Another process may create it at the same time, and then cares for the rest.
  const isOurs = (await store.createTable().then(() => true, codes('ResourceInUseException'))) ?? false
  await untilActive(store)
  if (isOurs && hasTimeToLive(store)) await enableTimeToLive(store)
}

/** The core's creation waits for a table that is there. */
async function untilActive(store) {
  await sessionsOf(store).createTable()
}

/** An attribute that the table's time to live has already takes the place of the option. */
function followTimeToLive(store, { TimeToLiveStatus, AttributeName }) {
  if (['ENABLED', 'ENABLING'].includes(TimeToLiveStatus)) store.ttlKey = AttributeName
}

/** The table serves without, so a refusal is no failure. */
async function enableTimeToLive(store) {
  try {
    await store.setTtlField()
    debug('UpdateTimeToLive message : You have set the TimeToLive property')
  } catch (error) {
    const { face } = store[STATE]
    warnOnce(face, `the time to live of the table ${store.tableName} was not enabled (${error.code}): ${error.message}`)
  }
}

function hasTimeToLive(store) {
  return Boolean(store.useTtlExpired) && !store.isLocal
}

function throughputOf(store) {
  return { ReadCapacityUnits: store.readCapacityUnits, WriteCapacityUnits: store.writeCapacityUnits }
}

/** The core; another one after an attribute was assigned. */
function sessionsOf(store) {
  const state = store[STATE]
  const layout = [store.tableName, store.hashKey, store.sortKey, store.hasValuePrefix, store.ttlKey]
  if (layout.every((name, i) => name === state.layout[i])) return state.opened
  const { options, emit } = state
  state.layout = layout
  state.opened?.close()
  state.opened = new Sessions(
    {
      ...options,
      table: store.tableName,
      hashKey: store.hashKey,
      sortKey: store.sortKey ?? options.sortKey,
      prefix: store.hasValuePrefix ?? options.prefix,
      attributes: { ...options.attributes, expires: store.ttlKey }
    },
    emit
  )
  return state.opened
}

class State {
  options
  /** The names that the open core uses. */
  layout = []
  opened
  /** While a missing table is being created: settles when creation succeeds or fails. */
  creation

  constructor(face, emit) {
    this.face = face
    this.emit = emit
  }
}

function unitsOf(face, table, name) {
  const units = Number(table[name] ?? DEFAULT_UNITS)
  if (Number.isInteger(units) && units >= 1) return units
  warnOnce(face, `option table.${name} must be a whole number, 1 or more; it is ${DEFAULT_UNITS}`)
  return DEFAULT_UNITS
}

/** Takes these errors, which leaves undefined, and no others. */
function codes(...expected) {
  return (error) => {
    if (!expected.includes(error.code)) throw error
  }
}

/** What the original prints when the switch is set, but for what is nobody's business. */
function debug(message, details) {
  if (!process.env.DYNAMODB_STORE_DEBUG) return
  console.log(`${new Date()} - DYNAMODB_STORE: ${message}`, details === undefined ? '' : JSON.stringify(details))
}

function withoutSecrets(options) {
  const { table, dynamoConfig } = options ?? {}
  const { region, endpoint } = dynamoConfig ?? {}
  return { table, dynamoConfig: { region, endpoint } }
}

module.exports = { createStoreClass }
