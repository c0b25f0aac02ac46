import { EventEmitter } from 'node:events'
import ConnectDynamoDB = require('./lib/compat/connect-dynamodb')

// @ts-ignore: it resolves only where this package is installed as connect-dynamodb; it is `any` elsewhere.
type EntryUnderAlias = typeof import('connect-dynamodb/connect-dynamodb')
type MembersUnderAlias<Session extends Record<string, any>> = 0 extends 1 & EntryUnderAlias
  ? {}
  : ConnectDynamoDB.FactoryMembers<Session>

export = connectDynamoDB

/**
 * The factory of connect-dynamodb, so that this package can be installed under its name: gives the class of
 * stores for a session package. The same as `dynamodb-session/connect-dynamodb`.
 */
declare function connectDynamoDB<Session extends Record<string, any> = Record<string, unknown>>(
  connect: ConnectDynamoDB.SessionPackage | { session: ConnectDynamoDB.SessionPackage }
): ConnectDynamoDB.DynamoDBStore<Session>

declare namespace connectDynamoDB {
  /** The factory by its name. */
  const connectDynamoDB: typeof ConnectDynamoDB

  /** What koa-session adds to a call. */
  interface KoaContext {
    /** The request's context. Not used. */
    ctx?: unknown
    /** Whether the session was changed. Not used: what is set is written. */
    changed?: boolean
    /** Whether koa-session writes every session. Not used. */
    rolling?: boolean
  }

  /** Answers an operation that gives nothing. */
  type DoneCallback = (error?: any) => void
  /** Answers an operation: `(null, value)`, or `(error)`. */
  type ValueCallback<T> = (error: any, value?: T) => void

  /** Credentials that sign requests. */
  interface Credentials {
    /** The key. */
    accessKeyId: string
    /** Its secret. */
    secretAccessKey: string
    /** The token of temporary keys. Default: none. */
    sessionToken?: string
    /** The AWS account of the keys. The AWS SDK and this store use the account's own host if they know it. Default: none. */
    accountId?: string
    /** When they expire; a function is asked again before. Default: never. */
    expiration?: Date
  }

  /** A session field that is copied to an attribute of its own, for example for a secondary index. */
  interface SpecialKey {
    /** Name of the field and of the attribute. A session without the field is written without the attribute. */
    name: string
    /**
     * Type of the attribute: string, number, boolean or binary. For S also numbers and dates are taken, for N
     * numeric strings, for B strings. Another value fails `set` with `SerializationError`.
     */
    type: 'S' | 'N' | 'BOOL' | 'B'
  }

  /** How a missing table is created. */
  interface CreateTableOptions {
    /** Default: on-demand (`'PAY_PER_REQUEST'`), or `'PROVISIONED'` when capacity units are given. */
    billingMode?: 'PAY_PER_REQUEST' | 'PROVISIONED'
    /** Provisioned read capacity units. Default: 5 with `billingMode: 'PROVISIONED'`. */
    readCapacityUnits?: number
    /** Provisioned write capacity units. Default: 5 with `billingMode: 'PROVISIONED'`. */
    writeCapacityUnits?: number
    /** Whether to enable DynamoDB's time to live on the expiry attribute. Default: true. */
    ttl?: boolean
    /** Tags of the table. Default: none. */
    tags?: Record<string, string>
  }

  /** A DynamoDB client of the AWS SDK for JavaScript: `DynamoDBClient` of v3, or `AWS.DynamoDB` of v2. */
  type JavaScriptClient = {
    /** What the settings are taken from. */
    readonly config: object
  } & (
    | {
        /** Of v3. Not called. */
        send(...args: any[]): any
      }
    | {
        /** Of v2. Not called. */
        makeRequest(...args: any[]): any
      }
  )

