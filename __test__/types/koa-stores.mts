// The usage lines of the packages for koa-session, as ES module.
import Koa from 'koa'
import { createSession } from 'koa-session'
import koaSession6 from 'koa-session6'
import DynamoDBStore from 'dynamodb-session/koa-session-dynamodb-store'
import BaselineStore from 'dynamodb-session/baseline-koa-session-dynamodb-store'

const app = new Koa()
const options: DynamoDBStore.Options = { table: { autoCreate: true } }

app.use(createSession({ store: new DynamoDBStore(options) }, app))
app.use(koaSession6({ store: new BaselineStore({ dynamoConfig: { region: 'local' } }) }, app))

await new BaselineStore().createTableIfDontExists()
