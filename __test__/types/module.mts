// TypeScript as an ECMAScript module: import by name, by default and as a namespace.
import session from 'express-session'
import Koa from 'koa'
import { createSession } from 'koa-session'
import fastify from 'fastify'
import fastifySession from '@fastify/session'
import { DynamoDBStore, DynamoDBStoreError, type DynamoDBStoreOptions } from 'dynamodb-session'
import dynamodbSession from 'dynamodb-session'
import * as namespace from 'dynamodb-session'

const options: DynamoDBStoreOptions = { table: 'sessions', touchAfter: 60 }
const store: DynamoDBStore = new namespace.DynamoDBStore(options)

session({ store, secret: 'secret' })
createSession({ store }, new Koa())
fastify().register(fastifySession, { store, secret: 's'.repeat(32) })

export const isStoreError = (error: unknown): error is DynamoDBStoreError =>
  error instanceof dynamodbSession.DynamoDBStoreError

// @ts-expect-error: there is no such option
new DynamoDBStore({ tableName: 'sessions' })
