'use strict'

const { createStoreClass } = require('./koa.js')
const layouts = require('./layouts.js')

module.exports = createStoreClass({
  face: '@baseline-dev/koa-session-dynamodb-store',
  layout: layouts.baseline,
  idOf: String
})
