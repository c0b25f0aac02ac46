'use strict'

const session = require('express-session')

require('./keep.cjs')({
  '.': require('dynamodb-session').DynamoDBStore,
  './connect-dynamodb': require('dynamodb-session/connect-dynamodb')(session),
  './dynamodb-store': require('dynamodb-session/dynamodb-store'),
  './koa-session-dynamodb-store': require('dynamodb-session/koa-session-dynamodb-store'),
  './baseline-koa-session-dynamodb-store': require('dynamodb-session/baseline-koa-session-dynamodb-store'),
  './pwrdrvr-dynamodb-session-store': require('dynamodb-session/pwrdrvr-dynamodb-session-store').DynamoDBStore
})
