'use strict'

// The two packages for koa-session, and the compatible stores that can replace them.

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = 'true'

const { describe } = require('node:test')
const { useDynamoDB } = require('../support/dynamodb')
const { testDeployments } = require('./support/deployment')
const { frameworks } = require('./support/koa-app')
const { testApps } = require('./support/koa-apps')
const { testItems } = require('./support/koa-items')
const { testOptions } = require('./support/koa-options')
const { testTables } = require('./support/koa-tables')

const packages = [
  {
    name: 'koa-session-dynamodb-store',
    entry: 'dynamodb-session/koa-session-dynamodb-store',
    Original: require('koa-session-dynamodb-store'),
    Store: require('dynamodb-session/koa-session-dynamodb-store'),
    schema: { hashKey: 'sessionId' },
    keyOf: (id) => ({ sessionId: id }),
    layouts: [{ hashKey: 'other' }, { ttlKey: 'ends' }, { hashKey: 'the id', ttlKey: 'ttl' }]
  },
  {
    name: '@baseline-dev/koa-session-dynamodb-store',
    entry: 'dynamodb-session/baseline-koa-session-dynamodb-store',
    Original: require('@baseline-dev/koa-session-dynamodb-store'),
    Store: require('dynamodb-session/baseline-koa-session-dynamodb-store'),
    schema: { hashKey: 'pk', sortKey: 'sk' },
    keyOf: (id) => ({ pk: `SESSION#${id}`, sk: `SESSION#${id}` }),
    layouts: [
      { hashKey: 'other', sortKey: 'range' },
      { hasValuePrefix: 'app:' },
      { hasValuePrefix: '' },
      { ttlKey: 'ends' }
    ]
  }
]

/** Tests that a compatible store can replace its package. */
function testPackage(properties) {
  const dynamodb = useDynamoDB({ exclusive: true })
  const compatible = {
    ...properties,
    /** Options of both packages for a table of this file. */
    options({ region, endpoint, ...table } = {}) {
      const { connection } = dynamodb
      return {
        table,
        dynamoConfig: {
          region: region ?? connection.region,
          endpoint: endpoint ?? connection.endpoint,
          ...connection.credentials
        }
      }
    },
    /** A store of the original package and a compatible one on a new table. */
    async pair(table = {}, schema = compatible.schema) {
      const options = compatible.options({ ...table, name: await dynamodb.newTable(schema) })
      return {
        table: options.table.name,
        original: new compatible.Original(options),
        ours: new compatible.Store(options)
      }
    }
  }
  testItems(compatible, dynamodb)
  testTables(compatible, dynamodb)
  testOptions(compatible, dynamodb)
  testApps(compatible)
  describe('a rolling deployment on koa-session 7, and on 6', { concurrency: true }, () => {
    testDeployments([compatible.name, compatible.entry], async (order) => ({
      framework: frameworks[order].name,
      ...compatible.options({ name: await dynamodb.newTable(compatible.schema) })
    }))
  })
}

for (const properties of packages) describe(properties.name, () => testPackage(properties))
