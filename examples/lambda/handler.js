'use strict'

const serverless = require('serverless-http')
const { DynamoDBStore } = require('dynamodb-session')
const { createApp } = require('./app')

// One store for all invocations of an execution environment: its connections are kept from one to the next.
const store = new DynamoDBStore({ table: process.env.SESSIONS_TABLE })

exports.handler = serverless(createApp(store))
