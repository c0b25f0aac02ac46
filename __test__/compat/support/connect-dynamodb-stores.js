'use strict'

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'

const { after } = require('node:test')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const original = require('connect-dynamodb')
const session = require('express-session')
const ours = require('dynamodb-session/connect-dynamodb')
const { callWithCallback } = require('../../support/calls')
const { useDynamoDB } = require('../../support/dynamodb')

const Original = original(session)
const Ours = ours(session)

/** Returns a server for the tests of a file, and functions that open stores of both packages on it. */
function useStores() {
  const dynamodb = useDynamoDB()
  const stores = new Set()
  const clients = new Set()
  after(() => {
    for (const store of stores) store.clearInterval()
    for (const client of clients) client.destroy()
  })

  /** A client of the AWS SDK for the server, or for a proxy in front of it. */
  function newClient(endpoint = dynamodb.connection.endpoint) {
    const client = new DynamoDBClient({ ...dynamodb.connection, endpoint })
    clients.add(client)
    return client
  }

  function open(Store, { endpoint, ...options } = {}) {
    const store = new Store({ client: newClient(endpoint), table: dynamodb.table, ...options })
    stores.add(store)
    return store
  }

  /** A store of connect-dynamodb and one of dynamodb-session. */
  const pair = (options) => [open(Original, options), open(Ours, options)]

  return { dynamodb, newClient, open, pair }
}

/** Calls a method with a callback. Returns the value that the callback gets, or throws the error. */
async function call(store, method, ...args) {
  const { error, value } = await callWithCallback(store, method, ...args)
  if (error) throw error
  return value
}

module.exports = { Original, Ours, call, useStores }
