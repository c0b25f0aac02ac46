// The usage lines of connect-dynamodb's own types, as an ECMAScript module.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import AWS from 'aws-sdk'
import express from 'express'
import session from 'express-session'
import connectDynamoDB, {
  type DynamoDBStore,
  type DynamoDBStoreOptions,
  type DynamoDBStoreOptionsSpecialKey
} from 'dynamodb-session/connect-dynamodb'

interface SessionData {
  name: string
  animal: 'cow' | 'pig'
  [name: string]: unknown
}

type Data = { name: string; animal: 'cow' | 'pig' }

const plain: DynamoDBStore = connectDynamoDB(session)
const qualified: connectDynamoDB.DynamoDBStore = connectDynamoDB({ session })
const Store: DynamoDBStore = connectDynamoDB<Data>(session)
const OfInterface = connectDynamoDB<SessionData>(session)

const specialKey: DynamoDBStoreOptionsSpecialKey = { name: 'userId', type: 'S' }
const specialKeys: connectDynamoDB.DynamoDBStoreOptionsSpecialKey[] = [specialKey]
const options: DynamoDBStoreOptions = {
  table: 'myapp-sessions',
  client: new DynamoDBClient({ endpoint: 'http://localhost:8000' }),
  readCapacityUnits: 25,
  writeCapacityUnits: 25,
  specialKeys,
  skipThrowMissingSpecialKeys: true,
  initialized: true
}
const optionsOf2: DynamoDBStoreOptions = {
  AWSRegion: 'us-east-1',
  AWSConfigPath: './path/to/credentials.json',
  AWSConfigJSON: { accessKeyId: 'a', secretAccessKey: 's', region: 'us-east-1' },
  client: new AWS.DynamoDB({ endpoint: new AWS.Endpoint('http://localhost:8000') }),
  reapInterval: 600_000,
  touchAfter: 60
}

const handlers: express.RequestHandler[] = [
  session({ store: new plain(), secret: 'keyboard cat' }),
  session({ store: new qualified(optionsOf2), secret: 'keyboard cat' }),
  session({ store: new Store({ table: 'myapp-sessions' }), secret: 'keyboard cat' }),
  session({ store: new OfInterface(options), secret: 'keyboard cat' })
]
express().use(...handlers)

const store = new OfInterface(options)
store.get('id', (error, found) => error ?? found)
store.set('id', { cookie: {}, name: 'Ann' }, (error) => error?.message)
store.touch('id', { cookie: {} }, (error, touched) => error ?? touched.expires)
store.destroy('id')
store.reap()
store.clearInterval()
const expires: number = store.getExpiresValue({ cookie: {} })
const parsed = store.getParsedSession({ Item: { sess: { S: '{}' } } })
const touched: Promise<{ expires: string }> = store.touch('id', { cookie: {} })
const done: Promise<void> = store.initialize()
export const used = [expires, parsed?.animal, touched, done, store.describeSessionsTable(), store.createSessionsTable()]

class Mine extends OfInterface {}
export const mine = new Mine({ prefix: 'mine:' })

// @ts-expect-error: there is no such option
new Store({ tableName: 'sessions' })
// @ts-expect-error: express 4 has no Store
connectDynamoDB(express)
