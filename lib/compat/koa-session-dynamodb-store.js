'use strict'

const { createStoreClass } = require('./koa.js')
const layouts = require('./layouts.js')

module.exports = createStoreClass({
  packageName: 'koa-session-dynamodb-store',
  layout: layouts['koa-session-dynamodb-store'],
  idOf: (id) => id
})
