'use strict'

module.exports = {
  title: '@pwrdrvr 1.1',
  layout: 'pwrdrvr',
  frameworks: ['express'],
  open({ endpoint, table, everyTouch }) {
    // As published it loads only where TypeScript's helpers are global.
    globalThis.__importDefault ??= (module) => (module?.__esModule ? module : { default: module })
    const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
    const { DynamoDBStore } = require('@pwrdrvr/dynamodb-session-store')
    return new DynamoDBStore({
      tableName: table,
      dynamoDBClient: new DynamoDBClient({ endpoint }),
      ...(everyTouch && { touchAfter: 0 })
    })
  }
}
