import type { Store } from 'express-session'
import { DynamoDBStore, type DynamoDBStoreOptions } from 'dynamodb-session'

const options: DynamoDBStoreOptions = { region: 'eu-central-1', ttl: 60 }
export const store: Store = new DynamoDBStore(options)
