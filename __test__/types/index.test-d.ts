import AWS = require('aws-sdk')
import session = require('express-session')
import fastify = require('fastify')
import fastifyCookie = require('@fastify/cookie')
import fastifySession = require('@fastify/session')
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { jest } from '@jest/globals'
import { createSession } from 'koa-session'
import { EventEmitter } from 'node:events'
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd'
import {
  CallbackError,
  ConflictEvent,
  ConflictResolver,
  CreateTableOptions,
  Credentials,
  DestroyAllOptions,
  DynamoDBStore,
  DynamoDBStoreError,
  DynamoDBStoreOptions,
  DynamoDBStoreOptionsSpecialKey,
  EncryptionKey,
  EncryptionKeyFunction,
  EncryptionOptions,
  MissingEvent,
  OperationTrace,
  SpecialKey,
  StoreStats,
  TableDescription,
  ThrottlingReason
} from '../..'

const credentials = { accessKeyId: 'a', secretAccessKey: 's' }

// Options: all are optional, and each has its type.
expectType<DynamoDBStore>(new DynamoDBStore())
expectType<DynamoDBStore>(new DynamoDBStore({}))
expectAssignable<DynamoDBStoreOptions>({
  table: 'sessions',
  hashKey: 'pk',
  sortKey: 'sk',
  prefix: '',
  region: 'eu-central-1',
  endpoint: 'http://127.0.0.1:8000',
  profile: 'web',
  credentials,
  ttl: 3600,
  touchAfter: 0,
  disableTouch: false,
  consistentRead: 'on-miss',
  onConflict: 'fail',
  encryption: { keys: [{ id: 'k', key: 'base64' }], write: false, acceptPlain: true, refreshAfter: 60 },
  user: 'passport.user',
  compression: { withEncryption: true },
  maxLifetime: 86_400,
  hashIds: true,
  format: 'map',
  attributes: { session: 'data', expires: 'ttl', user: 'owner', created: 'born' },
  specialKeys: [{ name: 'user', type: 'S' }],
  createTable: {
    billingMode: 'PROVISIONED',
    readCapacityUnits: 1,
    writeCapacityUnits: 1,
    ttl: false,
    tags: { a: 'b' }
  },
  connectTimeout: 1,
  attemptTimeout: 1,
  timeout: 1,
  maxAttempts: 1,
  maxConnections: 1,
  maxPending: 1,
  offlineAfter: 1
})
expectAssignable<DynamoDBStoreOptions>({ createTable: true, consistentRead: false, format: 'json' })
expectAssignable<DynamoDBStoreOptions>({ ttl: (session: { remember: boolean }) => (session.remember ? 1e6 : 60) })

expectAssignable<ConflictResolver>((field: string, base = 0, theirs: number, mine: number) => theirs + mine - base)
new DynamoDBStore({
  onConflict(field, base, theirs, mine) {
    expectType<string>(field)
    return field === 'views' ? theirs + mine - (base ?? 0) : mine
  }
})

// Encryption: keys, or a function that returns them or a promise of them.
const key: EncryptionKey = { id: 'k', key: new Uint8Array(32) }
expectAssignable<EncryptionKey>({ id: 'k', key: Buffer.alloc(32) })
expectAssignable<EncryptionKeyFunction>(() => [key])
expectAssignable<EncryptionKeyFunction>(async () => [key])
expectAssignable<EncryptionOptions>({ keys: async () => [key] })
expectAssignable<DynamoDBStoreOptions>({ encryption: async () => [key] })
expectAssignable<DynamoDBStoreOptions>({ encryption: { keys: () => [key] } })
expectError<EncryptionKey>({ id: 'k' })
expectError<EncryptionKey>({ id: 1, key: 'base64' })
expectError<EncryptionOptions>({})
expectError<EncryptionOptions>({ write: true })
expectError(new DynamoDBStore({ encryption: [key] }))
expectError(new DynamoDBStore({ encryption: 'a password' }))
expectError(new DynamoDBStore({ encryption: () => key }))
expectError(new DynamoDBStore({ encryption: { keys: [key], acceptPlain: 'yes' } }))
expectError(new DynamoDBStore({ encryption: { keys: [key], secret: 'x' } }))

