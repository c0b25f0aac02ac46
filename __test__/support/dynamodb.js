'use strict'

const { randomUUID } = require('node:crypto')
const { after, before } = require('node:test')
const { DynamoDBStore } = require('../..')
const { RawClient } = require('./raw-client')
const { FaultProxy } = require('./fault-proxy')
const { isShared, serverKind, startServer, tablePrefix } = require('./server')

/** The DynamoDB of one test file: a server, a table, and the stores, proxies, and tables that the tests create. */
class DynamoDBFixture {
  #server
  #stores = []
  #proxies = []
  #tables = []

  async start(options) {
    this.#server = await startServer(options)
    this.connection = this.#server.connection
    this.raw = new RawClient(this.connection)
    this.table = await this.newTable()
  }

  async stop() {
    await Promise.all(this.#stores.map((store) => store.close()))
    await Promise.all(this.#proxies.map((proxy) => proxy.close()))
    if (isShared || serverKind === 'outside') await this.#deleteTables()
    this.raw.close()
    await this.#server.close()
  }

  async #deleteTables() {
    for (const table of this.#tables) {
      if (await this.raw.tableExists(table)) await this.raw.deleteTable(table)
    }
  }

  /** A unique table name. If a test creates the table, it is deleted at the end. */
  newTableName() {
    const name = tablePrefix + randomUUID()
    this.#tables.push(name)
    return name
  }

  async newTable(schema) {
    const name = this.newTableName()
    await this.raw.createTable(name, schema)
    return name
  }

  /** The options of a store on the table of this file. */
  options(options = {}) {
    return { ...this.connection, table: this.table, ...options }
  }

  /** A store on the table of this file. It is closed at the end. */
  store(options) {
    const store = new DynamoDBStore(this.options(options))
    this.#stores.push(store)
    return store
  }

  /** A proxy in front of the server that records requests and can inject faults. It is closed at the end. */
  async proxy(options) {
    const proxy = await FaultProxy.start(this.connection.endpoint, options)
    this.#proxies.push(proxy)
    return proxy
  }

  /** The item of a session ID with default options. */
  item(sid, { table = this.table, prefix = 'sess:', hashKey = 'id' } = {}) {
    return this.raw.read(table, { [hashKey]: prefix + sid })
  }

  /** Writes an item without the store, with the key that default options use. */
  putItem(sid, attributes, { table = this.table, prefix = 'sess:' } = {}) {
    return this.raw.putItem(table, { id: { S: prefix + sid }, ...attributes })
  }

  setExpires(sid, seconds, { table = this.table, prefix = 'sess:' } = {}) {
    return this.raw.setExpires(table, { id: prefix + sid }, seconds)
  }
}

/**
 * Starts a DynamoDB for the tests of a file, and stops it after the last one. A file whose tests create tables with fixed
 * names needs an `exclusive` server.
 */
function useDynamoDB(options) {
  const dynamodb = new DynamoDBFixture()
  before(() => dynamodb.start(options))
  after(() => dynamodb.stop())
  return dynamodb
}

module.exports = { useDynamoDB }