  /** Options of a store. None is required. */
  interface NativeStoreOptions {
    /** Name or ARN of the table. Default: `'sessions'`. */
    table?: string
    /** Attribute that is the table's partition key, of type S. Default: `'id'`. */
    hashKey?: string
    /** Attribute that is the table's sort key, of type S; it gets the same value as the partition key. Default: none. */
    sortKey?: string
    /**
     * Put before the session ID in the key. Must not be the beginning of another store's prefix in the same table:
     * `sess:` includes the sessions of `sess:admin:`. Default: `'sess:'`.
     */
    prefix?: string
    /** AWS Region. Default: that of the table's ARN, else `AWS_REGION` or `AWS_DEFAULT_REGION`, else the profile's. */
    region?: string
    /**
     * http or https URL of the service, as of DynamoDB Local, without a query. Default: that of the environment, of the
     * profile or of the region. One with a query fails the operations with `ConfigError`.
     */
    endpoint?: string
    /**
     * Profile of the shared AWS config files. Given here, its credentials go before keys in the environment. Default:
     * `AWS_PROFILE`, else `'default'`.
     */
    profile?: string
    /**
     * Credentials, or a function that gives them. The function is called once for all operations that wait,
     * and again before `expiration`: five minutes, or a tenth of a shorter life. Default: AWS's default chain.
     */
    credentials?: Credentials | (() => Credentials | Promise<Credentials>)
    /**
     * A client of the AWS SDK for JavaScript whose region, endpoint, credentials, attempts and timeouts are taken.
     * Requests are not sent through it. Contradicts `region`, `endpoint`, `profile` and `credentials`. Default: none.
     */
    client?: JavaScriptClient
    /** Seconds that a session lives after a write or touch. Default: the cookie's `maxAge`, else one day. */
    ttl?: number | ((session: any) => number)
    /**
     * Seconds that must have gone since the expiry was last written before `touch` writes it again; 0 for every
     * time. Until then a touch costs no request. Default: a tenth of the lifetime, at most 3600, which also counts
     * where the given number is not shorter than the lifetime. A wrapper around the store must forward `createSession`
     * too; otherwise every touch writes.
     */
    touchAfter?: number
    /** Whether `touch` does nothing at all: a session then ends a lifetime after its last change. Default: false. */
    disableTouch?: boolean
    /**
     * Whether reads are strongly consistent. `false` halves their cost and may miss a write of the last moment;
     * `'on-miss'` reads eventually consistently, and once more consistently when nothing was found. Default: true.
     */
    consistentRead?: boolean | 'on-miss'
    /**
     * How sessions are written: as JSON text, which holds all that JSON holds, or as a DynamoDB map, which other
     * programs can query but which refuses empty names, more than 32 levels and numbers outside 1e-130 to 1e126.
     * Both are read. Default: `'json'`.
     */
    format?: 'json' | 'map'
    /** Names of the attributes. */
    attributes?: {
      /** Holds the session. Default: `'sess'`. */
      session?: string
      /** Holds the expiry in whole seconds since 1970, for the table's time to live. Default: `'expires'`. */
      expires?: string
    }
    /** Session fields with attributes of their own. Empty values are left out. Default: none. */
    specialKeys?: SpecialKey[]
    /**
     * Whether a missing table is created by the first operation that misses it. An existing table is never
     * altered. Default: false: such an operation fails with `ResourceNotFoundException`.
     */
    createTable?: boolean | CreateTableOptions
    /** Milliseconds to connect in, TLS included. Default: 1000. */
    connectTimeout?: number
    /** Milliseconds of one attempt, connecting included. Default: 3000. */
    attemptTimeout?: number
    /**
     * Milliseconds of a whole operation: credentials, attempts and the pauses between. The creation of a
     * missing table is not counted. Default: 10000.
     */
    timeout?: number
    /**
     * Attempts of one operation, the first included. Attempts that replace one on a connection that the server had
     * closed do not count toward it, nor do backup reads. Default: `AWS_MAX_ATTEMPTS`, else 3.
     */
    maxAttempts?: number
    /** Connections of this store, and so requests at a time; more operations wait. Default: 50. */
    maxConnections?: number
    /**
     * Operations of this store under way at a time, those that wait for a connection included; more fail at once
     * with `OverloadedError`. Default: 10000.
     */
    maxPending?: number
    /**
     * Operations in a row that got no answer from the service before the store emits `disconnect`. From then on it
     * asks for it, after 0.5 to 30 seconds each time, and emits `connect` when something answers. While a store is
     * disconnected, express-session lets requests through without a session. Default: none: never.
     */
    offlineAfter?: number
  }

