'use strict'

const { EventEmitter } = require('node:events')
const { fromNow } = require('../lifetime.js')
const { copyOptions, isProtected, withoutUndefined } = require('../options.js')
const { contextOf } = require('../parallel/frameworks.js')
const { STATE } = require('../state.js')
const { optionsOfVersion2Config } = require('./aws-v2.js')
const { debug } = require('./debug.js')
const {
  DEFAULT_CAPACITY,
  propertiesOf,
  nativeOptions,
  optionRows,
  settingsOf,
  validCapacity,
  warnOnce
} = require('./options.js')
const { afterCreation, createCompatibleStore, settle } = require('./store.js')
const { createTableInput, ignoring, throughput, waitUntilActive } = require('./table.js')

const ONE_DAY = 86_400_000

/** The options of the package. Only @baseline-dev/koa-session-dynamodb-store has a sort key and a prefix. */
function rowsOf(packageName, { sortKey }) {
  const capacity = (property) => ({
    property,
    default: DEFAULT_CAPACITY,
    convert: (units) => validCapacity(packageName, `table.${property}`, Number(units))
  })
  return optionRows({
    'table.name': { property: 'tableName', native: 'table', convert: String },
    'table.autoCreate': {
      property: 'autoCreateTable',
      default: false,
      keepsNull: true,
      replaces: 'createTable',
      shown: 'table.autoCreate: true'
    },
    'table.hashKey': { property: 'hashKey', native: 'hashKey', convert: String },
    ...(sortKey !== undefined && {
      'table.hasValuePrefix': { property: 'hasValuePrefix', native: 'prefix', convert: String },
      'table.sortKey': { property: 'sortKey', native: 'sortKey', convert: String }
    }),
    'table.ttlKey': { property: 'ttlKey', native: 'attributes.expires', convert: String },
    'table.readCapacityUnits': capacity('readCapacityUnits'),
    'table.writeCapacityUnits': capacity('writeCapacityUnits'),
    'table.useTtlExpired': { property: 'useTtlExpired', default: true, keepsNull: true },
    'dynamoConfig.region': { replaces: 'region' },
    'dynamoConfig.endpoint': { replaces: 'endpoint' }
  })
}

/** The class of stores for koa-session-dynamodb-store, or for @baseline-dev's fork of it. koa.d.ts documents it. */
function createStoreClass({ packageName, layout, idOf }) {
  const { hashKey, sortKey, prefix, format } = layout
  const defaults = { hashKey, sortKey, prefix, format, consistentRead: 'on-miss' }
  const rows = rowsOf(packageName, layout)
  const nameProperties = Object.values(rows).flatMap(({ property, native }) => (native === undefined ? [] : property))

  return class DynamoDBStore extends createCompatibleStore(EventEmitter, run, sessionsOf) {
    constructor(options = {}, callback) {
      super()
      Object.assign(this[STATE], { packageName, rows, nameProperties })
      debug(() => 'Initializing store', withoutSecrets(options))
      this.setOptions(options)
      if (this.autoCreateTable) createTableAtStart(this, callback)
    }

    setOptions(options) {
      const { table: given, dynamoConfig, attributes, ...others } = copyOptions(options ?? {})
      const table = typeof given === 'string' ? { name: given } : copyOptions(given ?? {})
      const config = copyOptions(dynamoConfig ?? {})
      const wanted = { ...defaults, ...withoutUndefined(others), attributes: { ...layout.attributes, ...attributes } }
      // The format of the layout does not contradict an option.
      const native = nativeOptions(packageName, rows, { ...wanted, format: others.format })
      // An invalid option is replaced by the default of this package.
      for (const name of Object.keys(defaults)) if (native[name] !== wanted[name]) native[name] = defaults[name]
      // An invalid name in `table` is kept: a default could be the name of a different table. The service reports it.
      Object.assign(this, propertiesOf(rows, { __proto__: null, table }, native))
      this.isLocal = String(config.region ?? native.region).includes('local')
      const newTable = {
        throughput: [this.readCapacityUnits, this.writeCapacityUnits],
        timeToLive: hasTimeToLive(this),
        tags: []
      }
      this[STATE].native = {
        ...native,
        ...optionsOfVersion2Config(config),
        constants: layout.constants,
        // The replaced package rounds down.
        round: Math.floor,
        lifetime: (_session, maxAge) => (this.getExpirationDate(maxAge) - Date.now()) / 1000,
        newTable: this.autoCreateTable ? newTable : native.newTable
      }
      this[STATE].names = undefined
      // Opens the sessions now, so that the constructor reports a conflict of these options.
      if (isProtected(native)) sessionsOf(this)
    }

    // Unless the table is being created, operations start synchronously, so `set` captures the session's current state
    // and `close` lets them finish.

    async get(id, ...rest) {
      try {
        return (await run(this, (sessions) => sessions.get(idOf(id), contextOf(rest)))) ?? undefined
      } catch (error) {
        throw Object.assign(new Error('Unable to get session.', { cause: error }), error)
      }
    }

    async set(id, session, maxAge, ...rest) {
      await run(this, (sessions) => sessions.set(idOf(id), session, maxAge, contextOf(rest)))
      return {}
    }

    async destroy(id, ...rest) {
      await run(this, (sessions) => sessions.destroy(idOf(id), contextOf(rest)))
      return {}
    }

    /** The default lifetime applies if koa-session passes `'session'`, or anything else that is not a number. */
    getExpirationDate(maxAge) {
      const lifetime = maxAge === null ? 0 : Number.isFinite(maxAge) ? maxAge : ONE_DAY
      return new Date(fromNow(lifetime))
    }

    /** The two responses of the service, or null if the table does not exist. */
    async isTableCreated() {
      try {
        const describeTable = await sessionsOf(this).request('DescribeTable', {})
        debug(() => 'DescribeTable message : ', describeTable)
        const describeTimeToLive = (await sessionsOf(this)
          .request('DescribeTimeToLive', {})
          // Some servers do not support time to live.
          .catch(ignoring('UnknownOperationException'))) ?? { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } }
        debug(() => 'DescribeTimeToLive message : ', describeTimeToLive)
        return { describeTable, describeTimeToLive }
      } catch (error) {
        if (error.code === 'ResourceNotFoundException') return null
        throw error
      }
    }

    async createTable() {
      const keys = [this.hashKey, this.sortKey ?? this[STATE].native.sortKey]
      return sessionsOf(this).request(
        'CreateTable',
        createTableInput(keys, { ProvisionedThroughput: throughput(this) }, this[STATE].native)
      )
    }

    /** The service's response, or true if nothing needs an update. An on-demand table has no capacity to update. */
    async updateTable(exists) {
      const { Table } = exists?.describeTable ?? (await sessionsOf(this).request('DescribeTable', {}))
      const { ProvisionedThroughput: current = {} } = Table
      const ProvisionedThroughput = throughput(this)
      const isSame = Object.keys(ProvisionedThroughput).every((name) => current[name] === ProvisionedThroughput[name])
      if (isSame || Table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST') {
        debug(() => 'UpdateTable message : nothing to update.')
        return true
      }
      debug(() => 'UpdateTable params : ', { TableName: this.tableName, ProvisionedThroughput })
      return sessionsOf(this).request('UpdateTable', { ProvisionedThroughput })
    }

    async setTtlField() {
      const TimeToLiveSpecification = { AttributeName: this.ttlKey, Enabled: Boolean(this.useTtlExpired) }
      return sessionsOf(this).request('UpdateTimeToLive', { TimeToLiveSpecification })
    }

    /** With a callback, the promise never rejects: the callback gets the error. */
    async createTableIfDontExists(callback) {
      const creation = createMissingTable(this)
      creation.catch((error) => debug(() => `Error creating table ${this.tableName}`, error))
      this[STATE].holdOperations(creation)
      if (typeof callback !== 'function') return creation
      return settle(creation, (error) => callback(error ?? undefined))
    }
  }
}

