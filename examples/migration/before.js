'use strict'

const session = require('express-session')
const DynamoDBStore = require('connect-dynamodb')(session)
const { start } = require('./app')

start('before', new DynamoDBStore({ table: 'sessions' }))
