'use strict'

const { describe } = require('node:test')
const { useDynamoDB } = require('../../support/dynamodb')
const { testDeployments } = require('./deployment')
const { frameworks } = require('./koa-app')
const { testApps } = require('./koa-apps')
const { faces } = require('./koa-stores')
const { testItems } = require('./koa-items')
const { testOptions } = require('./koa-options')
const { testTables } = require('./koa-tables')

/** Proves that a face takes the place of its package. */
function koaContract(name) {
  const dynamodb = useDynamoDB({ exclusive: true })
  const face = {
    ...faces[name],
    name,
    /** Options of both packages that reach a table of this file. */
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
    /** The original and ours on a new table. */
    async pair(table = {}, schema = faces[name].schema) {
      const options = face.options({ ...table, name: await dynamodb.newTable(schema) })
      return {
        table: options.table.name,
        original: new face.Original(options),
        ours: new face.Store(options)
      }
    }
  }
  testItems(face, dynamodb)
  testTables(face, dynamodb)
  testOptions(face, dynamodb)
  testApps(face)
  describe('a rolling deployment on koa-session 7, and on 6', { concurrency: true }, () => {
    testDeployments('koa-shop.js', [name, face.entry], async (order) => ({
      framework: frameworks[order].name,
      ...face.options({ name: await dynamodb.newTable(face.schema) })
    }))
  })
}

module.exports = { koaContract }
