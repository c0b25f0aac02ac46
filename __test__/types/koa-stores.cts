// The usage lines of the packages for koa-session, as CommonJS.
import Koa = require('koa')
import koaSession = require('koa-session')
import koaSession6 = require('koa-session6')
import AWS = require('aws-sdk')
import DynamoDBStore = require('dynamodb-session/koa-session-dynamodb-store')
import BaselineStore = require('dynamodb-session/baseline-koa-session-dynamodb-store')

const app = new Koa()
const options = {
  table: {
    autoCreate: true
  }
}
const dynamoDBStoreOptions = {
  dynamoConfig: {
    region: 'local',
    endpoint: 'http://localhost:8000',
    accessKeyId: 'dummyKey',
    secretAccessKey: 'dummyKey'
  }
}

app.use(koaSession.createSession({ store: new DynamoDBStore(options) }, app))
app.use(koaSession.createSession({ store: new BaselineStore(dynamoDBStoreOptions) }, app))
app.use(koaSession6({ store: new DynamoDBStore(dynamoDBStoreOptions) }, app))
app.use(koaSession6({ store: new BaselineStore() }, app))

const config: AWS.DynamoDB.ClientConfiguration = { region: 'us-east-1', maxRetries: 2, httpOptions: { timeout: 500 } }
const typed: DynamoDBStore.Options = { table: { name: 'sessions', ttlKey: 'ends' }, dynamoConfig: config, timeout: 500 }
const baseline: BaselineStore.Options = { table: { sortKey: 'range', hasValuePrefix: 'app:' } }

class Extended extends DynamoDBStore {
  getExpirationDate(maxAge?: number | 'session' | null): Date {
    return super.getExpirationDate(maxAge === 'session' ? 1000 : maxAge)
  }
}

export async function use(): Promise<Date | undefined> {
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

// @ts-expect-error: the sort key is the fork's
new DynamoDBStore({ table: { sortKey: 'range' } })
// @ts-expect-error: the name is a string
new BaselineStore({ table: { name: 1 } })
