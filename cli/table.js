'use strict'

const { Connection } = require('../lib/native/native-store.js')
const { keyMismatch } = require('../lib/keys.js')
const { adviceOnKeys } = require('./advice.js')
const { CommandError } = require('./error.js')

/** A tool waits longer than an app with people waiting, and tries more often. */
const patience = { attemptTimeout: 10_000, timeout: 60_000, maxAttempts: 8 }

/** Requests to one table with the settled options of a store. */
class Table {
  #connection

  constructor(options, limits = patience) {
    this.options = options
    this.#connection = new Connection({ ...options, ...limits })
  }

  /** Sends a request of DynamoDB's API to the table; resolves to the service's answer. */
  async request(operation, input) {
    const body = JSON.stringify({ TableName: this.options.table, ...input })
    const { text } = await this.#run(operation, (native, call) => native.request(call, operation, body, false))
    return JSON.parse(text)
  }

  /** Deletes the item if it has expired; resolves to whether it had, and the write units. */
  async deleteExpired(key) {
    const { number, trace } = await this.#run('DeleteItem', (native, call) =>
      native.destroyExpired(call, key, Date.now(), true)
    )
    return { wasExpired: number === 1, units: JSON.parse(trace).capacityUnits ?? undefined }
  }

  /** An error says which side of migrate it is about. */
  async #run(operation, start) {
    try {
      return await this.#connection.run(operation, undefined, start)
    } catch (error) {
      throw Object.assign(error, { side: this.options.side })
    }
  }

  async get(id) {
    const { Item } = await this.request('GetItem', { Key: this.keyOf(id), ConsistentRead: true })
    return Item
  }

  /** The service's description, whose keys must be those of the options. */
  async describe() {
    const { Table: table } = await this.request('DescribeTable')
    const mismatch = keyMismatch(table, this.options)
    if (mismatch !== undefined) throw wrongKeys(mismatch, this.options)
    return table
  }

  /** The same, or undefined where the policy does not allow to ask. */
  async describeIfAllowed() {
    try {
      return await this.describe()
    } catch (error) {
      if (error.code === 'AccessDeniedException') return undefined
      throw error
    }
  }

  keyOf(id) {
    const { hashKey, sortKey, prefix } = this.options
    const value = { S: prefix + id }
    return sortKey === undefined ? { [hashKey]: value } : { [hashKey]: value, [sortKey]: value }
  }

  close() {
    this.#connection.close()
  }
}

function wrongKeys(mismatch, { values, side }) {
  return new CommandError(mismatch.message, { code: 'WrongKeys', todo: adviceOnKeys({ values, side, mismatch }) })
}

module.exports = { Table, wrongKeys }
