import { EventEmitter } from 'node:events'
import type {
  DoneCallback,
  DynamoDBStoreError,
  NativeStoreOptions,
  JavaScriptClient,
  MissingEvent,
  StoreStats,
  ValueCallback
} from '../../index.js'

/** The options of @pwrdrvr/dynamodb-session-store, and beside them those of dynamodb-session. */
export interface DynamoDBStoreOptions extends Omit<
  NativeStoreOptions,
  'table' | 'client' | 'consistentRead' | 'createTable'
> {
  /**
   * A DynamoDBClient of the AWS SDK v3, whose region, endpoint, credentials and attempts are taken. Requests are
   * not sent through it. Default: AWS's default chain.
   */
  readonly dynamoDBClient?: JavaScriptClient
  /** Name of the table. Default: `'sessions'`. */
  readonly tableName?: string
  /** The table's partition key. Default: `'id'`. */
  readonly hashKey?: string
  /** Put before the session id in the key. Default: `'session#'`. */
  readonly prefix?: string
  /**
   * Seconds that must have gone since the session's `lastModified` before a touch is written; a tenth of
   * `cookie.originalMaxAge` where that is shorter than `touchAfter`. 0 for every touch. Default: 3600.
   */
  readonly touchAfter?: number
  /** Input of CreateTable for a missing table; on-demand unless it says otherwise. Default: none is created. */
  readonly createTableOptions?: object
  /** Whether reads are strongly consistent, which doubles their cost. Default: false. */
  readonly useStronglyConsistentReads?: boolean
}

/**
 * Keeps the sessions of an Express app in DynamoDB, in place of @pwrdrvr/dynamodb-session-store 1.1.0: with its
 * options, its methods and its items.
 *
 * Without a callback, every operation is a promise. Failures are `DynamoDBStoreError`s.
 *
 * @fires missing a touched session is not there, which is no error
 * @fires corrupt an item was read that holds no session; `get` gives null
 */
export class DynamoDBStore extends EventEmitter {
  /** With `createTableOptions`, starts the creation of a missing table; the operations wait for it. */
  constructor(options: DynamoDBStoreOptions)

  /** A store, once its table is there if `createTableOptions` are given. */
  static create<T extends typeof DynamoDBStore>(this: T, options: DynamoDBStoreOptions): Promise<InstanceType<T>>

  /** Name of the table. */
  get tableName(): string
  /** The table's partition key. */
  get hashKey(): string
  /** Put before the session id in the key. */
  get prefix(): string
  /** Seconds that must have gone since `lastModified` before a touch is written. */
  get touchAfter(): number
  /** Whether reads are strongly consistent. */
  get useStronglyConsistentReads(): boolean
  /** Counts for the reads from now on. */
  set useStronglyConsistentReads(value: boolean)
  /** The JavaScript client that was given as an option. */
  readonly client: JavaScriptClient | undefined

  /** A touched session is not there or has expired, which is no error. */
  on(event: 'missing', listener: (event: MissingEvent) => void): this
  /** An item was read that holds no session; `get` gives null. */
  on(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
  on(event: string | symbol, listener: (...args: any[]) => void): this
  /** A touched session is not there or has expired, which is no error. */
  once(event: 'missing', listener: (event: MissingEvent) => void): this
  /** An item was read that holds no session; `get` gives null. */
  once(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
  once(event: string | symbol, listener: (...args: any[]) => void): this

  /**
   * Reads a session; null when there is none or it has expired. One GetItem: half a read unit, a whole one with
   * `useStronglyConsistentReads`.
   */
  get(sid: string, callback: ValueCallback<any>): void
  get(sid: string): Promise<any>
  /** Writes a session whole, with `lastModified` unless `touchAfter` is 0. One PutItem: a write unit. */
  set(sid: string, session: object, callback: DoneCallback | undefined): void
  set(sid: string, session: object): Promise<void>
  /**
   * Moves the expiry of a session and its `lastModified`, unless that is younger than `touchAfter`: then there is no
   * request, else one UpdateItem: a write unit.
   */
  touch(sid: string, session: object, callback: DoneCallback | undefined): void
  touch(sid: string, session: object): Promise<void>
  /** Deletes a session, whether it is there or not. One DeleteItem: a write unit. */
  destroy(sid: string, callback: DoneCallback | undefined): void
  destroy(sid: string): Promise<void>

  /** Counts what the store has done so far. No I/O. */
  stats(): StoreStats

  /** Closes the idle connections. Later operations fail with code `ClosedError`. */
  close(callback: DoneCallback): void
  close(): Promise<void>

  /** express-session's. */
  createSession(request: any, session: any): any
  /** express-session's. */
  regenerate(request: any, callback: (error?: any) => any): void
  /** express-session's. */
  load(sid: string, callback: (error: any, session?: any) => any): void
}
