'use strict'

/**
 * The operations of the addon's store. `name` is the request that DynamoDB receives, as errors, statistics, and traces
 * show it. `method` is the addon's function. With `reportsCapacity`, the completion always has a trace with the
 * consumed capacity units.
 */
const operations = {
  get: operation('GetItem', 'get'),
  warm: operation('GetItem', 'warm'),
  set: operation('PutItem', 'set'),
  replace: operation('PutItem', 'replace'),
  current: operation('GetItem', 'current'),
  touch: operation('UpdateItem', 'touch'),
  destroy: operation('DeleteItem', 'destroy'),
  destroyExpired: operation('DeleteItem', 'destroyExpired'),
  all: operation('Scan', 'all'),
  ids: operation('Scan', 'ids'),
  length: operation('Scan', 'length'),
  idsOf: operation('Query', 'idsOf'),
  destroyAllOf: operation('DeleteItem', 'destroyAllOf'),
  clear: operation('BatchWriteItem', 'clear'),
  createTable: operation('CreateTable', 'createTable'),
  describeTable: operation('DescribeTable', 'describeTable'),
  /** Any other request. The caller supplies the name. */
  request: operation(undefined, 'request')
}

function operation(name, method) {
  return { name, method, reportsCapacity: false }
}

module.exports = { operations }
