'use strict'

const { randomBytes } = require('node:crypto')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const connectDynamoDB = require('connect-dynamodb')
const session = require('express-session')
const { DynamoDBStore } = require('../..')
const { ConnectionSwitch } = require('./connection-switch')

const COMPARED = 'connect-dynamodb'

/** The stores of the demo. All of them use one table, each with its own prefix. */
async function openStores({ connection, table }) {
  const connectionSwitch = await ConnectionSwitch.start(connection.endpoint)
  const options = { ...connection, table, user: 'user' }
  const switched = { ...options, endpoint: connectionSwitch.endpoint, timeout: 2000 }

  const store = new DynamoDBStore({ ...switched, offlineAfter: 2 })
  const savingStore = new DynamoDBStore({
    ...switched,
    prefix: 'saving:',
    consistentRead: 'on-miss',
    compression: true
  })
  const encryptedStore = new DynamoDBStore({
    ...options,
    prefix: 'encrypted:',
    hashIds: true,
    encryption: { keys: [{ id: 'demo', key: randomBytes(32) }] }
  })

  const comparedClient = new DynamoDBClient({ ...connection, endpoint: connectionSwitch.endpoint })
  const ComparedStore = connectDynamoDB(session)
  const comparedStore = new ComparedStore({ table, prefix: 'compared:', client: comparedClient })
  const client = new DynamoDBClient(connection) // reads the items for the page

  return {
    shops: [
      { name: 'dynamodb-session', store, prefix: 'sess:' },
      { name: COMPARED, store: comparedStore, prefix: 'compared:' },
      { name: 'saving', store: savingStore, prefix: 'saving:' }
    ],
    store,
    encryptedStore,
    comparedClient,
    client,
    table,
    connectionSwitch,
    async close() {
      await Promise.all([store, savingStore, encryptedStore].map((opened) => opened.close()))
      for (const opened of [client, comparedClient]) opened.destroy()
      if (connectionSwitch.isOn) await connectionSwitch.close()
    }
  }
}

module.exports = { openStores }
