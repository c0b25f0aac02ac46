'use strict'

const { koaContract } = require('./support/koa-contract')

koaContract('koa-session-dynamodb-store')
