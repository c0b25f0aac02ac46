import { EventEmitter } from 'node:events'
import {
  ConflictEvent,
  DestroyAllOptions,
  DynamoDBStoreError,
  NativeStoreOptions,
  KoaContext,
  MissingEvent,
  StoreStats,
  TableDescription,
  TimeToLiveDescription
} from '../../index.js'
import { Version2Config } from './aws-v2.js'

/** Options of the table. All are optional. */
export interface KoaTableOptions {
  /** Name of the table. Default: `'sessions'`. */
  name?: string
  /** Name of the table's partition key. Default: `'sessionId'`, or `'pk'` for the @baseline-dev package. */
  hashKey?: string
  /**
   * Attribute that holds the expiry in whole seconds since 1970. `createTableIfDontExists` replaces it with the table's
   * own time to live attribute, if the table has one. Default: `'expires'`.
   */
  ttlKey?: string
  /** Whether to enable time to live on `ttlKey` for a table that the store creates. Default: true. */
  useTtlExpired?: boolean
  /** Provisioned read capacity units of a table that the store creates. Default: 5. */
  readCapacityUnits?: number | string
  /** Provisioned write capacity units of a table that the store creates. Default: 5. */
  writeCapacityUnits?: number | string
  /** Whether the constructor calls `createTableIfDontExists`. Default: false. */
  autoCreate?: boolean
}

/** Options of the table of @baseline-dev/koa-session-dynamodb-store. */
export interface BaselineTableOptions extends KoaTableOptions {
  /** Name of the table's sort key, which has the same value as the partition key. Default: `'sk'`. */
  sortKey?: string
  /** Prefix of the session ID in both keys. Default: `'SESSION#'`. */
  hasValuePrefix?: string
}

/**
 * Options of a store, plus the options of dynamodb-session. All are optional. Invalid options do not throw: the store
 * ignores them, with one process warning.
 */
export interface KoaStoreOptions<Table = KoaTableOptions> extends Omit<NativeStoreOptions, 'table'> {
  /** Options of the table, or its name. */
  table?: Table | string | null
  /**
   * Options of `AWS.DynamoDB` of the AWS SDK v2. If the Region contains `local`, the store does not use time to live.
   * Default: the environment.
   */
  dynamoConfig?: Version2Config | null
  /**
   * What `set` does if another request has changed the session since this request read it. The original package
   * overwrites. For the other values, see `onConflict` of `DynamoDBStore`. Default: `'overwrite'`.
   */
  onConflict?: NativeStoreOptions['onConflict']
}

/** The service's responses that describe a table. */
export interface TableAnswers {
  /** Response of DescribeTable. */
  describeTable: {
    /** Description of the table. */
    Table: TableDescription
  }
  /** Response of DescribeTimeToLive. */
  describeTimeToLive: {
    /** Description of the table's time to live. */
    TimeToLiveDescription: TimeToLiveDescription
  }
}

/**
 * Stores the sessions of koa-session in DynamoDB, as maps. Every operation is one request, but a `get` that finds no
 * session sends a second one if `consistentRead` is `'on-miss'`, which is the default here.
 *
 * Errors are {@link DynamoDBStoreError}s, except for those of `get`.
 *
 * @fires missing with a {@link MissingEvent}: a session to save has ended; this is not an error
 * @fires conflict with a {@link ConflictEvent}: two requests have changed the same fields; this is not an error
 * @fires corrupt with a {@link DynamoDBStoreError}: an item does not contain a valid session; `get` returns undefined
 * for it
 */
export class KoaStore<Table = KoaTableOptions> extends EventEmitter {
  /**
   * Creates a store. With `table.autoCreate`, the constructor calls `createTableIfDontExists(callback)`, and operations
   * wait for it. Otherwise, it sends no request.
   */
  constructor(options?: KoaStoreOptions<Table> | null, callback?: (error?: any) => void)

