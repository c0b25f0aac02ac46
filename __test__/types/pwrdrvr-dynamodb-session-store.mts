// The usage of @pwrdrvr/dynamodb-session-store, as an ECMAScript module.
import session from 'express-session'
import { type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStore, type DynamoDBStoreOptions } from 'dynamodb-session/pwrdrvr-dynamodb-session-store'

const dynamoDBClient = new DynamoDBClient({})
const createTableOptions: Partial<CreateTableCommandInput> = { BillingMode: 'PAY_PER_REQUEST' }
const options: DynamoDBStoreOptions = {
  tableName: 'some-table',
  dynamoDBClient,
  touchAfter: 60 * 60, // 60 minutes in seconds
  createTableOptions
}
session({
  store: new DynamoDBStore(options),
  secret: 'yeah-change-this',
  cookie: { maxAge: 14 * 24 * 60 * 60 * 1000 },
  resave: false,
  saveUninitialized: false
})

class Own extends DynamoDBStore {
  own = true
}
const created: Own = await Own.create(options)
created.useStronglyConsistentReads = true
created.set('id', {} as session.SessionData, (error?: unknown) => console.error(error))

// @ts-expect-error: there is only a getter
created.tableName = 'other'
// @ts-expect-error: the options are required
new DynamoDBStore()