/** The sessions. Reopens them if a property that names the table, a key, or an attribute has changed. */
function sessionsOf(store) {
  const state = store[STATE]
  const names = state.nameProperties.map((property) => store[property])
  if (state.names === undefined || names.some((name, index) => name !== state.names[index])) {
    state.names = names
    state.open(settingsOf(state.rows, store, state.native))
  }
  return state.sessions
}

/** Runs an operation on the sessions. If the table is being created, the operation waits for it. */
function run(store, operation) {
  return afterCreation(store, () => operation(sessionsOf(store)))
}

async function createTableAtStart(store, callback) {
  try {
    await store.createTableIfDontExists(callback)
  } catch (error) {
    const { packageName } = store[STATE]
    warnOnce(packageName, `cannot create the table ${store.tableName} (${error.code}): ${error.message}`)
  }
}

async function createMissingTable(store) {
  const exists = await store.isTableCreated()
  if (exists !== null) {
    debug(() => `Table ${store.tableName} already exists`)
    sessionsOf(store).requireKey(exists.describeTable.Table)
    if (exists.describeTable.Table.TableStatus === 'CREATING') await waitUntilActive(sessionsOf(store))
    if (!store.isLocal) followTimeToLive(store, exists.describeTimeToLive.TimeToLiveDescription)
    return
  }
  debug(() => `Creating table ${store.tableName}...`)
  // If another process creates the table at the same time, that process also enables the time to live.
  const isOurs = (await store.createTable().then(() => true, ignoring('ResourceInUseException'))) ?? false
  await waitUntilActive(sessionsOf(store))
  if (isOurs && hasTimeToLive(store)) await enableTimeToLive(store)
}

/** If the table already has a time to live, the store uses its attribute. */
function followTimeToLive(store, { TimeToLiveStatus, AttributeName }) {
  if (['ENABLED', 'ENABLING'].includes(TimeToLiveStatus)) store.ttlKey = AttributeName
}

/** The store works without a time to live, so a failure is only a warning. */
async function enableTimeToLive(store) {
  try {
    await store.setTtlField()
    debug(() => 'UpdateTimeToLive message : You have set the TimeToLive property')
  } catch (error) {
    const { packageName } = store[STATE]
    const subject = `the time to live of the table ${store.tableName}`
    warnOnce(packageName, `cannot enable ${subject} (${error.code}): ${error.message}`)
  }
}

function hasTimeToLive(store) {
  return Boolean(store.useTtlExpired) && !store.isLocal
}

function withoutSecrets(options) {
  const { table, dynamoConfig } = options ?? {}
  const { region, endpoint } = dynamoConfig ?? {}
  return { table, dynamoConfig: { region, endpoint } }
}

module.exports = { createStoreClass }