  /**
   * Options of a store, and those of the factory's stores, so that this is also what connect-dynamodb exports under
   * this name. `new DynamoDBStore()` refuses the factory's own options.
   */
  interface DynamoDBStoreOptions
    extends
      NativeStoreOptions,
      Pick<
        ConnectDynamoDB.DynamoDBStoreOptions,
        | 'readCapacityUnits'
        | 'writeCapacityUnits'
        | 'skipThrowMissingSpecialKeys'
        | 'reapInterval'
        | 'initialized'
        | 'AWSRegion'
        | 'AWSConfigPath'
        | 'AWSConfigJSON'
      > {}

  /** connect-dynamodb's name of a `SpecialKey`. */
  type DynamoDBStoreOptionsSpecialKey = SpecialKey

  /** What a callback of connect-dynamodb's store gets of a failure; nothing when there is none. */
  type CallbackError = ConnectDynamoDB.CallbackError

  /** What a store has done since it was made. */
  interface StoreStats {
    /** Operations by the name of their request, such as `GetItem`; `all`, `ids` and `length` are `Scan`. */
    operations: Record<string, number>
    /** Failures by their codes, those without a request included. */
    errors: Record<string, number>
    /** Attempts after the first. */
    retries: number
    /** Responses of the service that asked to slow down, whether a retry helped or not. */
    throttles: number
    /** The reasons in those responses by name, such as `TableReadKeyRangeThroughputExceeded`. */
    throttlingReasons: Record<string, number>
    /** Touches that `touchAfter` left out. */
    touchesSaved: number
    /** Bytes in the bodies of requests and responses. */
    bytes: {
      /** Of requests, each attempt counted. */
      sent: number
      /** Of responses. */
      received: number
    }
    /** Operations that are under way now. */
    inFlight: number
    /** Reads that were sent a second time because the first one got no response on a connection that was idle before. */
    backupReads: number
    /** Connections that are open now, and those of them that are kept for later. */
    pool: {
      /** Open now. */
      open: number
      /** Open and not in use. */
      idle: number
    }
    /** Failures of DNS. */
    dns: {
      /** Lookups that failed or returned no address. */
      failures: number
      /** Connections opened to the last addresses that worked, because the lookup failed or took too long. */
      fallbacks: number
    }
  }

  /** Why DynamoDB throttled a request. */
  interface ThrottlingReason {
    /**
     * What is limited, which operation, and why, such as `'TableReadKeyRangeThroughputExceeded'`,
     * `'TableWriteAccountLimitExceeded'`, or `'TableReadMaxOnDemandThroughputExceeded'`.
     */
    reason?: string
    /** ARN of the table or index. */
    resource?: string
  }

  /** What the tracing channel `dynamodb-session:operation` tells of an operation. */
  interface OperationTrace {
    /** The DynamoDB operation, such as `'GetItem'`. */
    operation: string
    /** Name of the table. */
    tableName: string
    /** Milliseconds. Like the members below, known at `asyncEnd` and `error`. */
    durationMs?: number
    /**
     * Requests that were sent. Like the next two members, undefined for operations that scan, create, or describe the
     * table, whose requests the AWS SDK sends.
     */
    attempts?: number
    /** HTTP status of the last response; null when there was none. */
    statusCode?: number | null
    /** Capacity that the service charged; null when the response does not say. */
    capacityUnits?: number | null
    /** The failure, if it failed. */
    error?: DynamoDBStoreError
  }

