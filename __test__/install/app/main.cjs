'use strict'

const { DynamoDBStore } = require('dynamodb-session')
// A bundler has to leave this out as well.
require('dynamodb-session/connect-dynamodb')
require('./serve.cjs')(DynamoDBStore)
