// The compatible stores as ECMAScript modules, used like in the README of each original package.
import { type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import AWS from 'aws-sdk'
import express from 'express'
import session from 'express-session'
import Koa from 'koa'
import { createSession } from 'koa-session'
import koaSession6 from 'koa-session6'
import connectDynamoDB, {
  type DynamoDBStore as ConnectStore,
  type DynamoDBStoreOptions as ConnectOptions,
  type DynamoDBStoreOptionsSpecialKey
} from 'dynamodb-session/connect-dynamodb'
import DynamoDBStore from 'dynamodb-session/dynamodb-store'
import KoaStore from 'dynamodb-session/koa-session-dynamodb-store'
import BaselineStore from 'dynamodb-session/baseline-koa-session-dynamodb-store'
import {
  DynamoDBStore as PwrdrvrStore,
  type DynamoDBStoreOptions as PwrdrvrOptions
} from 'dynamodb-session/pwrdrvr-dynamodb-session-store'

// connect-dynamodb
{
  interface SessionData {
    name: string
    animal: 'cow' | 'pig'
    [name: string]: unknown
  }

  type Data = { name: string; animal: 'cow' | 'pig' }

  const plain: ConnectStore = connectDynamoDB(session)
  const qualified: connectDynamoDB.DynamoDBStore = connectDynamoDB({ session })
  const Store: ConnectStore = connectDynamoDB<Data>(session)
  const OfInterface = connectDynamoDB<SessionData>(session)

  const specialKey: DynamoDBStoreOptionsSpecialKey = { name: 'userId', type: 'S' }
  const specialKeys: connectDynamoDB.DynamoDBStoreOptionsSpecialKey[] = [specialKey]
  const options: ConnectOptions = {
    table: 'myapp-sessions',
    client: new DynamoDBClient({ endpoint: 'http://localhost:8000' }),
    readCapacityUnits: 25,
    writeCapacityUnits: 25,
    specialKeys,
    skipThrowMissingSpecialKeys: true,
    initialized: true
  }
  const optionsForV2: ConnectOptions = {
    AWSRegion: 'us-east-1',
    AWSConfigPath: './path/to/credentials.json',
    AWSConfigJSON: { accessKeyId: 'a', secretAccessKey: 's', region: 'us-east-1' },
    client: new AWS.DynamoDB({ endpoint: new AWS.Endpoint('http://localhost:8000') }),
    reapInterval: 600_000,
    touchAfter: 60,
    onConflict: 'merge'
  }

  const handlers: express.RequestHandler[] = [
    session({ store: new plain(), secret: 'keyboard cat' }),
    session({ store: new qualified(optionsForV2), secret: 'keyboard cat' }),
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
  const _used = [expires, parsed?.animal, touched, done, store.describeSessionsTable(), store.createSessionsTable()]

  class Mine extends OfInterface {}
  const _mine = new Mine({ prefix: 'mine:' })

  // @ts-expect-error: there is no such option
  new Store({ tableName: 'sessions' })
  // @ts-expect-error: express 4 has no Store
  connectDynamoDB(express)
}

// dynamodb-store
{
  const store = new DynamoDBStore({ table: { name: 'sessions' }, maxConnections: 10, onConflict: 'merge' })
  store.on('conflict', ({ fields }) => fields.join())
  session({ store, secret: 'secret' })
  await store.createTableIfDontExists()
  store.touch('id', {}, (error, touched) => error ?? touched?.Attributes.sess.updated)
}

// koa-session-dynamodb-store and its fork of baseline-dev
{
  const app = new Koa()
  const options: KoaStore.Options = { table: { autoCreate: true }, onConflict: 'merge' }
  new KoaStore(options).on('conflict', ({ fields }) => fields.join()).on('missing', ({ operation }) => operation)

  app.use(createSession({ store: new KoaStore(options) }, app))
  app.use(koaSession6({ store: new BaselineStore({ dynamoConfig: { region: 'local' } }) }, app))

  await new BaselineStore().createTableIfDontExists()
}

// @pwrdrvr/dynamodb-session-store
{
  const dynamoDBClient = new DynamoDBClient({})
  const createTableOptions: Partial<CreateTableCommandInput> = { BillingMode: 'PAY_PER_REQUEST' }
  const options: PwrdrvrOptions = {
    tableName: 'some-table',
    dynamoDBClient,
    touchAfter: 60 * 60, // 60 minutes in seconds
    onConflict: (field, base, theirs, mine) => mine,
    createTableOptions
  }
  session({
    store: new PwrdrvrStore(options),
    secret: 'yeah-change-this',
    cookie: { maxAge: 14 * 24 * 60 * 60 * 1000 },
    resave: false,
    saveUninitialized: false
  })

  class Own extends PwrdrvrStore {
    own = true
  }
  const created: Own = await Own.create(options)
  created.useStronglyConsistentReads = true
  created.set('id', {} as session.SessionData, (error?: unknown) => console.error(error))

  // @ts-expect-error: there is only a getter
  created.tableName = 'other'
  // @ts-expect-error: the options are required
  new PwrdrvrStore()
}
