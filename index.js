'use strict'

const { findBase, requirerOf } = require('./lib/express-base.js')
const { DynamoDBStoreError } = require('./lib/error.js')
const { createStoreClass } = require('./lib/store.js')

/** The factory of connect-dynamodb, so that you can install this package under that name. */
function connectDynamoDB(connect) {
  return require('./lib/compat/connect-dynamodb.js')(connect)
}

module.exports = connectDynamoDB
module.exports.connectDynamoDB = connectDynamoDB
module.exports.DynamoDBStore = createStoreClass(findBase(requirerOf(module)))
module.exports.DynamoDBStoreError = DynamoDBStoreError
