'use strict'

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

const { DynamoDB, waitUntilTableExists } = require('@aws-sdk/client-dynamodb')

/** Reads and writes tables and items without the store. */
class RawClient {
  constructor(connection) {
    this.sdk = new DynamoDB({ ...connection, requestHandler: { httpAgent: { keepAlive: true } } })
  }

  /** With `user`, the name of an attribute, the table has the index of the option `user`. */
  async createTable(table, { hashKey = 'id', sortKey, user } = {}) {
    const keys = [hashKey, sortKey].filter(Boolean)
    const schemaOf = (names) => names.map((AttributeName, i) => ({ AttributeName, KeyType: ['HASH', 'RANGE'][i] }))
    const index = {
      IndexName: `${user}-index`,
      KeySchema: schemaOf([user]),
      Projection: { ProjectionType: 'KEYS_ONLY' }
    }
    await this.sdk.createTable({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [...keys, user]
        .filter(Boolean)
        .map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: schemaOf(keys),
      GlobalSecondaryIndexes: user && [index]
    })
    await waitUntilTableExists({ client: this.sdk, maxWaitTime: 60, minDelay: 1 }, { TableName: table })
  }

  async deleteTable(table) {
    await this.sdk.deleteTable({ TableName: table })
  }

  async tableExists(table) {
    try {
      await this.sdk.describeTable({ TableName: table })
      return true
    } catch (error) {
      if (error.name === 'ResourceNotFoundException') return false
      throw error
    }
  }

  /** The item with this key (an object of strings) in DynamoDB JSON, or undefined. */
  async read(table, key) {
    const { Item } = await this.sdk.getItem({ TableName: table, Key: stringAttributes(key), ConsistentRead: true })
    return Item
  }

  async putItem(table, item) {
    await this.sdk.putItem({ TableName: table, Item: item })
  }

  async setExpires(table, key, seconds, attribute = 'expires') {
    await this.sdk.updateItem({
      TableName: table,
      Key: stringAttributes(key),
      UpdateExpression: 'SET #expires = :expires',
      ExpressionAttributeNames: { '#expires': attribute },
      ExpressionAttributeValues: { ':expires': { N: String(seconds) } }
    })
  }

  async items(table) {
    const found = []
    let ExclusiveStartKey
    do {
      const page = await this.sdk.scan({ TableName: table, ConsistentRead: true, ExclusiveStartKey })
      found.push(...page.Items)
      ExclusiveStartKey = page.LastEvaluatedKey
    } while (ExclusiveStartKey)
    return found
  }

  close() {
    this.sdk.destroy()
  }
}

function stringAttributes(values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { S: value }]))
}

module.exports = { RawClient }
