'use strict'

/** Input of CreateTable for a table with these attributes, of type S, as its partition key and its sort key. */
function createTableInput([hashKey, sortKey], settings) {
  const keys = sortKey === undefined ? [hashKey] : [hashKey, sortKey]
  return {
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: keys.map((AttributeName, index) => ({ AttributeName, KeyType: ['HASH', 'RANGE'][index] })),
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
