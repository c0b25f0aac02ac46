import { DynamoDBStore } from 'dynamodb-session'
import serve from './serve.cjs'

await serve(DynamoDBStore)
