'use strict'

const { koaContract } = require('./support/koa-contract')

koaContract('@baseline-dev/koa-session-dynamodb-store')