// The other options that protect sessions.
expectAssignable<DynamoDBStoreOptions>({ user: (session: { userId?: number }) => session.userId })
expectAssignable<DynamoDBStoreOptions>({ user: () => null })
expectAssignable<DynamoDBStoreOptions>({ compression: true })
expectError(new DynamoDBStore({ user: 5 }))
expectError(new DynamoDBStore({ user: () => true }))
expectError(new DynamoDBStore({ compression: 'deflate' }))
expectError(new DynamoDBStore({ compression: { level: 9 } }))
expectError(new DynamoDBStore({ maxLifetime: '1d' }))
expectError(new DynamoDBStore({ hashIds: 'sha256' }))
expectError(new DynamoDBStore({ attributes: { users: 'x' } }))

expectError(new DynamoDBStore('sessions'))
expectError(new DynamoDBStore({ tabel: 'sessions' }))
expectError(new DynamoDBStore({ readCapacityUnits: 25 }))
expectError(new DynamoDBStore({ table: { name: 'sessions' } }))
expectError(new DynamoDBStore({ ttl: '3600' }))
expectError(new DynamoDBStore({ ttl: () => 'an hour' }))
expectError(new DynamoDBStore({ consistentRead: 'always' }))
expectError(new DynamoDBStore({ onConflict: 'last' }))
expectError(new DynamoDBStore({ onConflict: (field: number) => field }))
expectError(new DynamoDBStore({ format: 'JSON' }))
expectError(new DynamoDBStore({ attributes: { sess: 'data' } }))
expectError(new DynamoDBStore({ specialKeys: ['user'] }))
expectError(new DynamoDBStore({ specialKeys: [{ name: 'user' }] }))
expectError(new DynamoDBStore({ createTable: { billingMode: 'ON_DEMAND' } }))
expectError(new DynamoDBStore({ createTable: { tags: { cost: 1 } } }))
expectError(new DynamoDBStore({ client: 'dynamodb' }))
expectError(new DynamoDBStore({ client: {} }))
expectError(new DynamoDBStore({ maxAttempts: '3' }))

expectAssignable<SpecialKey>({ name: 'user', type: 'BOOL' })
expectNotAssignable<SpecialKey>({ name: 'user', type: 'SS' })
expectAssignable<CreateTableOptions>({})

// Credentials: an object, or a function that returns one or a promise of one. Clients of both SDKs.
expectAssignable<Credentials>({ ...credentials, sessionToken: 't', expiration: new Date() })
expectError<Credentials>({ accessKeyId: 'a' })
expectAssignable<DynamoDBStoreOptions>({ credentials: () => credentials })
expectAssignable<DynamoDBStoreOptions>({ credentials: async () => credentials })
expectAssignable<DynamoDBStoreOptions>({ credentials: new DynamoDBClient().config.credentials })
expectError(new DynamoDBStore({ credentials: async () => ({ accessKeyId: 'a' }) }))
expectAssignable<DynamoDBStoreOptions>({ client: new DynamoDBClient() })
expectAssignable<DynamoDBStoreOptions>({ client: new AWS.DynamoDB() })

const store = new DynamoDBStore()
expectType<StoreStats>(store.stats())
expectType<number>(store.stats().pool.idle)
const { setsSaved, merges, conflicts, missing } = store.stats()
expectType<number[]>([setsSaved, merges, conflicts, missing])
expectType<number>(store.stats().plainReads)
expectType<Record<string, number>>(store.stats().throttlingReasons)
expectAssignable<OperationTrace>({ operation: 'GetItem', tableName: 'sessions' })
expectType<DynamoDBStore>(store.on('disconnect', () => {}))
expectAssignable<EventEmitter>(store)
expectError((store.client = new DynamoDBClient()))
expectError(store.initialize())
expectError(new store())

