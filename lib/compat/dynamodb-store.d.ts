import { EventEmitter } from 'node:events'
import type {
  DoneCallback,
  DynamoDBStoreError,
  NativeStoreOptions,
  MissingEvent,
  StoreStats,
  ValueCallback
} from '../../index.js'
import type { Version2Config } from './aws-v2.js'

/**
 * Keeps the sessions of an Express app in DynamoDB, in place of dynamodb-store 1.2.0: with its options, its
 * methods and its items.
 *
 * Without a callback, every operation is a promise. Failures are `DynamoDBStoreError`s.
 *
 * @fires missing a touched session is not there, which is no error
 * @fires corrupt an item was read that holds no session; `get` gives null
 */
declare class DynamoDBStore extends EventEmitter {
  /**
   * Without a callback, does no I/O: a missing table is created by the first operation that misses it.
   *
   * @param callback called once the table is there
   */
  constructor(options?: DynamoDBStore.Options, callback?: DoneCallback)

  /** Name of the table. */
  tableName: string
  /** The table's partition key. */
  hashKey: string
  /** Put before the session id in the key. */
  hashPrefix: string
  /** Provisioned read capacity units of a table that is created. */
  readCapacityUnits: number
  /** Provisioned write capacity units of a table that is created. */
  writeCapacityUnits: number
  /** The option `touchInterval`, in milliseconds; counts for touches from now on. */
  touchInterval: number
  /** The option `ttl`, in milliseconds; counts for writes and touches from now on. */
  ttl: number | undefined
  /** The option `keepExpired`; counts for reads from now on. */
  keepExpired: boolean
  /** Not used: requests are not sent through the AWS SDK for JavaScript. */
  dynamoService: any
  /** Not used: requests are not sent through the AWS SDK for JavaScript. */
  documentClient: any

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

  /** Creates the table if it is missing, and waits until it is ACTIVE. */
  createTableIfDontExists(callback?: DoneCallback): Promise<void>
  /** Whether there is a table; rejects when that cannot be told. */
  isTableCreated(): Promise<boolean>
  /** Sends CreateTable; resolves to the service's answer. */
  createTable(): Promise<{
    /** The table. */
    TableDescription: any
  }>
  /** Sets the attributes above. The table, its key and the prefix in use are those of the constructor. */
  setOptionsAsInstanceAttributes(options: DynamoDBStore.Options): void
  /** The key of a session's item. */
  getSessionId(sid: string): string
  /** When a session ends that is written now. */
  getExpirationDate(sess: any): Date

  /** Reads a session; null when there is none or it has expired. One GetItem: a read unit. */
  get(sid: string, callback: ValueCallback<any>): Promise<void>
  get(sid: string): Promise<any>
  /** Writes a session whole, with `updated`. One PutItem: a write unit. */
  set(sid: string, sess: object, callback: ValueCallback<{}> | undefined): void
  set(sid: string, sess: object): Promise<{}>
  /**
   * Moves the expiry of a session and its `updated`; gives nothing when there was no need or no session. No request
   * within `touchInterval` of `updated`; else one UpdateItem: a write unit.
   */
  touch(sid: string, sess: object, callback: ValueCallback<DynamoDBStore.Touched> | undefined): void
  touch(sid: string, sess: object): Promise<DynamoDBStore.Touched | undefined>
  /** Deletes a session, whether it is there or not. One DeleteItem: a write unit. */
  destroy(sid: string, callback: ValueCallback<null>): Promise<void>
  destroy(sid: string): Promise<null>
  /** Deletes a session if it has expired, unless `keepExpired`. */
  handleExpiredSession(sid: string, callback: ValueCallback<null>): Promise<void>
  handleExpiredSession(sid: string): Promise<null>

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

declare namespace DynamoDBStore {
  /** The options of dynamodb-store, and beside them those of dynamodb-session. */
  interface Options extends Omit<NativeStoreOptions, 'table' | 'ttl'> {
    /** The table, or its name. */
    table?: Table | string
    /** What the constructor `AWS.DynamoDB` of the AWS SDK v2 takes. Default: AWS's default chain. */
    dynamoConfig?: DynamoConfig
    /** Milliseconds that must have gone since `updated` before a touch is written; 0 for none. Default: 30000. */
    touchInterval?: number
    /** Milliseconds that a session lives after a write or touch. Default: the cookie's `maxAge`, else one day. */
    ttl?: number
    /** Whether `get` leaves an expired item where it is, and does not delete it. Default: false. */
    keepExpired?: boolean
  }

  /** Options of the table. None is required. */
  interface Table {
    /** Name of the table. Default: `'sessions'`. */
    name?: string
    /** The table's partition key. Default: `'sessionId'`. */
    hashKey?: string
    /** Put before the session id in the key. Default: `'sess:'`. */
    hashPrefix?: string
    /** Provisioned read capacity units of a table that is created. Default: 5. */
    readCapacityUnits?: number | string
    /** Provisioned write capacity units of a table that is created. Default: 5. */
    writeCapacityUnits?: number | string
  }

  /** What the constructor `AWS.DynamoDB` of the AWS SDK v2 takes. */
  type DynamoConfig = Version2Config

  /** What a touch gives that was written. */
  interface Touched {
    /** The item's attributes that were written. */
    Attributes: {
      /** The expiry in whole seconds since 1970. */
      expires: number
      /** The session, as far as it was written. */
      sess: {
        /** The moment of the touch, in milliseconds since 1970. */
        updated: number
      }
    }
  }
}

export = DynamoDBStore
