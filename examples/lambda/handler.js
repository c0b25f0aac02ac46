'use strict'

const serverless = require('serverless-http')
const { DynamoDBStore } = require('dynamodb-session')
const { createApp } = require('./app')

// Create the store once per execution environment, so that invocations reuse its connections.
const store = new DynamoDBStore({ table: process.env.SESSIONS_TABLE })

exports.handler = serverless(createApp(store))
