'use strict'

const session = require('express-session')
const DynamoDBStore = require('dynamodb-session/connect-dynamodb')(session)
const { start } = require('./app')

start('after', new DynamoDBStore({ table: 'sessions' }))
