'use strict'

/**
 * Input of CreateTable for a table with these attributes, of type S, as its partition key and its sort key. With the option
 * `user`, the table has an index.
 */
function createTableInput([hashKey, sortKey], settings, { user, attributes } = {}) {
  const keys = sortKey === undefined ? [hashKey] : [hashKey, sortKey]
  const keySchema = (names) =>
    names.map((AttributeName, index) => ({ AttributeName, KeyType: ['HASH', 'RANGE'][index] }))
  const indexed = user === undefined ? [] : [attributes.user]
  const indexes = indexed.map((name) => ({
    IndexName: `${name}-index`,
    KeySchema: keySchema([name]),
    Projection: { ProjectionType: 'KEYS_ONLY' },
    ...settings
  }))
  return {
    AttributeDefinitions: [...keys, ...indexed].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: keySchema(keys),
    ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes }),
    ...settings
  }
}

/** Provisioned capacity as the service takes it. */
function throughput({ readCapacityUnits, writeCapacityUnits }) {
  return { ReadCapacityUnits: readCapacityUnits, WriteCapacityUnits: writeCapacityUnits }
}

/** Waits until a table that exists or is being created is ACTIVE. */
async function waitUntilActive(sessions) {
  // createTable only waits if the table exists.
  await sessions.createTable()
}

/** Returns a function that ignores errors with this code and throws all others. */
function ignoring(code) {
  return (error) => {
    if (error.code !== code) throw error
  }
}

module.exports = { createTableInput, ignoring, throughput, waitUntilActive }
