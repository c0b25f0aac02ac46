import { EventEmitter } from 'node:events'
import type {
  ConflictEvent,
  DestroyAllOptions,
  DoneCallback,
  DynamoDBStoreError,
  NativeStoreOptions,
  JavaScriptClient,
  MissingEvent,
  StoreStats,
  ValueCallback
} from '../../index.js'

/** Options of @pwrdrvr/dynamodb-session-store, plus the options of dynamodb-session. */
export interface DynamoDBStoreOptions extends Omit<
  NativeStoreOptions,
  'table' | 'client' | 'consistentRead' | 'createTable'
> {
  /**
   * A `DynamoDBClient` of the AWS SDK v3. The store uses its Region, endpoint, credentials, and number of attempts, but
   * does not send requests through it. Default: none; the store uses the environment.
   */
  readonly dynamoDBClient?: JavaScriptClient
  /** Name of the table. Default: `'sessions'`. */
  readonly tableName?: string
  /** Name of the table's partition key. Default: `'id'`. */
  readonly hashKey?: string
  /** Prefix of the session ID in the key. Default: `'session#'`. */
  readonly prefix?: string
  /**
   * Minimum time between the session's `lastModified` and the next touch that is written, in seconds. If
   * `originalMaxAge` is shorter than `touchAfter`, one tenth of `originalMaxAge` applies. Set it to 0 to write every
   * touch. Default: 3600.
   */
  readonly touchAfter?: number
  /**
   * What `set` does if another request has changed the session since this request read it. The original package
   * overwrites. For the other values, see `onConflict` of `DynamoDBStore`. Default: `'overwrite'`.
   */
  readonly onConflict?: NativeStoreOptions['onConflict']
  /**
   * Input of CreateTable for a missing table, which is on-demand by default. Default: none; the store creates no table.
   */
  readonly createTableOptions?: object
  /** Whether reads are strongly consistent, which doubles their cost. Default: false. */
  readonly useStronglyConsistentReads?: boolean
}

/**
 * Drop-in replacement for @pwrdrvr/dynamodb-session-store 1.1.0, with the same options, methods, and items. Stores the
 * sessions of an Express app in DynamoDB.
 *
 * Without a callback, every operation returns a promise. Errors are `DynamoDBStoreError`s.
 *
 * @fires missing a session to save or touch has ended; this is not an error
 * @fires conflict two requests have changed the same fields of a session; this is not an error
 * @fires corrupt an item does not contain a valid session; `get` returns null for it
 */
export class DynamoDBStore extends EventEmitter {
  /**
   * Creates a store. With `createTableOptions`, creates a missing table in the background, and operations wait for it.
   */
  constructor(options: DynamoDBStoreOptions)

  /** Resolves to a new store. With `createTableOptions`, waits until its table exists. */
  static create<T extends typeof DynamoDBStore>(this: T, options: DynamoDBStoreOptions): Promise<InstanceType<T>>

  /** Name of the table. */
  get tableName(): string
  /** Name of the table's partition key. */
  get hashKey(): string
  /** Prefix of the session ID in the key. */
  get prefix(): string
  /** The `touchAfter` option, in seconds. */
  get touchAfter(): number
  /** Whether reads are strongly consistent. */
  get useStronglyConsistentReads(): boolean
  /** An assignment applies to later reads. */
  set useStronglyConsistentReads(value: boolean)
  /** The client that you passed as an option. */
  readonly client: JavaScriptClient | undefined

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

  /**
   * Reads a session. Returns null if it does not exist or has expired.
   *
   * Cost: one GetItem, which uses half a read unit, or one unit with `useStronglyConsistentReads`.
   */
  get(sid: string, callback: ValueCallback<any>): void
  get(sid: string): Promise<any>
  /**
   * Creates a session or replaces it entirely. Sets its `lastModified` unless `touchAfter` is 0. Cost: one PutItem,
   * which uses one write unit.
   */
  set(sid: string, session: object, callback: DoneCallback | undefined): void
  set(sid: string, session: object): Promise<void>
  /**
   * Updates the expiry of a session and its `lastModified`.
   *
   * Cost: no request within `touchAfter` after `lastModified`; otherwise one UpdateItem, which uses one write unit.
   */
  touch(sid: string, session: object, callback: DoneCallback | undefined): void
  touch(sid: string, session: object): Promise<void>
  /** Deletes a session. Succeeds if the session does not exist. Cost: one DeleteItem, which uses one write unit. */
  destroy(sid: string, callback: DoneCallback | undefined): void
  destroy(sid: string): Promise<void>

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
