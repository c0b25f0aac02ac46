'use strict'

const { EventEmitter } = require('node:events')
const { answer } = require('../answer.js')
const { Sessions } = require('../sessions.js')
const { optionsOfVersion2Config } = require('./aws-v2.js')
const { defined, nativeOptions, warnOnce } = require('./options.js')

const ONE_DAY = 86_400_000

/** The last moment that a Date can tell, in milliseconds. */
const LATEST = 8.64e15

const DEFAULT_UNITS = 5

/**
 * The class of a koa-session store: koa-session-dynamodb-store's, and with a sort key that of its fork.
 * koa.d.ts documents it.
 */
function createStoreClass({ face, layout, idOf }) {
  const { hashKey, sortKey, prefix, format } = layout
  const defaults = { hashKey, sortKey, prefix, format, consistentRead: 'on-miss' }

  return class DynamoDBStore extends EventEmitter {
    #options
    #layout = []
    #opened
    /** While a missing table is being created: settles when it is done, or has failed. */
    #creation

    constructor(options = {}, callback) {
      super()
      debug('Initializing store', withoutSecrets(options))
      this.setOptions(options)
      if (this.autoCreateTable) this.#createTableAtStart(callback)
    }

    setOptions(options) {
      const { table: given, dynamoConfig, attributes, ...others } = options ?? {}
      const table = typeof given === 'string' ? { name: given } : (given ?? {})
      const { autoCreate = false, useTtlExpired = true } = table
      const config = dynamoConfig ?? {}
      const wanted = {
        ...defaults,
        ...defined(others),
        attributes: { ...layout.attributes, ...attributes }
      }
      const native = nativeOptions(face, wanted, [])
      // What was left out has the default of this face.
      for (const name in defaults) if (native[name] !== wanted[name]) native[name] = defaults[name]
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
      this.#options = {
        ...native,
        ...optionsOfVersion2Config(config),
        constants: layout.constants,
        lifetime: (_session, maxAge) => (this.getExpirationDate(maxAge) - Date.now()) / 1000,
        newTable: this.autoCreateTable ? { throughput, timeToLive: this.#hasTimeToLive, tags: [] } : native.newTable
      }
      this.#layout = []
    }

    /** The session, or undefined. */
    async get(id) {
      await this.#creation
      try {
        return (await this.#sessions.get(idOf(id))) ?? undefined
      } catch (error) {
        throw Object.assign(new Error('Unable to get session.', { cause: error }), error)
      }
    }

    async set(id, session, maxAge) {
      // What is written is the session as it is at the call.
      if (this.#creation !== undefined) await this.#creation
      await this.#sessions.set(idOf(id), session, maxAge)
      return {}
    }

    async destroy(id) {
      await this.#creation
      await this.#sessions.destroy(idOf(id))
      return {}
    }

    stats() {
      return this.#sessions.stats()
    }

    /** koa-session's 'session', and what is no number, stand for the default lifetime. */
    getExpirationDate(maxAge) {
      const lifetime = maxAge === null ? 0 : Number.isFinite(maxAge) ? maxAge : ONE_DAY
      return new Date(Math.min(Date.now() + lifetime, LATEST))
    }

    /** The service's two answers, or null when there is no table. */
    async isTableCreated() {
      const describeTable = await this.#sessions.request('DescribeTable', {}).catch(codes('ResourceNotFoundException'))
      if (describeTable === undefined) return null
      debug('DescribeTable message : ', describeTable)
      const describeTimeToLive = (await this.#sessions
        .request('DescribeTimeToLive', {})
        // Time to live is unknown to some servers.
        .catch(codes('UnknownOperationException'))) ?? { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } }
      debug('DescribeTimeToLive message : ', describeTimeToLive)
      return { describeTable, describeTimeToLive }
    }

    async createTable() {
      const keys = [
        [this.hashKey, 'HASH'],
        [this.sortKey ?? this.#options.sortKey, 'RANGE']
      ].filter(([name]) => name !== undefined)
      return this.#sessions.request('CreateTable', {
        AttributeDefinitions: keys.map(([AttributeName]) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: keys.map(([AttributeName, KeyType]) => ({ AttributeName, KeyType })),
        ProvisionedThroughput: this.#throughput
      })
    }

    /** The service's answer, or true when there is nothing to update: an on-demand table has no capacity. */
    async updateTable(exists) {
      const { Table } = exists?.describeTable ?? (await this.#sessions.request('DescribeTable', {}))
      const { ReadCapacityUnits, WriteCapacityUnits } = this.#throughput
      const { ProvisionedThroughput: current = {} } = Table
      const isSame =
        current.ReadCapacityUnits === ReadCapacityUnits && current.WriteCapacityUnits === WriteCapacityUnits
      if (isSame || Table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST') {
        debug('UpdateTable message : nothing to update.')
        return true
      }
      debug('UpdateTable params : ', { TableName: this.tableName, ProvisionedThroughput: this.#throughput })
      return this.#sessions.request('UpdateTable', { ProvisionedThroughput: this.#throughput })
    }

    async setTtlField() {
      const TimeToLiveSpecification = { AttributeName: this.ttlKey, Enabled: Boolean(this.useTtlExpired) }
      return this.#sessions.request('UpdateTimeToLive', { TimeToLiveSpecification })
    }

    /** With a callback, which gets the error, the promise is never rejected. */
    async createTableIfDontExists(callback) {
      const creation = this.#createMissingTable()
      const settled = creation.then(
        () => {},
        (error) => debug(`Error creating table ${this.tableName}`, error)
      )
      this.#creation = settled
      settled.then(() => {
        if (this.#creation === settled) this.#creation = undefined
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

    async #createTableAtStart(callback) {
      try {
        await this.createTableIfDontExists(callback)
      } catch (error) {
        warnOnce(face, `the table ${this.tableName} was not created (${error.code}): ${error.message}`)
      }
    }

    async #createMissingTable() {
      const exists = await this.isTableCreated()
      if (exists !== null) {
        debug(`Table ${this.tableName} already exists`)
        if (exists.describeTable.Table.TableStatus === 'CREATING') await this.#untilActive()
        if (!this.isLocal) this.#followTimeToLive(exists.describeTimeToLive.TimeToLiveDescription)
        return
      }
      debug(`Creating table ${this.tableName}...`)
      // Another process may create it at the same time, and then cares for the rest.
      const isOurs = (await this.createTable().then(() => true, codes('ResourceInUseException'))) ?? false
      await this.#untilActive()
      if (isOurs && this.#hasTimeToLive) await this.#enableTimeToLive()
    }

    /** The core's creation waits for a table that is there. */
    async #untilActive() {
      await this.#sessions.createTable()
    }

    /** An attribute that the table's time to live has already takes the place of the option. */
    #followTimeToLive({ TimeToLiveStatus, AttributeName }) {
      if (['ENABLED', 'ENABLING'].includes(TimeToLiveStatus)) this.ttlKey = AttributeName
    }

    /** The table serves without, so a refusal is no failure. */
    async #enableTimeToLive() {
      try {
        await this.setTtlField()
        debug('UpdateTimeToLive message : You have set the TimeToLive property')
      } catch (error) {
        warnOnce(
          face,
          `the time to live of the table ${this.tableName} was not enabled (${error.code}): ${error.message}`
        )
      }
    }

    get #hasTimeToLive() {
      return Boolean(this.useTtlExpired) && !this.isLocal
    }

    get #throughput() {
      return { ReadCapacityUnits: this.readCapacityUnits, WriteCapacityUnits: this.writeCapacityUnits }
    }

    /** The core; another one after an attribute was assigned. */
    get #sessions() {
      const layout = [this.tableName, this.hashKey, this.sortKey, this.hasValuePrefix, this.ttlKey]
      if (layout.every((name, i) => name === this.#layout[i])) return this.#opened
      this.#layout = layout
      this.#opened = new Sessions(
        {
          ...this.#options,
          table: this.tableName,
          hashKey: this.hashKey,
          sortKey: this.sortKey ?? this.#options.sortKey,
          prefix: this.hasValuePrefix ?? this.#options.prefix,
          attributes: { ...this.#options.attributes, expires: this.ttlKey }
        },
        (event, value) => {
          if (this.listenerCount(event) > 0) process.nextTick(() => this.emit(event, value))
        }
      )
      return this.#opened
    }
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
