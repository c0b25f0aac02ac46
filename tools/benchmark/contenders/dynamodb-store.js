'use strict'

// Its check of the table, one request at the start, cannot be switched off.
module.exports = {
  title: 'dynamodb-store 1.2',
  layout: 'dynamodbStore',
  frameworks: ['express'],
  open({ endpoint, table, everyTouch }) {
    const Store = require('dynamodb-store')
    return new Store({
      table: { name: table },
      dynamoConfig: { endpoint },
      ...(everyTouch && { touchInterval: 0 })
    })
  }
}
