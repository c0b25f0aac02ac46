// The usage of dynamodb-store, as CommonJS.
import session = require('express-session')
import { DynamoDB } from 'aws-sdk'
import DynamoDBStore = require('dynamodb-session/dynamodb-store')

const options: DynamoDBStore.Options = {
  table: {
    name: '<NAME OF THE DYNAMO TABLE>',
    hashKey: '<NAME OF THE ID FIELD>',
    hashPrefix: '<PREFIX FOR THE SESSION ID VALUES>',
    readCapacityUnits: 10,
    writeCapacityUnits: 10
  },
  dynamoConfig: {
    accessKeyId: '<AWS ACCESS KEY>',
    secretAccessKey: '<AWS ACCESS KEY SECRET>',
    region: '<AWS REGION>',
    endpoint: '<DYNAMO ENDPOINT>'
  },
  keepExpired: false,
  touchInterval: 30000,
  ttl: 600000
}
session({ store: new DynamoDBStore(options), secret: 'secret' })

const version2: DynamoDB.ClientConfiguration = { region: 'us-east-1', maxRetries: 3 }
const store: session.Store = new DynamoDBStore({ dynamoConfig: version2 }, (error) => console.error(error))
store.get('id', (error, found) => error ?? found?.cookie)

class Own extends DynamoDBStore {
  getExpirationDate(sess: { user?: string }): Date {
    return sess.user === undefined ? new Date() : super.getExpirationDate(sess)
  }
}
export const isCreated: Promise<boolean> = new Own().isTableCreated()

// @ts-expect-error: milliseconds are a number
new DynamoDBStore({ ttl: '600000' })

// Typed spies take the last overload, which is the promise.
export const spied: Promise<void> = {} as ReturnType<DynamoDBStore['close']>
export const spiedSet: Promise<{}> = {} as ReturnType<DynamoDBStore['set']>
export const spiedDestroy: Promise<null> = {} as ReturnType<DynamoDBStore['destroy']>
