'use strict'

// The same app with connect-dynamodb, for comparison.

const serverless = require('serverless-http')
const session = require('express-session')
const DynamoDBStore = require('connect-dynamodb')(session)
const { createApp } = require('./app')

const store = new DynamoDBStore({ table: process.env.SESSIONS_TABLE })

exports.handler = serverless(createApp(store))
