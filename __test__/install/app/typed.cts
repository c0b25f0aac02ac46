import type { Store } from 'express-session'
import { DynamoDBStore, type DynamoDBStoreOptions } from 'dynamodb-session'
import serve from './serve.cjs'

const options: DynamoDBStoreOptions = { region: 'eu-west-1', ttl: 60 }
const base: Store = new DynamoDBStore(options)
if (typeof base.get === 'function') void serve(DynamoDBStore)
