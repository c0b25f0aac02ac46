'use strict'

module.exports = {
  title: 'face of dynamodb-store',
  isAddon: true,
  layout: 'dynamodbStore',
  frameworks: ['express'],
  open({ endpoint, table, everyTouch }) {
    const Store = require('../../../lib/compat/dynamodb-store.js')
    return new Store({
      table: { name: table },
      dynamoConfig: { endpoint },
      ...(everyTouch && { touchInterval: 0 })
    })
  }
}
