'use strict'

const { createStoreClass } = require('./koa.js')
const layouts = require('./layouts.js')

module.exports = createStoreClass({
  face: 'koa-session-dynamodb-store',
  layout: layouts['koa-session-dynamodb-store'],
  idOf: (id) => id
})
