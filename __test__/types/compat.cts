// The compatible stores as CommonJS (import = require), used like in the README of each original package.
import AWS = require('aws-sdk')
import session = require('express-session')
import Koa = require('koa')
import koaSession = require('koa-session')
import koaSession6 = require('koa-session6')
import connectDynamoDB = require('dynamodb-session/connect-dynamodb')
import DynamoDBStore = require('dynamodb-session/dynamodb-store')
import KoaStore = require('dynamodb-session/koa-session-dynamodb-store')
import BaselineStore = require('dynamodb-session/baseline-koa-session-dynamodb-store')
import pwrdrvr = require('dynamodb-session/pwrdrvr-dynamodb-session-store')

// connect-dynamodb
{
  type SessionData = { name: string; animal: 'cow' | 'pig' }

  const options: connectDynamoDB.DynamoDBStoreOptions = { table: 'myapp-sessions', readCapacityUnits: 25 }
  const Store: connectDynamoDB.DynamoDBStore = connectDynamoDB({ session })
  const Typed = connectDynamoDB<SessionData>(session)

  session({ store: new Store(options), secret: 'keyboard cat' })

  async function _find(sid: string): Promise<'cow' | 'pig' | undefined> {
    const found = await new Typed(options).get(sid)
    return found?.animal
  }

  // Typed spies use the last overload, which returns the promise.
  type TypedStore = InstanceType<typeof Typed>
  const _spied: { [name in 'set' | 'destroy' | 'reap' | 'close']: Promise<void> } = {} as {
    [name in 'set' | 'destroy' | 'reap' | 'close']: ReturnType<TypedStore[name]>
  }
}

// dynamodb-store
{
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

  const version2: AWS.DynamoDB.ClientConfiguration = { region: 'us-east-1', maxRetries: 3 }
  const store: session.Store = new DynamoDBStore({ dynamoConfig: version2 }, (error) => console.error(error))
  store.get('id', (error, found) => error ?? found?.cookie)

  class Own extends DynamoDBStore {
    getExpirationDate(sess: { user?: string }): Date {
      return sess.user === undefined ? new Date() : super.getExpirationDate(sess)
    }
  }
  const _isCreated: Promise<boolean> = new Own().isTableCreated()

  // @ts-expect-error: ttl is a number of milliseconds
  new DynamoDBStore({ ttl: '600000' })

  // Typed spies use the last overload, which returns the promise.
  const _spied: Promise<void> = {} as ReturnType<DynamoDBStore['close']>
  const _spiedSet: Promise<{}> = {} as ReturnType<DynamoDBStore['set']>
  const _spiedDestroy: Promise<null> = {} as ReturnType<DynamoDBStore['destroy']>
}

// koa-session-dynamodb-store and its fork of baseline-dev
{
  const app = new Koa()
  const options = {
    table: {
      autoCreate: true
    }
  }
  const withEndpoint = {
    dynamoConfig: {
      region: 'local',
      endpoint: 'http://localhost:8000',
      accessKeyId: 'dummyKey',
      secretAccessKey: 'dummyKey'
    }
  }

  app.use(koaSession.createSession({ store: new KoaStore(options) }, app))
  app.use(koaSession.createSession({ store: new BaselineStore(withEndpoint) }, app))
  app.use(koaSession6({ store: new KoaStore(withEndpoint) }, app))
  app.use(koaSession6({ store: new BaselineStore() }, app))

  const config: AWS.DynamoDB.ClientConfiguration = { region: 'us-east-1', maxRetries: 2, httpOptions: { timeout: 500 } }
  const typed: KoaStore.Options = { table: { name: 'sessions', ttlKey: 'ends' }, dynamoConfig: config, timeout: 500 }
  const baseline: BaselineStore.Options = { table: { sortKey: 'range', hasValuePrefix: 'app:' } }

  class Extended extends KoaStore {
    getExpirationDate(maxAge?: number | 'session' | null): Date {
      return super.getExpirationDate(maxAge === 'session' ? 1000 : maxAge)
    }
  }

  async function _use(): Promise<Date | undefined> {
    const store = new Extended(typed, (error) => console.error(error))
    await store.createTableIfDontExists()
    await store.createTableIfDontExists((error) => console.error(error))
    await store.set('id', { user: 'Ann' }, 1000, { changed: true })
    const session: { user: string } | undefined = await store.get('id', 1000, { rolling: true })
    if (session === undefined) await store.destroy('id', { ctx: {} })
    const exists = await store.isTableCreated()
    if (exists === null) await store.createTable()
    else await store.updateTable(exists)
    await store.setTtlField()
    store.setOptions({ table: { readCapacityUnits: 7 } })
    const { sortKey, hasValuePrefix }: { sortKey: string; hasValuePrefix: string } = new BaselineStore(baseline)
    console.log(sortKey, hasValuePrefix, store.tableName)
    return exists?.describeTable.Table.CreationDateTime
  }

  // @ts-expect-error: only the fork has a sort key
  new KoaStore({ table: { sortKey: 'range' } })
  // @ts-expect-error: the name is a string
  new BaselineStore({ table: { name: 1 } })
}

// @pwrdrvr/dynamodb-session-store
{
  const store: session.Store = new pwrdrvr.DynamoDBStore({ prefix: 'sess:', hashKey: 'id', tableName: 'sessions' })
  session({ store, secret: 'secret' })

  // Typed spies use the last overload, which returns the promise.
  type Store = pwrdrvr.DynamoDBStore
  const _spied: { [name in 'set' | 'touch' | 'destroy' | 'close']: Promise<void> } = {} as {
    [name in 'set' | 'touch' | 'destroy' | 'close']: ReturnType<Store[name]>
  }
}

// The options that protect sessions, the methods for the sessions of a user, and warm, in every store
{
  const options = {
    encryption: async () => [{ id: 'k', key: Buffer.alloc(32) }],
    user: (session: { userId?: string }) => session.userId,
    compression: { withEncryption: true },
    maxLifetime: 86_400,
    hashIds: true,
    attributes: { user: 'owner', created: 'born' }
  }
  const stores = [
    new (connectDynamoDB(session))(options),
    new DynamoDBStore(options),
    new KoaStore(options),
    new BaselineStore(options),
    new pwrdrvr.DynamoDBStore(options)
  ]
  const _ids: Promise<string[]>[] = stores.map((store) => store.idsOf('ann'))
  const _counts: Promise<number>[] = stores.map((store) => store.destroyAllOf(5, { except: ['id'] }))
  const _prepared: Promise<void>[] = stores.map((store) => store.warm())
  for (const store of [stores[0], stores[1], stores[4]]) store.warm((error) => console.error(error))

  // @ts-expect-error: the keys have an ID
  new DynamoDBStore({ encryption: { keys: [{ key: Buffer.alloc(32) }] } })
  // @ts-expect-error: the number of seconds is a number
  new KoaStore({ maxLifetime: '1d' })
  // @ts-expect-error: a user is a string or a number
  stores[0].idsOf({ id: 5 })
}
