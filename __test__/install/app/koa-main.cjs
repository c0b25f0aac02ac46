'use strict'

const { DynamoDBStore } = require('dynamodb-session')
require('./serve.cjs')(DynamoDBStore, require('./koa.cjs'))
