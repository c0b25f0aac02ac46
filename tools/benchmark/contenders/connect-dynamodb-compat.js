'use strict'

module.exports = {
  title: 'face of connect-dynamodb',
  isAddon: true,
  layout: 'text',
  frameworks: ['express'],
  open({ endpoint, table }) {
    const Store = require('../../../lib/compat/connect-dynamodb.js')(require('express-session'))
    return new Store({ table, endpoint, initialized: true })
  }
}
