'use strict'

const { createStoreClass } = require('./koa.js')

module.exports = createStoreClass({
  face: '@baseline-dev/koa-session-dynamodb-store',
  hashKey: 'pk',
  sortKey: 'sk',
  prefix: 'SESSION#',
  idOf: String
})
