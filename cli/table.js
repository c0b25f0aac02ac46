'use strict'

const { keyMismatch } = require('../lib/table-description.js')
const { ItemCodec } = require('../lib/native/item-codec.js')
const { NativeStore } = require('../lib/native/native-store.js')
const { operations } = require('../lib/native/operations.js')
const { capacityUnitsOf } = require('../lib/tracing.js')
const { Protection } = require('../lib/protection.js')
const { CommandError } = require('./error.js')
const { keyHint } = require('./hints.js')

/** Longer timeouts and more attempts than in an app, whose users wait for each response. */
const defaultLimits = { attemptTimeout: 10_000, timeout: 60_000, maxAttempts: 8 }

/** The kind of capacity that an operation consumes. */
const capacityKinds = {
  GetItem: 'read',
  Query: 'read',
  Scan: 'read',
  PutItem: 'write',
  UpdateItem: 'write',
  DeleteItem: 'write'
}

const deleteExpired = { ...operations.destroyExpired, reportsCapacity: true }

/** Sends requests to one table, and reads and writes its items. `options` are the complete options of a store. */
class Table {
  /** The capacity units that the requests have consumed. */
  consumed = { read: 0, write: 0 }
  #native
  #codec
  #protection

  constructor(options, limits = defaultLimits) {
    this.options = options
    this.#native = new NativeStore({ ...options, ...limits })
    this.#codec = new ItemCodec(options)
    this.#protection = options.hashIds ? new Protection(options) : undefined
  }

  /** The host that requests go to, or undefined before the first request has determined it. */
  get host() {
    return this.#native.server().serverAddress
  }

  /** Sends a request of the DynamoDB API to the table. Resolves to the response. */
  async request(name, input) {
    const kind = capacityKinds[name]
    if (kind === undefined) return JSON.parse(await this.#withSide(this.#native.request(name, input)))
    const withCapacity = { ...input, ReturnConsumedCapacity: 'TOTAL' }
    try {
      const response = JSON.parse(await this.#withSide(this.#native.request(name, withCapacity)))
      this.consumed[kind] += response.ConsumedCapacity?.CapacityUnits ?? 0
      return response
    } catch (error) {
      // It consumes capacity too, but the response does not say how much.
      if (error.code === 'ConditionalCheckFailedException') this.consumed[kind] += 1
      throw error
    }
  }

  /** Like `request`, but resolves to the response as `value`, or to the `error` of the store or the service. */
  async tryRequest(name, input) {
    try {
      return { value: await this.request(name, input) }
    } catch (error) {
      if (typeof error.code !== 'string') throw error
      return { error }
    }
  }

  /** Deletes the item of a session if it has expired. Resolves to whether it had, and to the write capacity units. */
  async deleteExpired(id) {
    const { number, trace } = await this.#withSide(this.#native.run(deleteExpired, id, Date.now()))
    const units = capacityUnitsOf(trace)
    // A failed condition consumes capacity too, but the response does not say how much.
    this.consumed.write += units ?? (number === 1 ? 0 : 1)
    return { wasExpired: number === 1, units }
  }

  /** Adds the side of migrate to an error, for the hint. */
  async #withSide(promise) {
    try {
      return await promise
    } catch (error) {
      throw Object.assign(error, { side: this.options.side })
    }
  }

  /** Reads the item of a session, with a consistent read. */
  async get(id) {
    const { Item } = await this.request('GetItem', { Key: this.keyOf(id), ConsistentRead: true })
    return Item
  }

  /** The service's description of the table. Throws if the key of the table is not the expected one. */
  async describe() {
    const { Table: table } = await this.request('DescribeTable')
    const mismatch = keyMismatch(table, this.options)
    if (mismatch !== undefined) throw wrongKeyError(mismatch, this.options)
    return table
  }

  /** Like `describe`, but resolves to undefined if the IAM policy does not allow DescribeTable. */
  async describeIfAllowed() {
    try {
      return await this.describe()
    } catch (error) {
      if (error.code === 'AccessDeniedException') return undefined
      throw error
    }
  }

  /** The key of the item of a session. */
  keyOf(id) {
    return this.#codec.key(id)
  }

  /** The key of an item, at which a scan can resume. */
  keyOfItem(item) {
    const { hashKey, sortKey } = this.options
    return sortKey === undefined ? { [hashKey]: item[hashKey] } : { [hashKey]: item[hashKey], [sortKey]: item[sortKey] }
  }

  /** Why the app cannot read a session with this ID, or undefined. */
  problemWithId(id) {
    return this.#protection?.problemWithId(id)
  }

  /**
   * Reads an item, as ItemCodec does. `isSession` says whether the item belongs to a session; its session may still be
   * unreadable.
   */
  decode(item) {
    const { prefix, attributes } = this.options
    const isMap = item[attributes.session]?.M !== undefined
    const decoded = this.#codec.decode(isMap ? withSortedSets(item) : item)
    // Without a prefix, every key could be that of a session.
    const isSession = decoded.id !== undefined && (prefix !== '' || Object.hasOwn(item, attributes.session))
    return { ...decoded, isSession }
  }

  /** The item of a session. `attributes` are attribute values to add to it, and `user` is the user of the session. */
  encode(id, session, expires, attributes, user) {
    return this.#codec.encode(id, session, expires, attributes, user)
  }
}

/** DynamoDB returns sets in any order. Sorted, a set always becomes the same JSON array. */
function withSortedSets(item) {
  return JSON.parse(JSON.stringify(item), (type, value) => {
    // Lists and sets are the only arrays in an item.
    if (!Array.isArray(value) || type === 'L') return value
    return value.toSorted(type === 'NS' ? (a, b) => a - b : undefined)
  })
}

function wrongKeyError(mismatch, { values, side }) {
  return new CommandError(mismatch.message, { code: 'WrongKeys', hint: keyHint({ values, side, mismatch }) })
}

module.exports = { Table, wrongKeyError }
