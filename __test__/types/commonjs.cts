// TypeScript as CommonJS: import = require.
import session = require('express-session')
import Koa = require('koa')
import koaSession = require('koa-session')
import koaSession6 = require('koa-session6')
import fastify = require('fastify')
import fastifySession = require('@fastify/session')
import dynamodbSession = require('dynamodb-session')

const options: dynamodbSession.DynamoDBStoreOptions = { table: 'sessions', touchAfter: 60 }
const store = new dynamodbSession.DynamoDBStore(options)

session({ store, secret: 'secret' })
koaSession.createSession({ store }, new Koa())
koaSession6({ store }, new Koa())
fastify().register(fastifySession, { store, secret: 's'.repeat(32) })

export async function find(sid: string): Promise<{ user: string } | null> {
  try {
    return await store.get(sid)
  } catch (error) {
    if (error instanceof dynamodbSession.DynamoDBStoreError && error.retryable) return null
    throw error
  }
}
