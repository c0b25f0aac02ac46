'use strict'

const { createStoreClass } = require('./koa.js')
const layouts = require('./layouts.js')

module.exports = createStoreClass({
  packageName: '@baseline-dev/koa-session-dynamodb-store',
  layout: layouts.baseline,
  idOf: String
})
