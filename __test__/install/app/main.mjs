import { DynamoDBStore } from 'dynamodb-session'
import 'dynamodb-session/connect-dynamodb'
import serve from './serve.cjs'

await serve(DynamoDBStore)
