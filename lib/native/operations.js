'use strict'

/**
 * The operations of the addon's store. Errors, statistics, and traces show `name`, which is the request that DynamoDB
 * gets. `method` is the addon's function. If `reportsCapacity` is true, the completion has a trace, with capacity units.
 */
const operations = {
  get: operation('GetItem', 'get'),
  set: operation('PutItem', 'set'),
  touch: operation('UpdateItem', 'touch'),
  destroy: operation('DeleteItem', 'destroy'),
  destroyExpired: operation('DeleteItem', 'destroyExpired'),
  all: operation('Scan', 'all'),
  ids: operation('Scan', 'ids'),
  length: operation('Scan', 'length'),
  clear: operation('BatchWriteItem', 'clear'),
  createTable: operation('CreateTable', 'createTable'),
  describeTable: operation('DescribeTable', 'describeTable'),
  /** Any other request, whose name takes the place of this one. */
  request: operation(undefined, 'request')
}

function operation(name, method) {
  return { name, method, reportsCapacity: false }
}

module.exports = { operations }
