'use strict'

const { findBase } = require('./lib/base.js')
const { DynamoDBStoreError } = require('./lib/error.js')
const { createStoreClass } = require('./lib/store.js')

module.exports.DynamoDBStore = createStoreClass(findBase(module.parent?.filename))
module.exports.DynamoDBStoreError = DynamoDBStoreError
