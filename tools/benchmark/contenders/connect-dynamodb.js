'use strict'

// It has no throttle: every touch is sent.
module.exports = {
  title: 'connect-dynamodb 3',
  layout: 'text',
  frameworks: ['express'],
  open({ endpoint, table }) {
    const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
    const Store = require('connect-dynamodb')(require('express-session'))
    return new Store({ table, client: new DynamoDBClient({ endpoint }), initialized: true })
  }
}