// The names that connect-dynamodb exports, for an app that installs this package under that name.
expectAssignable<DynamoDBStoreOptions>({ table: 'sessions', readCapacityUnits: 25, initialized: true })
expectAssignable<DynamoDBStoreOptionsSpecialKey>({ name: 'user', type: 'S' })
expectAssignable<CallbackError>(undefined)

// Without a callback, each method returns a promise.
expectType<Promise<any>>(store.get('id'))
expectType<Promise<void>>(store.set('id', { user: 'ann' }))
expectType<Promise<void>>(store.set('id', { user: 'ann' }, 60_000))
expectType<Promise<void>>(store.set('id', { user: 'ann' }, 'session', { changed: true }))
expectType<Promise<void>>(store.touch('id', { cookie: {} }))
expectType<Promise<void>>(store.destroy('id'))
expectType<Promise<any[]>>(store.all())
expectType<Promise<string[]>>(store.ids())
expectType<Promise<string[]>>(store.idsOf('ann'))
expectType<Promise<string[]>>(store.idsOf(5))
expectType<Promise<number>>(store.destroyAllOf('ann'))
expectType<Promise<number>>(store.destroyAllOf(5, { except: 'id' }))
expectType<Promise<number>>(store.destroyAllOf('ann', { except: ['id', 'other'] }))
expectType<Promise<number>>(store.destroyAllOf('ann', undefined))
expectType<Promise<number>>(store.length())
expectType<Promise<void>>(store.clear())
expectType<Promise<TableDescription>>(store.createTable())
expectType<Promise<TableDescription>>(store.describeTable())
expectType<Promise<void>>(store.warm())
expectType<Promise<void>>(store.close())

// The promise is the last overload, because typed spies use the last one.
expectType<Promise<any>>({} as ReturnType<DynamoDBStore['get']>)
expectType<Promise<void>>({} as ReturnType<DynamoDBStore['set']>)
expectType<Promise<void>>({} as ReturnType<DynamoDBStore['touch']>)
expectType<Promise<void>>({} as ReturnType<DynamoDBStore['destroy']>)
expectType<Promise<any[]>>({} as ReturnType<DynamoDBStore['all']>)
expectType<Promise<string[]>>({} as ReturnType<DynamoDBStore['idsOf']>)
expectType<Promise<number>>({} as ReturnType<DynamoDBStore['destroyAllOf']>)
expectType<Promise<void>>({} as ReturnType<DynamoDBStore['warm']>)
jest.spyOn(store, 'get').mockResolvedValue({ user: 'ann' })
jest.spyOn(store, 'set').mockResolvedValue(undefined)
jest.spyOn(store, 'ids').mockResolvedValue(['id'])
expectError(jest.spyOn(store, 'length').mockResolvedValue('one'))

// With a callback, each method returns undefined.
const done = (error?: Error | null) => void error
const maybe: typeof done | undefined = Math.random() < 0.5 ? done : undefined
expectType<void>(store.get('id', (error, session) => expectType<[any, any]>([error, session])))
expectType<void>(store.get('id', (error: Error | null, session: { user: string } | null) => void [error, session]))
expectType<void>(store.set('id', {}, done))
expectType<void>(store.set('id', {}, maybe))
expectType<void>(store.touch('id', {}, done))
expectType<void>(store.touch('id', {}, maybe))
expectType<void>(store.destroy('id', done))
expectType<void>(store.destroy('id', maybe))
expectType<void>(store.all((error, sessions) => expectType<any[] | undefined>(sessions)))
expectType<void>(store.ids((error, ids) => expectType<string[] | undefined>(ids)))
expectType<void>(store.idsOf('ann', (error, ids) => expectType<string[] | undefined>(ids)))
expectType<void>(store.destroyAllOf('ann', (error, count) => expectType<number | undefined>(count)))
expectType<void>(store.destroyAllOf(5, { except: 'id' }, (error, count) => expectType<number | undefined>(count)))
expectType<void>(store.length((error, length) => expectType<number | undefined>(length)))
expectType<void>(store.clear(done))
expectType<void>(store.createTable((error, table) => expectType<TableDescription | undefined>(table)))
expectType<void>(store.describeTable((error, table) => expectType<TableDescription | undefined>(table)))
expectType<void>(store.warm(done))
expectType<void>(store.close(done))

