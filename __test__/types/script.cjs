'use strict'

// Type-checked JavaScript: require.
const session = require('express-session')
const { DynamoDBStore, DynamoDBStoreError } = require('dynamodb-session')

const store = new DynamoDBStore({
  table: 'sessions',
  credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 's' })
})

session({ store, secret: 'secret' })
store.destroy('id', (error) => error instanceof DynamoDBStoreError && error.code)

// @ts-expect-error: ttl is a number of seconds
new DynamoDBStore({ ttl: '3600' })
