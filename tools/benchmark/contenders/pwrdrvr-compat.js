'use strict'

module.exports = {
  title: 'face of @pwrdrvr',
  isAddon: true,
  layout: 'pwrdrvr',
  frameworks: ['express'],
  open({ endpoint, table, everyTouch }) {
    const { DynamoDBStore } = require('../../../lib/compat/pwrdrvr-dynamodb-session-store.js')
    return new DynamoDBStore({ tableName: table, endpoint, ...(everyTouch && { touchAfter: 0 }) })
  }
}
