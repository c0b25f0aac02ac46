import { EventEmitter } from 'node:events'
import {
  DynamoDBStoreError,
  NativeStoreOptions,
  KoaContext,
  StoreStats,
  TableDescription,
  TimeToLiveDescription
} from '../../index.js'
import { Version2Config } from './aws-v2.js'

/** Options of the table. None is required. */
export interface KoaTableOptions {
  /** Name of the table. Default: `'sessions'`. */
  name?: string
  /** Attribute that is the partition key. Default: `'sessionId'`, of the fork `'pk'`. */
  hashKey?: string
  /**
   * Attribute that holds the expiry in whole seconds since 1970. Default: `'expires'`. `createTableIfDontExists`
   * puts another in its place if the table has time to live on that.
   */
  ttlKey?: string
  /** Whether a table that is created gets time to live on `ttlKey`. Default: true. */
  useTtlExpired?: boolean
  /** Provisioned read capacity units of a table that is created. Default: 5. */
  readCapacityUnits?: number | string
  /** Provisioned write capacity units of a table that is created. Default: 5. */
  writeCapacityUnits?: number | string
  /** Whether the constructor calls `createTableIfDontExists`. Default: false. */
  autoCreate?: boolean
}

/** Options of the fork's table. */
export interface BaselineTableOptions extends KoaTableOptions {
  /** Attribute that is the sort key; it gets the same value as the partition key. Default: `'sk'`. */
  sortKey?: string
  /** Put before the session id in both keys. Default: `'SESSION#'`. */
  hasValuePrefix?: string
}

/**
 * Options of a store, besides which it takes those of the native store. None is required, and none throws: what
 * cannot be meant is left out, with one warning of the process.
 */
export interface KoaStoreOptions<Table = KoaTableOptions> extends Omit<NativeStoreOptions, 'table'> {
  /** The table, or its name. Default: the defaults of its members. */
  table?: Table | string | null
  /**
   * What the constructor of `AWS.DynamoDB` of the AWS SDK v2 takes. A region with `local` in it means a server
   * without time to live. Default: the environment.
   */
  dynamoConfig?: Version2Config | null
}

/** The answers of the service that describe a table. */
export interface TableAnswers {
  /** That of DescribeTable. */
  describeTable: {
    /** The table. */
    Table: TableDescription
  }
  /** That of DescribeTimeToLive. */
  describeTimeToLive: {
    /** Its time to live. */
    TimeToLiveDescription: TimeToLiveDescription
  }
}

/**
 * Keeps the sessions of koa-session in DynamoDB, as maps. Every operation is one request.
 *
 * Failures are {@link DynamoDBStoreError}s, but for those of `get`.
 *
 * @fires corrupt a {@link DynamoDBStoreError}: an item was read that holds no session; `get` gives undefined
 */
export class KoaStore<Table = KoaTableOptions> extends EventEmitter {
  /**
   * Makes a store. Nothing is sent, unless `table.autoCreate` is set: then `createTableIfDontExists(callback)` is
   * called, and operations wait for it.
   */
  constructor(options?: KoaStoreOptions<Table> | null, callback?: (error?: any) => void)

  /** Name of the table. */
  tableName: string
  /** Whether the constructor calls `createTableIfDontExists`: the option `table.autoCreate`. */
  autoCreateTable: boolean
  /** Attribute that is the partition key. */
  hashKey: string
  /** Attribute that holds the expiry in whole seconds since 1970. */
  ttlKey: string
  /** Provisioned read capacity units of a table that is created or updated. */
  readCapacityUnits: number
  /** Provisioned write capacity units of a table that is created or updated. */
  writeCapacityUnits: number
  /** Whether the region has `local` in its name: no time to live is set. */
  isLocal: boolean
  /** Whether a table that is created gets time to live, and which way `setTtlField` switches it. */
  useTtlExpired: boolean

  /** An item was read that holds no session; `get` gives undefined. */
  on(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
  on(event: string | symbol, listener: (...args: any[]) => void): this
  /** An item was read that holds no session; `get` gives undefined. */
  once(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
  once(event: string | symbol, listener: (...args: any[]) => void): this

  /** Gives the store other options, in place of all that it had. */
  setOptions(options: KoaStoreOptions<Table> | null): void

  /**
   * Reads a session; undefined when there is none, or it has expired.
   *
   * @throws Error `Unable to get session.` with the members of the {@link DynamoDBStoreError} that is its cause
   */
  get(id: string, maxAge?: number | 'session', context?: KoaContext): Promise<any>

  /**
   * Writes a session whole; resolves to `{}`.
   *
   * @param maxAge milliseconds to live, null for none at all; `'session'` and what is no number: one day
   */
  set(id: string, session: object, maxAge?: number | 'session' | null, context?: KoaContext): Promise<any>

  /** Deletes a session, whether it is there or not; resolves to `{}`. */
  destroy(id: string, context?: KoaContext): Promise<any>

  /** Counts what the store has done since its options were set. No I/O. */
  stats(): StoreStats

  /** Closes the idle connections. Later operations fail with code `ClosedError`. */
  close(): Promise<void>

  /** When a session ends that is written now. An override is what `set` uses. */
  getExpirationDate(maxAge?: number | 'session' | null): Date

  /** Describes the table; null when there is none. */
  isTableCreated(): Promise<TableAnswers | null>

  /** Sends CreateTable, with provisioned capacity, and does not wait; resolves to the service's answer. */
  createTable(): Promise<any>

  /**
   * Sends UpdateTable if the table's capacity differs; resolves to the service's answer, or to true. A table on
   * demand stays so.
   *
   * @param exists what `isTableCreated` gave. Default: the table is described
   */
  updateTable(exists?: TableAnswers | null): Promise<any>

  /** Switches the table's time to live on `ttlKey` on or off, as `useTtlExpired` says. */
  setTtlField(): Promise<any>

  /**
   * Creates the table if it is missing, waits until it is ACTIVE, and enables its time to live. A table that is
   * there is left alone.
   *
   * @param callback called once with the error, if any; with it, the promise is not rejected
   */
  createTableIfDontExists(callback?: (error?: any) => void): Promise<void>
}
