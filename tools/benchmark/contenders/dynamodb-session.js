'use strict'

module.exports = {
  title: 'dynamodb-session',
  isAddon: true,
  layout: 'text',
  frameworks: ['express', 'koa'],
  open({ endpoint, table, everyTouch, ...options }) {
    const { DynamoDBStore } = require('../../..')
    return new DynamoDBStore({ endpoint, table, ...(everyTouch && { touchAfter: 0 }), ...options })
  }
}
