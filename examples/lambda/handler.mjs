import { DynamoDBStore } from 'dynamodb-session'
import serverless from 'serverless-http'
import { createApp } from './app.js'

// Create the store once per execution environment, so that invocations reuse its connections.
// The init phase and API Gateway wait longer than this timeout, so a failure is an error of the store.
const store = new DynamoDBStore({ table: process.env.SESSIONS_TABLE, timeout: 2500 })

export const handler = serverless(createApp(store))

// Lambda's init phase waits for this, so the first invocation finds an open connection. After a failure, it opens one itself.
await store.warm().catch(console.error)