  /** The service's description of a table, with its time to live where server and policy tell it. */
  interface TableDescription {
    /** Name of the table. */
    TableName?: string
    /** `'ACTIVE'` once it can be used. */
    TableStatus?: string
    /** When it was created. */
    CreationDateTime?: Date
    /** Items in the table, expired ones included; DynamoDB counts them every six hours or so. */
    ItemCount?: number
    /** Whether and how DynamoDB deletes expired items. */
    TimeToLiveDescription?: TimeToLiveDescription
    /** What else the service tells. */
    [name: string]: any
  }

  /** The service's description of a table's time to live. */
  interface TimeToLiveDescription {
    /** `'ENABLED'` once DynamoDB deletes expired items. */
    TimeToLiveStatus?: string
    /** Attribute that holds the expiry. */
    AttributeName?: string
  }

  /** Tells of a session that an operation did not find. */
  interface MissingEvent {
    /** The method that did not find it. */
    operation: 'touch'
    /** Name of the table. */
    tableName: string
    /** A short hash that tells ids apart without telling them. */
    sidHash: string
  }

  /**
   * Keeps the sessions of an Express, Koa or Fastify app in DynamoDB.
   *
   * Every operation takes a callback as its last argument, which is called once and asynchronously, or else
   * returns a promise. Failures are `DynamoDBStoreError`s. An expired session is absent, whether DynamoDB has
   * swept its item or not. Capacity units below are per started 4 KB read or 1 KB written.
   *
   * The class extends the `Store` of the app's express-session, or EventEmitter where there is none.
   *
   * @fires missing a {@link MissingEvent}: a touched session is not there, which is no error
   * @fires corrupt a {@link DynamoDBStoreError}: an item was read that holds no session; `get` gives null
   * @fires disconnect with the option `offlineAfter`: the service does not answer any more
   * @fires connect with the option `offlineAfter`: it answers again
   */
  // oxlint-disable-next-line typescript/no-unsafe-declaration-merging
  class DynamoDBStore<Session extends Record<string, any> = any> extends EventEmitter {
    /**
     * Makes a store without any I/O: what fails, fails the operations.
     *
     * @throws DynamoDBStoreError with code `ConfigError` for options that are unknown, wrong or contradictory
     */
    constructor(options?: NativeStoreOptions)

