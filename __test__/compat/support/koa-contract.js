'use strict'

const { describe } = require('node:test')
const { useDynamoDB } = require('../../support/dynamodb')
const { testDeployments } = require('./deployment')
const { frameworks } = require('./koa-app')
const { testApps } = require('./koa-apps')
const { packages } = require('./koa-stores')
const { testItems } = require('./koa-items')
const { testOptions } = require('./koa-options')
const { testTables } = require('./koa-tables')

/** Tests that a compatible store for koa-session can replace its package. */
function koaContract(name) {
  const dynamodb = useDynamoDB({ exclusive: true })
  const compatible = {
    ...packages[name],
    name,
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
    async pair(table = {}, schema = packages[name].schema) {
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
    testDeployments('koa-shop.js', [name, compatible.entry], async (order) => ({
      framework: frameworks[order].name,
      ...compatible.options({ name: await dynamodb.newTable(compatible.schema) })
    }))
  })
}

module.exports = { koaContract }
