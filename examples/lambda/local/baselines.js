'use strict'

// The same app with connect-dynamodb and with sessions in memory, for comparison. Each handler loads only what it needs.

const serverless = require('serverless-http')
const { createApp } = require('../app')

module.exports = {
  get connectDynamodb() {
    const DynamoDBStore = require('connect-dynamodb')(require('express-session'))
    return serverless(createApp(new DynamoDBStore({ table: process.env.SESSIONS_TABLE })))
  },

  get memory() {
    return serverless(createApp())
  }
}