  /** Name of the table. */
  tableName: string
  /** The `table.autoCreate` option: whether the constructor calls `createTableIfDontExists`. */
  autoCreateTable: boolean
  /** Name of the table's partition key. */
  hashKey: string
  /** Attribute that holds the expiry in whole seconds since 1970. */
  ttlKey: string
  /** Provisioned read capacity units of a table that the store creates or updates. */
  readCapacityUnits: number
  /** Provisioned write capacity units of a table that the store creates or updates. */
  writeCapacityUnits: number
  /** Whether the name of the Region contains `local`. If so, the store does not enable time to live. */
  isLocal: boolean
  /** Whether time to live (TTL) is enabled on new tables, and the value that `setTtlField` applies. */
  useTtlExpired: boolean

  /** A session to save does not exist or has expired. This is not an error. */
  on(event: 'missing', listener: (event: MissingEvent) => void): this
  /** Two requests have changed the same fields of a session. This is not an error. */
  on(event: 'conflict', listener: (event: ConflictEvent) => void): this
  /** An item does not contain a valid session. `get` returns undefined for it. */
  on(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
  on(event: string | symbol, listener: (...args: any[]) => void): this
  /** A session to save does not exist or has expired. This is not an error. */
  once(event: 'missing', listener: (event: MissingEvent) => void): this
  /** Two requests have changed the same fields of a session. This is not an error. */
  once(event: 'conflict', listener: (event: ConflictEvent) => void): this
  /** An item does not contain a valid session. `get` returns undefined for it. */
  once(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
  once(event: string | symbol, listener: (...args: any[]) => void): this

  /** Replaces all options of the store. */
  setOptions(options: KoaStoreOptions<Table> | null): void

  /**
   * Reads a session. Resolves to undefined if it does not exist or has expired.
   *
   * @throws Error `Unable to get session.`, with the members of the {@link DynamoDBStoreError} that is its cause
   */
  get(id: string, maxAge?: number | 'session', context?: KoaContext): Promise<any>

  /**
   * Creates a session or replaces it entirely. Resolves to `{}`.
   *
   * @param maxAge lifetime in milliseconds. `null` means 0; `'session'` or a value that is not a number means one day
   */
  set(id: string, session: object, maxAge?: number | 'session' | null, context?: KoaContext): Promise<any>

  /** Deletes a session and resolves to `{}`. Succeeds if the session does not exist. */
  destroy(id: string, context?: KoaContext): Promise<any>

  /** Returns the IDs of a user's sessions, as `idsOf` of dynamodb-session does. Requires the `user` option. */
  idsOf(user: string | number): Promise<string[]>

  /**
   * Deletes all sessions of a user and returns their number, as `destroyAllOf` of dynamodb-session does. Requires the `user`
   * option.
   */
  destroyAllOf(user: string | number, options?: DestroyAllOptions): Promise<number>

  /** Prepares the store for its first operation, as `warm` of dynamodb-session does. */
  warm(): Promise<void>

  /** Returns the store's counters since its options were set. Sends no request. */
  stats(): StoreStats

  /** Closes the store and its idle connections. Later operations fail with a `ClosedError`. */
  close(): Promise<void>

  /** Returns the expiry of a session if it were written now. If you override it, `set` uses your method. */
  getExpirationDate(maxAge?: number | 'session' | null): Date

  /** Resolves to the description of the table, or to null if it does not exist. */
  isTableCreated(): Promise<TableAnswers | null>

  /**
   * Sends CreateTable with provisioned capacity and resolves to the service's response, without waiting for the table.
   */
  createTable(): Promise<any>

  /**
   * Sends UpdateTable if the table's capacity differs from the options, and resolves to the service's response or to
   * true. Does not change an on-demand table.
   *
   * @param exists the result of `isTableCreated`. Default: the store requests it
   */
  updateTable(exists?: TableAnswers | null): Promise<any>

  /** Enables or disables the table's time to live on `ttlKey`, according to `useTtlExpired`. */
  setTtlField(): Promise<any>

  /**
   * Creates the table if it does not exist, waits until it is ACTIVE, and enables its time to live. Never modifies an
   * existing table.
   *
   * @param callback called once, with the error if there is one; the promise then does not reject
   */
  createTableIfDontExists(callback?: (error?: any) => void): Promise<void>
}
