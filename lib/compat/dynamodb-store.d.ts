import { EventEmitter } from 'node:events'
import type {
  ConflictEvent,
  DestroyAllOptions,
  DoneCallback,
  DynamoDBStoreError,
  NativeStoreOptions,
  MissingEvent,
  StoreStats,
  ValueCallback
} from '../../index.js'
import type { Version2Config } from './aws-v2.js'

/**
 * Drop-in replacement for dynamodb-store 1.2.0, with the same options, methods, and items. Stores the sessions of an
 * Express app in DynamoDB.
 *
 * Without a callback, every operation returns a promise. Errors are `DynamoDBStoreError`s.
 *
 * @fires missing a session to save or touch has ended; this is not an error
 * @fires conflict two requests have changed the same fields of a session; this is not an error
 * @fires corrupt an item does not contain a valid session; `get` returns null for it
 */
declare class DynamoDBStore extends EventEmitter {
  /**
   * Creates a store. Without a callback, the constructor performs no I/O, and the first operation that finds no table
   * creates it.
   *
   * @param callback called when the table exists
   */
  constructor(options?: DynamoDBStore.Options, callback?: DoneCallback)

  /** Name of the table. */
  tableName: string
  /** Name of the table's partition key. */
  hashKey: string
  /** Prefix of the session ID in the key. */
  hashPrefix: string
  /** Provisioned read capacity units of a table that the store creates. */
  readCapacityUnits: number
  /** Provisioned write capacity units of a table that the store creates. */
  writeCapacityUnits: number
  /** The `touchInterval` option, in milliseconds. An assignment applies to later touches. */
  touchInterval: number
  /** The `ttl` option, in milliseconds. An assignment applies to later writes and touches. */
  ttl: number | undefined
  /** The `keepExpired` option. An assignment applies to later reads. */
  keepExpired: boolean
  /** Not used, because the store does not send requests through the AWS SDK for JavaScript. */
  dynamoService: any
  /** Not used, because the store does not send requests through the AWS SDK for JavaScript. */
  documentClient: any

