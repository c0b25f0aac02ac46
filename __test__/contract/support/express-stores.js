'use strict'

const { beforeEach, afterEach } = require('node:test')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const connectDynamoDB = require('connect-dynamodb')
const session = require('express-session')
const sinon = require('sinon')
const { entries } = require('../../support/entry-points')

/** The entry points whose stores work with express-session. */
const stores = entries.filter(({ frameworks }) => frameworks.includes('express'))
const [native] = stores

/** The published connect-dynamodb. */
const original = {
  name: 'the original connect-dynamodb',
  schema: { hashKey: 'id' },
  prefix: 'sess:',
  create({ connection, table }) {
    const client = new DynamoDBClient(connection)
    return new (connectDynamoDB(session))({ client, table, initialized: true })
  }
}

/** The options of a store that make every touch send a request. */
function writingOptions(name) {
  if (name.endsWith('/dynamodb-store')) return { touchInterval: 0 }
  return name.includes('pwrdrvr') ? { touchAfter: 1 } : {}
}

/** Creates a store on a new table, with functions that read and write items of that table directly. */
async function openStore(dynamodb, { name, schema, prefix, create }, options) {
  const table = await dynamodb.newTable(schema)
  const store = create({ connection: dynamodb.connection, table }, { ...writingOptions(name), ...options })
  const keyOf = (sid) => ({ [schema.hashKey]: { S: prefix + sid } })
  return {
    store,
    expiresOf: async (sid) => Number((await dynamodb.raw.read(table, { [schema.hashKey]: prefix + sid })).expires.N),
    putItem: (sid, attributes) => dynamodb.raw.putItem(table, { ...keyOf(sid), ...attributes })
  }
}

/** Calls a method with a callback, which every store supports, and returns a promise. */
function call(store, method, ...args) {
  return new Promise((resolve, reject) => {
    store[method](...args, (error, value) => (error ? reject(error) : resolve(value)))
  })
}

/** Replaces Date during each test of the current suite or file. */
function useFakeDate() {
  let clock
  beforeEach(() => (clock = sinon.useFakeTimers({ now: Date.now(), toFake: ['Date'] })))
  afterEach(() => clock.restore())
  return {
    tick: (milliseconds) => clock.tick(milliseconds),
    setSystemTime: (time) => clock.setSystemTime(time)
  }
}

module.exports = { call, native, openStore, original, stores, useFakeDate }
