'use strict'

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = 'true'

const session = require('express-session')

/** The keys of a session's item, with their values. */
const keyOf = ({ schema, prefix }, sid) => Object.fromEntries(Object.values(schema).map((name) => [name, prefix + sid]))

/** The options of a store on this table, as the entry points name them. */
const flat = ({ connection, table }, options) => ({ ...connection, table, ...options })
const version2 = ({ connection: { endpoint, region, credentials }, table }, options) => ({
  table: { name: table },
  dynamoConfig: { endpoint, region, ...credentials },
  ...options
})

/**
 * Every entry point of the package: how to load it, how to create a store, and the keys of its table. `original` creates a
 * store of the package that the entry point replaces.
 */
const entries = [
  {
    name: 'dynamodb-session',
    load: () => require('../..'),
    schema: { hashKey: 'id' },
    prefix: 'sess:',
    frameworks: ['express', 'koa', 'fastify'],
    create: (place, options) => new (require('../..').DynamoDBStore)(flat(place, options))
  },
  {
    name: 'dynamodb-session/connect-dynamodb',
    original({ connection, table }) {
      const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
      return new (require('connect-dynamodb')(session))({
        client: new DynamoDBClient(connection),
        table,
        initialized: true
      })
    },
    load: () => require('../../lib/compat/connect-dynamodb'),
    schema: { hashKey: 'id' },
    prefix: 'sess:',
    frameworks: ['express', 'fastify'],
    create: (place, options) => new (require('../../lib/compat/connect-dynamodb')(session))(flat(place, options))
  },
  {
    name: 'dynamodb-session/dynamodb-store',
    original: (place) => new (require('dynamodb-store'))(version2(place)),
    load: () => require('../../lib/compat/dynamodb-store'),
    schema: { hashKey: 'sessionId' },
    prefix: 'sess:',
    frameworks: ['express', 'fastify'],
    create: (place, options) => new (require('../../lib/compat/dynamodb-store'))(version2(place, options))
  },
  {
    name: 'dynamodb-session/pwrdrvr-dynamodb-session-store',
    original({ connection, table }) {
      // The published package loads only if TypeScript's helpers are global.
      globalThis.__importDefault ??= require('tslib').__importDefault
      const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
      const { DynamoDBStore } = require('@pwrdrvr/dynamodb-session-store')
      return new DynamoDBStore({ dynamoDBClient: new DynamoDBClient(connection), tableName: table })
    },
    load: () => require('../../lib/compat/pwrdrvr-dynamodb-session-store'),
    schema: { hashKey: 'id' },
    prefix: 'session#',
    frameworks: ['express', 'fastify'],
    create: ({ connection, table }, options) =>
      new (require('../../lib/compat/pwrdrvr-dynamodb-session-store').DynamoDBStore)({
        ...connection,
        tableName: table,
        ...options
      })
  },
  {
    name: 'dynamodb-session/koa-session-dynamodb-store',
    original: (place) => new (require('koa-session-dynamodb-store'))(version2(place)),
    load: () => require('../../lib/compat/koa-session-dynamodb-store'),
    schema: { hashKey: 'sessionId' },
    prefix: '',
    frameworks: ['koa'],
    create: (place, options) => new (require('../../lib/compat/koa-session-dynamodb-store'))(version2(place, options))
  },
  {
    name: 'dynamodb-session/baseline-koa-session-dynamodb-store',
    original: (place) => new (require('@baseline-dev/koa-session-dynamodb-store'))(version2(place)),
    load: () => require('../../lib/compat/baseline-koa-session-dynamodb-store'),
    schema: { hashKey: 'pk', sortKey: 'sk' },
    prefix: 'SESSION#',
    frameworks: ['koa'],
    create: (place, options) =>
      new (require('../../lib/compat/baseline-koa-session-dynamodb-store'))(version2(place, options))
  }
]

/** Opens a store of an entry point on a table, with functions that open others and read items. They are closed with the test. */
async function openEntry(t, dynamodb, entry, { endpoint, ...options } = {}, table) {
  const { user, sortKey } = options
  const schema = { ...entry.schema, ...(sortKey && { sortKey }) }
  table ??= await dynamodb.newTable({ ...schema, user: user && (options.attributes?.user ?? 'user') })
  const connection = { ...dynamodb.connection, ...(endpoint && { endpoint }) }
  const create = (others) => {
    const store = entry.create({ connection, table }, { ...options, ...others })
    t.after(() => store.close())
    return store
  }
  const keysOf = (sid) => keyOf({ schema, prefix: entry.prefix }, sid)
  const read = (sid) => dynamodb.raw.read(table, keysOf(sid))
  return { store: create(), create, table, connection, keysOf, read }
}

module.exports = { entries, openEntry }
