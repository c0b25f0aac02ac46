import session from 'express-session'
import { DynamoDBStore } from 'dynamodb-session'
import connectDynamoDB from 'dynamodb-session/connect-dynamodb'
import DynamoDBStoreOfDynamoDBStore from 'dynamodb-session/dynamodb-store'
import KoaStore from 'dynamodb-session/koa-session-dynamodb-store'
import BaselineStore from 'dynamodb-session/baseline-koa-session-dynamodb-store'
import { DynamoDBStore as PwrdrvrStore } from 'dynamodb-session/pwrdrvr-dynamodb-session-store'
import keep from './keep.cjs'

keep({
  '.': DynamoDBStore,
  './connect-dynamodb': connectDynamoDB(session),
  './dynamodb-store': DynamoDBStoreOfDynamoDBStore,
  './koa-session-dynamodb-store': KoaStore,
  './baseline-koa-session-dynamodb-store': BaselineStore,
  './pwrdrvr-dynamodb-session-store': PwrdrvrStore
})