    /** A touched session is not there or has expired, which is no error. */
    on(event: 'missing', listener: (event: MissingEvent) => void): this
    /** An item was read that holds no session; `get` gives null. */
    on(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
    /** With the option `offlineAfter`: the service does not answer any more, or answers again. */
    on(event: 'disconnect' | 'connect', listener: () => void): this
    on(event: string | symbol, listener: (...args: any[]) => void): this
    /** A touched session is not there or has expired, which is no error. */
    once(event: 'missing', listener: (event: MissingEvent) => void): this
    /** An item was read that holds no session; `get` gives null. */
    once(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
    /** With the option `offlineAfter`: the service does not answer any more, or answers again. */
    once(event: 'disconnect' | 'connect', listener: () => void): this
    once(event: string | symbol, listener: (...args: any[]) => void): this

    /** The JavaScript client that was given as an option. */
    readonly client: JavaScriptClient | undefined

    /**
     * Reads a session; null when there is none. One GetItem: a read unit, half with `consistentRead: false`.
     * An id that no key can hold (empty, over 2048 bytes with the prefix) has no session, at no cost.
     */
    get(sid: string, callback: ValueCallback<any>): void
    get(sid: string, maxAge?: number | 'session', context?: KoaContext): Promise<any>

    /**
     * Writes a session whole. One PutItem: a write unit.
     *
     * @param maxAge koa-session's: milliseconds to live, or `'session'` for the default lifetime
     */
    set(sid: string, session: object, callback: DoneCallback | undefined): void
    set(sid: string, session: object, maxAge?: number | 'session', context?: KoaContext): Promise<void>

    /**
     * Moves a session's expiry, and nothing else. No request within `touchAfter` seconds of the last write; else
     * one UpdateItem: a write unit. The expiry becomes earlier only if the request changed the session's lifetime.
     * A session that is gone stays gone: that emits `missing`.
     */
    touch(sid: string, session: object, callback: DoneCallback | undefined): void
    touch(sid: string, session: object): Promise<void>

    /** Deletes a session, whether it is there or not. One DeleteItem: a write unit. */
    destroy(sid: string, callback: DoneCallback | undefined): void
    destroy(sid: string, context?: KoaContext): Promise<void>

    /**
     * All sessions that are alive, each with its id as the non-enumerable property `id`. Scans the table: read
     * units for all that it holds, and all sessions in memory at once.
     */
    all(callback: ValueCallback<any[]>): void
    all(): Promise<any[]>

    /** The ids of all sessions that are alive. Scans the table: read units for all that it holds. */
    ids(callback: ValueCallback<string[]>): void
    ids(): Promise<string[]>

    /** The number of sessions that are alive. Scans the table: read units for all that it holds. */
    length(callback: ValueCallback<number>): void
    length(): Promise<number>

    /**
     * Deletes all sessions with the store's prefix, page by page; without a prefix, all items that have a session
     * attribute. Scans the table, and a write unit for each session.
     */
    clear(callback: DoneCallback): void
    clear(): Promise<void>

    /**
     * Creates the table as the option `createTable` says unless it exists, waits until it is ACTIVE, enables its time
     * to live if it was created, and describes it. Fails with a `ConfigError` if the table exists with another key.
     */
    createTable(callback: ValueCallback<TableDescription>): void
    createTable(): Promise<TableDescription>

    /** Describes the table. DescribeTable and DescribeTimeToLive, which cost nothing. */
    describeTable(callback: ValueCallback<TableDescription>): void
    describeTable(): Promise<TableDescription>

    /** Counts what the store has done so far. No I/O. */
    stats(): StoreStats

    /**
     * Closes the idle connections. Operations under way finish; later ones fail with code `ClosedError`. There is
     * no need to close a store before the process ends.
     */
    close(callback: DoneCallback): void
    close(): Promise<void>

    /** express-session's. */
    createSession(request: any, session: any): any
    /** express-session's. */
    regenerate(request: any, callback: (error?: any) => any): void
    /** express-session's. */
    load(sid: string, callback: (error: any, session?: any) => any): void
  }

  /**
   * Installed as connect-dynamodb, this package gives the type `DynamoDBStore` the meaning that it has there: a store
   * of the factory, and the class of such stores.
   */
  interface DynamoDBStore<Session extends Record<string, any> = any> extends MembersUnderAlias<Session> {}

  /** A failed operation, or an option that cannot be meant. Its message holds no session id, data or secret. */
  class DynamoDBStoreError extends Error {
    private constructor()
    /** The same as `code`. */
    name: string
    /**
     * The name of the AWS exception, such as `'ResourceNotFoundException'`, or one of ours: `'ClosedError'`,
     * `'ConfigError'`, `'CorruptItemError'`, `'CredentialsError'`, `'InternalError'`, `'InvalidSessionIdError'`,
     * `'NetworkError'`, `'OverloadedError'`, `'SerializationError'`, `'TimeoutError'`, or `'UnknownServiceError'` where
     * the service names none.
     */
    code: string
    /** Who is to blame: the request, or the service and the way to it. */
    $fault: 'client' | 'server'
    /** About the answer of the service. */
    $metadata: {
      /** HTTP status of the last answer; undefined when there was none. */
      httpStatusCode: number | undefined
      /** The id under which AWS support finds the request. */
      requestId: string | undefined
      /** Requests that were sent; of operations of the whole table 1 if the service answered. */
      attempts: number
    }
    /** Whether the same operation may succeed later. False for refused credentials that cannot change. */
    retryable: boolean
    /** Which limits were exceeded, on throttling errors for which the service says so. */
    throttlingReasons?: ThrottlingReason[]
    /** The DynamoDB operation, such as `'GetItem'`. */
    operation: string | undefined
    /** Name of the table. */
    tableName: string | undefined
    /** The error beneath, such as what a credentials function threw. */
    cause?: unknown
  }
}
