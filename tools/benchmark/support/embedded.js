'use strict'

const { RawClient } = require('../../../__test__/support/client')
const { startLocalDynamoDB } = require('../../local-dynamodb')
const { connection } = require('./environment')
const { keys } = require('./sessions')

/** The in-memory DynamoDB that the tests use. */
async function startEmbedded() {
  const { endpoint, close } = await startLocalDynamoDB()
  const raw = new RawClient({ endpoint, ...connection })
  return {
    endpoint,
    async createTable(table, layout) {
      if (!(await raw.tableExists(table))) await raw.createTable(table, keys[layout])
    },
    async close() {
      raw.close()
      await close()
    }
  }
}

module.exports = { startEmbedded }
