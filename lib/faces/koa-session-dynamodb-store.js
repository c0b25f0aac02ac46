'use strict'

const { createStoreClass } = require('./koa.js')

module.exports = createStoreClass({
  face: 'koa-session-dynamodb-store',
  hashKey: 'sessionId',
  prefix: '',
  idOf: (id) => id
})
