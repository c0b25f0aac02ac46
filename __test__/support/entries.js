'use strict'

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = 'true'

const session = require('express-session')

/** The options of a store on a table of this server, as each entry point names them. */
const flat = ({ connection, table }) => ({ ...connection, table })
const version2 = ({ connection: { endpoint, region, credentials }, table }) => ({
  table: { name: table },
  dynamoConfig: { endpoint, region, ...credentials }
})

/** Every entry point of the package: how it is loaded, how a store is made, and the keys of its table. */
const entries = [
  {
    name: 'dynamodb-session',
    load: () => require('../..'),
    schema: { hashKey: 'id' },
    frameworks: ['express', 'koa', 'fastify'],
    create: (place) => new (require('../..').DynamoDBStore)(flat(place))
  },
  {
    name: 'dynamodb-session/connect-dynamodb',
    load: () => require('../../lib/faces/connect-dynamodb'),
    schema: { hashKey: 'id' },
    frameworks: ['express', 'fastify'],
    create: (place) => new (require('../../lib/faces/connect-dynamodb')(session))(flat(place))
  },
  {
    name: 'dynamodb-session/dynamodb-store',
    load: () => require('../../lib/faces/dynamodb-store'),
    schema: { hashKey: 'sessionId' },
    frameworks: ['express', 'fastify'],
    create: (place) => new (require('../../lib/faces/dynamodb-store'))(version2(place))
  },
  {
    name: 'dynamodb-session/pwrdrvr-dynamodb-session-store',
    load: () => require('../../lib/faces/pwrdrvr-dynamodb-session-store'),
    schema: { hashKey: 'id' },
    frameworks: ['express', 'fastify'],
    create: ({ connection, table }) =>
      new (require('../../lib/faces/pwrdrvr-dynamodb-session-store').DynamoDBStore)({ ...connection, tableName: table })
  },
  {
    name: 'dynamodb-session/koa-session-dynamodb-store',
    load: () => require('../../lib/faces/koa-session-dynamodb-store'),
    schema: { hashKey: 'sessionId' },
    frameworks: ['koa'],
    create: (place) => new (require('../../lib/faces/koa-session-dynamodb-store'))(version2(place))
  },
  {
    name: 'dynamodb-session/baseline-koa-session-dynamodb-store',
    load: () => require('../../lib/faces/baseline-koa-session-dynamodb-store'),
    schema: { hashKey: 'pk', sortKey: 'sk' },
    frameworks: ['koa'],
    create: (place) => new (require('../../lib/faces/baseline-koa-session-dynamodb-store'))(version2(place))
  }
]

module.exports = { entries }