expectError(store.get())
expectError(store.get(1))
expectError(store.set('id'))
expectError(store.set('id', 'session'))
expectError(store.set('id', {}, '60000'))
expectError(store.touch('id'))
expectError(store.length('id'))
expectError(store.warm('id'))
expectError(store.idsOf())
expectError(store.idsOf({ id: 'ann' }))
expectError(store.destroyAllOf())
expectError(store.destroyAllOf('ann', 'id'))
expectError(store.destroyAllOf('ann', { except: 5 }))
expectError(store.destroyAllOf('ann', { excepts: 'id' }))
expectAssignable<DestroyAllOptions>({})

const description = {} as TableDescription
expectType<string | undefined>(description.TableStatus)
expectType<Date | undefined>(description.CreationDateTime)
expectType<string | undefined>(description.TimeToLiveDescription?.TimeToLiveStatus)

// Events.
store.on('missing', (event) => expectType<MissingEvent>(event))
store.on('corrupt', (error) => expectType<DynamoDBStoreError>(error))
store.on('missing', ({ operation, tableName, sidHash }: MissingEvent) => {
  expectType<'set' | 'touch'>(operation)
  expectType<string>(tableName)
  expectType<string>(sidHash)
})
store.on('conflict', (event) => expectType<ConflictEvent>(event))
store.once('conflict', ({ operation, fields }) => {
  expectType<'set'>(operation)
  expectType<string[]>(fields)
})
store.once('corrupt', (error: DynamoDBStoreError) => expectType<string>(error.code))
store.on('disconnect', () => {})

// Errors.
function fails(error: unknown) {
  if (!(error instanceof DynamoDBStoreError)) return
  expectAssignable<Error>(error)
  expectType<string>(error.name)
  expectType<string>(error.code)
  expectType<string>(error.message)
  expectType<'client' | 'server'>(error.$fault)
  expectType<number | undefined>(error.$metadata.httpStatusCode)
  expectType<string | undefined>(error.$metadata.requestId)
  expectType<number>(error.$metadata.attempts)
  expectType<boolean>(error.retryable)
  expectType<ThrottlingReason[] | undefined>(error.throttlingReasons)
  expectType<string | undefined>(error.operation)
  expectType<string | undefined>(error.tableName)
  expectType<unknown>(error.cause)
  expectError(error.statusCode)
}
expectType<void>(fails(null))

// Frameworks.
session({ store, secret: 'secret' })
expectAssignable<session.Store>(store)
createSession({ store }, {})
createSession({}, { store })
const app = fastify()
app.register(fastifyCookie)
app.register(fastifySession, { store, secret: 's'.repeat(32) })
expectAssignable<fastifySession.SessionStore>(store)

// Subclasses.
class AuditedStore extends DynamoDBStore {
  destroyed = 0

  constructor(options: DynamoDBStoreOptions & { name: string }) {
    const { name, ...rest } = options
    super({ table: name, ...rest })
  }

  override createSession(request: unknown, data: session.SessionData) {
    return super.createSession(request, data)
  }

  async logout(sid: string) {
    await this.destroy(sid)
    this.destroyed++
  }
}
const audited = new AuditedStore({ name: 'sessions', touchAfter: 60 })
expectType<Promise<void>>(audited.logout('id'))
expectAssignable<session.Store>(audited)
expectAssignable<DynamoDBStore>(audited)