  /** A session to save or touch does not exist or has expired. This is not an error. */
  on(event: 'missing', listener: (event: MissingEvent) => void): this
  /** Two requests have changed the same fields of a session. This is not an error. */
  on(event: 'conflict', listener: (event: ConflictEvent) => void): this
  /** An item does not contain a valid session. `get` returns null for it. */
  on(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
  on(event: string | symbol, listener: (...args: any[]) => void): this
  /** A session to save or touch does not exist or has expired. This is not an error. */
  once(event: 'missing', listener: (event: MissingEvent) => void): this
  /** Two requests have changed the same fields of a session. This is not an error. */
  once(event: 'conflict', listener: (event: ConflictEvent) => void): this
  /** An item does not contain a valid session. `get` returns null for it. */
  once(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
  once(event: string | symbol, listener: (...args: any[]) => void): this

  /** Creates the table if it does not exist, and waits until it is ACTIVE. */
  createTableIfDontExists(callback?: DoneCallback): Promise<void>
  /** Resolves to whether the table exists. Rejects if the store cannot find out. */
  isTableCreated(): Promise<boolean>
  /** Sends CreateTable and resolves to the service's response. */
  createTable(): Promise<{
    /** Description of the table. */
    TableDescription: any
  }>
  /** Sets the properties above. Does not change the table, key, and prefix that the store uses. */
  setOptionsAsInstanceAttributes(options: DynamoDBStore.Options): void
  /** Returns the key of a session's item. */
  getSessionId(sid: string): string
  /** Returns the expiry of a session if it were written now. */
  getExpirationDate(sess: any): Date

  /** Reads a session. Returns null if it does not exist or has expired. Cost: one GetItem, which uses one read unit. */
  get(sid: string, callback: ValueCallback<any>): Promise<void>
  get(sid: string): Promise<any>
  /**
   * Creates a session or replaces it entirely, and sets its `updated` field. Cost: one PutItem, which uses one write
   * unit.
   */
  set(sid: string, sess: object, callback: ValueCallback<{}> | undefined): void
  set(sid: string, sess: object): Promise<{}>
  /**
   * Updates the expiry of a session and its `updated` field. Returns no value if no write was needed or the session
   * does not exist.
   *
   * Cost: no request within `touchInterval` after `updated`; otherwise one UpdateItem, which uses one write unit.
   */
  touch(sid: string, sess: object, callback: ValueCallback<DynamoDBStore.Touched> | undefined): void
  touch(sid: string, sess: object): Promise<DynamoDBStore.Touched | undefined>
  /** Deletes a session. Succeeds if the session does not exist. Cost: one DeleteItem, which uses one write unit. */
  destroy(sid: string, callback: ValueCallback<null>): Promise<void>
  destroy(sid: string): Promise<null>
  /** Deletes a session if it has expired, unless `keepExpired` is set. */
  handleExpiredSession(sid: string, callback: ValueCallback<null>): Promise<void>
  handleExpiredSession(sid: string): Promise<null>

  /** Returns the IDs of a user's sessions, as `idsOf` of dynamodb-session does. Requires the `user` option. */
  idsOf(user: string | number, callback: ValueCallback<string[]>): void
  idsOf(user: string | number): Promise<string[]>

  /**
   * Deletes all sessions of a user and returns their number, as `destroyAllOf` of dynamodb-session does. Requires the `user`
   * option.
   */
  destroyAllOf(user: string | number, options: DestroyAllOptions, callback: ValueCallback<number>): void
  destroyAllOf(user: string | number, callback: ValueCallback<number>): void
  destroyAllOf(user: string | number, options?: DestroyAllOptions): Promise<number>

  /** Prepares the store for its first operation, as `warm` of dynamodb-session does. */
  warm(callback: DoneCallback): void
  warm(): Promise<void>

  /** Returns the store's counters. Sends no request. */
  stats(): StoreStats

  /** Closes the store and its idle connections. Later operations fail with a `ClosedError`. */
  close(callback: DoneCallback): void
  close(): Promise<void>

  /** Method of express-session's `Store`. */
  createSession(request: any, session: any): any
  /** Method of express-session's `Store`. */
  regenerate(request: any, callback: (error?: any) => any): void
  /** Method of express-session's `Store`. */
  load(sid: string, callback: (error: any, session?: any) => any): void
}

declare namespace DynamoDBStore {
  /** Options of dynamodb-store, plus the options of dynamodb-session. */
  interface Options extends Omit<NativeStoreOptions, 'table' | 'ttl'> {
    /** Options of the table, or its name. */
    table?: Table | string
    /** Options of `AWS.DynamoDB` of the AWS SDK v2. Default: the environment and the AWS default credentials chain. */
    dynamoConfig?: DynamoConfig
    /**
     * Minimum time between `updated` and the next touch that is written, in milliseconds; 0 to write every touch.
     * Default: 30000.
     */
    touchInterval?: number
    /** Lifetime of a session after a write or touch, in milliseconds. Default: the cookie's `maxAge`, or one day. */
    ttl?: number
    /**
     * What `set` does if another request has changed the session since this request read it. The original package
     * overwrites. For the other values, see `onConflict` of `DynamoDBStore`. Default: `'overwrite'`.
     */
    onConflict?: NativeStoreOptions['onConflict']
    /** Whether `get` keeps an expired item instead of deleting it. Default: false. */
    keepExpired?: boolean
  }

  /** Options of the table. All are optional. */
  interface Table {
    /** Name of the table. Default: `'sessions'`. */
    name?: string
    /** Name of the table's partition key. Default: `'sessionId'`. */
    hashKey?: string
    /** Prefix of the session ID in the key. Default: `'sess:'`. */
    hashPrefix?: string
    /** Provisioned read capacity units of a table that the store creates. Default: 5. */
    readCapacityUnits?: number | string
    /** Provisioned write capacity units of a table that the store creates. Default: 5. */
    writeCapacityUnits?: number | string
  }

  /** Options of `AWS.DynamoDB` of the AWS SDK v2. */
  type DynamoConfig = Version2Config

  /** Result of a touch that was written. */
  interface Touched {
    /** The attributes that were written. */
    Attributes: {
      /** The expiry in whole seconds since 1970. */
      expires: number
      /** The part of the session that was written. */
      sess: {
        /** Time of the touch, in milliseconds since 1970. */
        updated: number
      }
    }
  }
}

export = DynamoDBStore
