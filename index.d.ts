import { EventEmitter } from 'node:events'
import ConnectDynamoDB = require('./lib/compat/connect-dynamodb')

// @ts-ignore: resolves only if this package is installed as connect-dynamodb; otherwise it is `any`.
type EntryUnderAlias = typeof import('connect-dynamodb/connect-dynamodb')
type MembersUnderAlias<Session extends Record<string, any>> = 0 extends 1 & EntryUnderAlias
  ? {}
  : ConnectDynamoDB.FactoryMembers<Session>

export = connectDynamoDB

/**
 * The factory function of connect-dynamodb: takes a session package and returns a store class for it. Because the
 * package itself is this function, you can install it under the name connect-dynamodb. The same function is exported by
 * `dynamodb-session/connect-dynamodb`.
 */
declare function connectDynamoDB<Session extends Record<string, any> = Record<string, unknown>>(
  connect: ConnectDynamoDB.SessionPackage | { session: ConnectDynamoDB.SessionPackage }
): ConnectDynamoDB.DynamoDBStore<Session>

declare namespace connectDynamoDB {
  /** The factory function, as a named export. */
  const connectDynamoDB: typeof ConnectDynamoDB

  /** The extra argument that koa-session passes to the store. Pass it in your own calls too. */
  interface KoaContext {
    /**
     * The context of the request, or any other object that stands for it. Connects the `set` of a request with its
     * `get`. Passed by koa-session 6.1 and later.
     */
    ctx?: unknown
    /** Whether the session changed. Not used: the store compares the session with the one that the request read. */
    changed?: boolean
    /** Whether koa-session saves the session on every request. Not used. */
    rolling?: boolean
  }

  /** Callback of an operation without a result: receives the error, or no error on success. */
  type DoneCallback = (error?: any) => void
  /** Callback of an operation with a result: receives `(null, value)` on success, or `(error)`. */
  type ValueCallback<T> = (error: any, value?: T) => void

  /** AWS credentials to sign requests with. */
  interface Credentials {
    /** Access key ID. */
    accessKeyId: string
    /** Secret access key. */
    secretAccessKey: string
    /** Session token of temporary credentials. Default: none. */
    sessionToken?: string
    /**
     * AWS account ID of the credentials. If it is set, requests go to the account's own host,
     * `<account>.ddb.<region>.amazonaws.com`, as with the AWS SDKs. Default: none.
     */
    accountId?: string
    /** When the credentials expire. A credentials function is called again before that. Default: never. */
    expiration?: Date
  }

  /** A session field that is also written to its own attribute of the item, for example for a secondary index. */
  interface SpecialKey {
    /** Name of the session field and of the attribute. If a session lacks the field, its item lacks the attribute. */
    name: string
    /**
     * Type of the attribute: string, number, Boolean, or binary. `S` also accepts numbers and dates, `N` also accepts
     * numeric strings, and `B` also accepts strings. With any other value, `set` fails with a `SerializationError`.
     */
    type: 'S' | 'N' | 'BOOL' | 'B'
  }

  /** Settings of a table that the store creates. */
  interface CreateTableOptions {
    /** Billing mode. Default: on-demand (`'PAY_PER_REQUEST'`), or `'PROVISIONED'` if you set capacity units. */
    billingMode?: 'PAY_PER_REQUEST' | 'PROVISIONED'
    /** Provisioned read capacity units. Default: 5 with `billingMode: 'PROVISIONED'`. */
    readCapacityUnits?: number
    /** Provisioned write capacity units. Default: 5 with `billingMode: 'PROVISIONED'`. */
    writeCapacityUnits?: number
    /** Whether to enable DynamoDB's time to live (TTL) on the expiry attribute. Default: true. */
    ttl?: boolean
    /** Tags to add to the table. Default: none. */
    tags?: Record<string, string>
  }

  /** A DynamoDB client of the AWS SDK for JavaScript: `DynamoDBClient` of v3, or `AWS.DynamoDB` of v2. */
  type JavaScriptClient = {
    /** The client's configuration, from which the store takes its settings. */
    readonly config: object
  } & (
    | {
        /** Identifies a v3 client. Not called. */
        send(...args: any[]): any
      }
    | {
        /** Identifies a v2 client. Not called. */
        makeRequest(...args: any[]): any
      }
  )

  /**
   * Merges a field of a session that two requests have changed. Called during a `set`, for each such top-level field,
   * even if both values are equal. Not called for `cookie`. Must be synchronous: a promise is a `ConfigError`. An error
   * that it throws is the error of the `set`. The values are parsed from JSON. The function may change them: they are
   * copies.
   *
   * @param field name of the field
   * @param base value that the request of this `set` read; undefined if there was none
   * @param theirs value that is stored now; undefined if the other request deleted the field
   * @param mine value that this `set` writes; undefined if its request deleted the field
   * @returns the value to store; undefined to delete the field
   */
  type ConflictResolver = (field: string, base: any, theirs: any, mine: any) => any

  /** A key that encrypts sessions. */
  interface EncryptionKey {
    /** ID of the key, stored with each session: 1 to 64 letters, digits, and the characters `_ . : / -`. */
    id: string
    /** The key: 32 random bytes, as a Buffer or in base64. */
    key: Uint8Array | string
  }

  /** A function that returns the keys, for example from AWS Secrets Manager. */
  type EncryptionKeyFunction = () => EncryptionKey[] | Promise<EncryptionKey[]>

  /** How a store encrypts sessions. */
  interface EncryptionOptions {
    /**
     * The keys, or a function that returns them. The first key encrypts, and all of them decrypt. The store calls the
     * function at the first operation that needs a key, after `refreshAfter`, for `idsOf` and `destroyAllOf`, and for sessions
     * with an unknown key ID: at most once per second, and less often while the key remains unknown, down to once per minute.
     */
    keys: EncryptionKey[] | EncryptionKeyFunction
    /**
     * Whether `set` encrypts sessions. With false, the store reads encrypted sessions, but writes them without
     * encryption, and `acceptPlain` is true. Default: true.
     */
    write?: boolean
    /**
     * Whether the store also reads sessions that are not encrypted. Without it, such a session does not exist for the store,
     * which emits `corrupt`. Set it only while you introduce encryption. Default: false.
     */
    acceptPlain?: boolean
    /**
     * Age in seconds at which the store calls the function again, in the background. Until the function succeeds, the store
     * uses the keys that it has. Default: 300.
     */
    refreshAfter?: number
  }

  /** Options of a store. All are optional. */
  interface NativeStoreOptions {
    /** Name or ARN of the table. Default: `'sessions'`. */
    table?: string
    /** Name of the table's partition key, an attribute of type `S`. Default: `'id'`. */
    hashKey?: string
    /**
     * Name of the table's sort key, an attribute of type `S`. The store writes the same value to it as to the partition
     * key. Default: none.
     */
    sortKey?: string
    /**
     * Prefix of the session ID in the key. If several stores share a table, no prefix may be the beginning of
     * another: a store with `sess:` also lists and clears the sessions of `sess:admin:`. Default: `'sess:'`.
     */
    prefix?: string
    /**
     * AWS Region. Default: the Region of the table's ARN, then `AWS_REGION`, then `AWS_DEFAULT_REGION`, then the Region
     * of the profile.
     */
    region?: string
    /**
     * URL of the service, for example of DynamoDB Local. Must start with http:// or https://. With a query string in
     * the URL, operations fail with a `ConfigError`. Default: the endpoint URL of the environment, then that of the
     * profile, then the endpoint of the Region.
     */
    endpoint?: string
    /**
     * Profile to use from the shared AWS config files. Credentials from a profile set here take precedence over keys in
     * the environment. Default: `AWS_PROFILE`, then `'default'`.
     */
    profile?: string
    /**
     * AWS credentials, or a function that returns them. Operations that wait for credentials share one call of the
     * function. The store calls it again five minutes before `expiration`, or, for credentials that live less than 50
     * minutes, when a tenth of their lifetime remains. Default: the AWS default credentials chain.
     */
    credentials?: Credentials | (() => Credentials | Promise<Credentials>)
    /**
     * A client of the AWS SDK for JavaScript. The store uses its Region, endpoint, credentials, number of attempts, and
     * timeouts, but does not send requests through it. Cannot be combined with `region`, `endpoint`, `profile`, or
     * `credentials`. Default: none.
     */
    client?: JavaScriptClient
    /**
     * Lifetime of a session after a write or touch, in seconds, or a function that returns it. Default: the `maxAge` of
     * the session's cookie, or one day if it has none.
     */
    ttl?: number | ((session: any) => number)
    /**
     * Minimum number of seconds between two writes of a session's expiry. Within that interval, `touch` sends no
     * request, and neither does a `set` that changes nothing, unless `onConflict` is `'overwrite'`. Set it to 0 to
     * write on every touch. It must be less than the lifetime: if `ttl` is a number and `touchAfter` is not less, the
     * constructor throws a `ConfigError`; otherwise the default applies to a session whose lifetime is not greater. If
     * you wrap the store, forward `createSession` too; otherwise every touch may write. Default: one tenth of the
     * session's lifetime, up to 3600.
     */
    touchAfter?: number
    /**
     * Whether to turn `touch` off. A session then expires one lifetime after its last change, even if it is in use.
     * Default: false.
     */
    disableTouch?: boolean
    /**
     * Whether reads are strongly consistent. Eventually consistent reads (`false`) cost half as much, but may miss a
     * very recent write. `'on-miss'` sends an eventually consistent read and repeats it as a strongly consistent read
     * if no session was found. Default: true.
     */
    consistentRead?: boolean | 'on-miss'
    /**
     * What `set` does if another request has changed the session since this request read it:
     *
     * - `'merge'` keeps the changes of both. If both changed the same top-level field, this request's value wins.
     * - A function merges as `'merge'` does, and returns the value of each top-level field that both changed.
     * - `'fail'` fails with a `ConflictError`.
     * - `'overwrite'` replaces the whole session, as if nobody had changed it.
     *
     * With all but `'overwrite'`, `set` does not write a session that has ended, and emits `missing` instead. Takes
     * effect for sessions that express-session, koa-session 6.1 or later, or @fastify/session read and write. Default:
     * `'merge'`, or `'overwrite'` for the compatible stores.
     */
    onConflict?: 'merge' | 'overwrite' | 'fail' | ConflictResolver
    /**
     * Encrypts sessions with AES-256-GCM, with these options or with the keys that a function returns. Your app gets an
     * `EncryptionKeyError` while a key is unknown. An encrypted session that was changed, or moved to a different item, does
     * not exist for the store, which emits `corrupt`. Cannot be combined with `format: 'map'`. Default: none.
     */
    encryption?: EncryptionOptions | EncryptionKeyFunction
    /**
     * Where the session has its user: the path of a field, such as `'passport.user'`, or a function that takes the
     * session. The user is a string or a number; a session without one is not found by `idsOf`, and with any other value,
     * `set` fails with a `ConfigError`. Written to an attribute that has a secondary index, and hashed if `encryption` is
     * set. Default: none.
     */
    user?: string | ((session: any) => string | number | null | undefined)
    /**
     * Whether to compress sessions where that saves a write unit. With `encryption`, the length of a session then reveals
     * whether texts in it are similar. If your users cannot put text next to a secret in a session, set
     * `{ withEncryption: true }`. The store reads compressed sessions without this option too. Cannot be combined with
     * `format: 'map'`. Default: false.
     */
    compression?:
      | boolean
      | {
          /** Whether to compress sessions although they are encrypted. Default: false. */
          withEncryption?: boolean
        }
    /**
     * Seconds after the creation of a session at which it ends, even if it is in use. A session that existed before starts
     * when the store first writes it. `req.session.regenerate()` creates a new session. Default: none.
     */
    maxLifetime?: number
    /**
     * Whether to store a SHA-256 hash of each session ID instead of the ID. Use it with a new table: the store does not find
     * sessions that were stored under their IDs, but the command `migrate` moves them. Session IDs must have at least 16
     * bytes. Default: false.
     */
    hashIds?: boolean
    /**
     * Format in which sessions are written: JSON text, which can hold any JSON value, or a DynamoDB map, which other
     * programs can query. A map cannot hold empty names, more than 32 levels, or numbers outside 1e-130 to 1e126. The
     * store reads both formats. Default: `'json'`.
     */
    format?: 'json' | 'map'
    /** Names of the item's attributes. */
    attributes?: {
      /** Attribute that holds the session. Default: `'sess'`. */
      session?: string
      /**
       * Attribute that holds the expiry in whole seconds since 1970. Use it as the table's time to live attribute.
       * Default: `'expires'`.
       */
      expires?: string
      /** Attribute that holds the user of the session, if you set `user`. Default: `'user'`. */
      user?: string
      /**
       * Attribute that holds when the session was created, in whole seconds since 1970, if you set `maxLifetime`. Default:
       * `'created'`.
       */
      created?: string
    }
    /** Session fields that are also written to their own attributes. Empty values are omitted. Default: none. */
    specialKeys?: SpecialKey[]
    /**
     * Whether the store creates the table when an operation finds that it does not exist. An existing table is never
     * modified. With the `user` option, the new table has the index. Default: false; operations on a missing table fail with
     * `ResourceNotFoundException`.
     */
    createTable?: boolean | CreateTableOptions
    /** Time limit to establish a connection, including TLS, in milliseconds. Default: 1000. */
    connectTimeout?: number
    /** Time limit of one attempt, including the connection, in milliseconds. Default: 3000. */
    attemptTimeout?: number
    /**
     * Time limit of a whole operation, in milliseconds: fetching credentials, all attempts, the pauses between them,
     * and the repetitions of a `set` that collides with other requests. The time to create a missing table does not
     * count. Default: 10000.
     */
    timeout?: number
    /**
     * Maximum number of attempts of one operation, including the first. An attempt that is repeated because the server
     * had closed the connection does not count, and neither does a backup read. Default: `AWS_MAX_ATTEMPTS`, then 3.
     */
    maxAttempts?: number
    /**
     * Maximum number of connections of this store, and therefore of concurrent requests. Further operations wait for a
     * free connection. Default: 50.
     */
    maxConnections?: number
    /**
     * Maximum number of operations in progress, including those that wait for a connection. Further operations fail
     * immediately with an `OverloadedError`. Default: 10000.
     */
    maxPending?: number
    /**
     * After this many consecutive operations get no response, the store emits `disconnect`. The store then probes the
     * service, with pauses of 0.5 to 30 seconds, and emits `connect` on the first response.
     * While a store is disconnected, express-session lets requests through without a session. Default: none; the store
     * never emits `disconnect`.
     */
    offlineAfter?: number
  }

  /**
   * Options of a store, plus the options of connect-dynamodb, which exports a type of this name. `new DynamoDBStore()`
   * rejects the options that only connect-dynamodb has.
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

  /** The name of `SpecialKey` in connect-dynamodb. */
  type DynamoDBStoreOptionsSpecialKey = SpecialKey

  /** The error that callbacks of connect-dynamodb's store receive. */
  type CallbackError = ConnectDynamoDB.CallbackError

  /** Counters of a store since it was created. */
  interface StoreStats {
    /**
     * Number of operations by API action, such as `GetItem`. An operation counts once, even if it sends several
     * requests. `all`, `ids`, and `length` count as `Scan`, and `clear` counts as `BatchWriteItem`.
     */
    operations: Record<string, number>
    /** Number of errors by error code, including errors for which no request was sent. */
    errors: Record<string, number>
    /** Number of attempts after the first, without the repetitions of a `set` that collides with other requests. */
    retries: number
    /** Number of throttling errors that the service returned, whether or not a retry succeeded. */
    throttles: number
    /** Number of throttling reasons by name, such as `TableReadKeyRangeThroughputExceeded`. */
    throttlingReasons: Record<string, number>
    /**
     * Number of touches that sent no request because of `touchAfter`. Includes saves of express-session that changed
     * nothing: they do what a touch does.
     */
    touchesSaved: number
    /**
     * Number of other saves that sent no request because nothing had changed. Always 0 with `onConflict: 'overwrite'`.
     */
    setsSaved: number
    /** Number of saves that were merged with the changes of another request. */
    merges: number
    /** Number of saves with a field that another request had also changed; see {@link ConflictEvent}. */
    conflicts: number
    /** Number of saves and touches of a session that had ended; see {@link MissingEvent}. */
    missing: number
    /** Sizes of request and response bodies, in bytes. */
    bytes: {
      /** Bytes of request bodies, for every attempt. */
      sent: number
      /** Bytes of response bodies. */
      received: number
    }
    /** Number of operations in progress. */
    inFlight: number
    /** Number of reads that were sent again because a previously idle connection returned no response. */
    backupReads: number
    /** Number of reads of sessions that are not encrypted. Always 0 without the `encryption` option. */
    plainReads: number
    /** Connections of the store. */
    pool: {
      /** Number of open connections. */
      open: number
      /** Number of open connections that are not in use. */
      idle: number
    }
    /** DNS failures. */
    dns: {
      /** Number of lookups that failed or returned no address. */
      failures: number
      /** Number of connections that used a remembered address because DNS failed or took too long. */
      fallbacks: number
    }
  }

  /** Options of `destroyAllOf`. */
  interface DestroyAllOptions {
    /** ID of a session to keep, or IDs. Default: none. */
    except?: string | string[]
  }

  /** Why DynamoDB throttled a request. */
  interface ThrottlingReason {
    /**
     * The resource, operation, and limit, such as `'TableReadKeyRangeThroughputExceeded'`,
     * `'TableWriteAccountLimitExceeded'`, or `'TableReadMaxOnDemandThroughputExceeded'`.
     */
    reason?: string
    /** ARN of the table or index. */
    resource?: string
  }

  /** Message of the tracing channel `dynamodb-session:operation` about one operation. */
  interface OperationTrace {
    /** The DynamoDB operation, such as `'GetItem'`. */
    operation: string
    /** Name of the table, or its ARN if the `table` option is an ARN. */
    tableName: string
    /**
     * AWS Region. Like the server, set at the end of the first operation that is traced, and at the start of later ones.
     * Undefined if the store could not read its AWS settings.
     */
    region?: string
    /** Host that the requests go to. */
    serverAddress?: string
    /** Port that the requests go to. */
    serverPort?: number
    /** Duration in milliseconds. Like the members below, set at `asyncEnd` and `error`. */
    durationMs?: number
    /**
     * Number of requests sent, including those of a `set` that collides with other requests. Undefined for operations
     * that scan, query, create, or describe the table, which send several requests.
     */
    attempts?: number
    /**
     * HTTP status code of the last response, or null if there was no response. Undefined for the same operations as
     * `attempts`.
     */
    statusCode?: number | null
    /**
     * AWS request ID of the last response, or null if there was no response. Undefined for the same operations as
     * `attempts`.
     */
    requestId?: string | null
    /**
     * Capacity units that the service reported, or null if it reported none. Failed conditions also cost units, but are
     * not reported. Undefined for the same operations as `attempts`.
     */
    capacityUnits?: number | null
    /**
     * Whether the last read was strongly consistent, or null if the operation did not read. Undefined for the same
     * operations as `attempts`.
     */
    consistentRead?: boolean | null
    /** The error, if the operation failed: a `DynamoDBStoreError`, or what your `onConflict` function threw. */
    error?: DynamoDBStoreError | Error
  }

  /**
   * DynamoDB's description of a table, with its time to live if the server supports DescribeTimeToLive and your IAM
   * policy allows it.
   */
  interface TableDescription {
    /** Name of the table. */
    TableName?: string
    /** Status of the table; `'ACTIVE'` when you can use it. */
    TableStatus?: string
    /** When the table was created. */
    CreationDateTime?: Date
    /** Number of items, including expired ones. DynamoDB updates it about every six hours. */
    ItemCount?: number
    /** Time to live settings of the table. */
    TimeToLiveDescription?: TimeToLiveDescription
    /** Other members of the service's response. */
    [name: string]: any
  }

  /** DynamoDB's description of a table's time to live. */
  interface TimeToLiveDescription {
    /** Status of time to live; `'ENABLED'` when DynamoDB deletes expired items. */
    TimeToLiveStatus?: string
    /** Attribute that holds the expiry. */
    AttributeName?: string
  }

  /** Argument of the event `missing`: a session that a `set` or `touch` did not find, because it has ended. */
  interface MissingEvent {
    /** The method that did not find the session. */
    operation: 'set' | 'touch'
    /** Name of the table. */
    tableName: string
    /** A short hash of the session ID, which distinguishes IDs without revealing them. */
    sidHash: string
  }

  /** Argument of the event `conflict`: a save with fields that another request had also changed. */
  interface ConflictEvent {
    /** The method that found the conflict. */
    operation: 'set'
    /** Name of the table. */
    tableName: string
    /** A short hash of the session ID, which distinguishes IDs without revealing them. */
    sidHash: string
    /**
     * Names of the top-level fields that both requests changed: to different values, or to any values if `onConflict`
     * is a function. `cookie` stands for a setting of the session's cookie, such as its lifetime.
     */
    fields: string[]
  }

  /**
   * Stores the sessions of an Express, Koa, or Fastify app in DynamoDB.
   *
   * Every operation accepts a callback as its last argument and calls it once, asynchronously. Without a callback, the
   * operation returns a promise. Errors are `DynamoDBStoreError`s. The store treats an expired session as absent,
   * whether or not DynamoDB has deleted its item. Costs below are per 4 KB read or 1 KB written, rounded up.
   *
   * The class extends the `Store` of your app's express-session, or `EventEmitter` if express-session is not installed.
   *
   * @fires missing with a {@link MissingEvent}: a session to save or touch has ended. This is not an error.
   * @fires conflict with a {@link ConflictEvent}: two requests have changed the same fields. This is not an error.
   * @fires corrupt with a {@link DynamoDBStoreError}: an item does not contain a valid session. `get` returns null for
   * it, and `set` overwrites it.
   * @fires disconnect if the `offlineAfter` option is set: the service no longer responds
   * @fires connect if the `offlineAfter` option is set: the service responds again
   */
  // oxlint-disable-next-line typescript/no-unsafe-declaration-merging
  class DynamoDBStore<Session extends Record<string, any> = any> extends EventEmitter {
    /**
     * Creates a store. The constructor performs no I/O; connection and credentials errors are reported by the
     * operations.
     *
     * @throws DynamoDBStoreError with code `ConfigError` for unknown, invalid, or conflicting options
     */
    constructor(options?: NativeStoreOptions)

    /** A session to save or touch does not exist or has expired. This is not an error. */
    on(event: 'missing', listener: (event: MissingEvent) => void): this
    /** Two requests have changed the same fields of a session. This is not an error. */
    on(event: 'conflict', listener: (event: ConflictEvent) => void): this
    /** An item does not contain a valid session. `get` returns null for it. */
    on(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
    /** If the `offlineAfter` option is set: the service no longer responds, or responds again. */
    on(event: 'disconnect' | 'connect', listener: () => void): this
    on(event: string | symbol, listener: (...args: any[]) => void): this
    /** A session to save or touch does not exist or has expired. This is not an error. */
    once(event: 'missing', listener: (event: MissingEvent) => void): this
    /** Two requests have changed the same fields of a session. This is not an error. */
    once(event: 'conflict', listener: (event: ConflictEvent) => void): this
    /** An item does not contain a valid session. `get` returns null for it. */
    once(event: 'corrupt', listener: (error: DynamoDBStoreError) => void): this
    /** If the `offlineAfter` option is set: the service no longer responds, or responds again. */
    once(event: 'disconnect' | 'connect', listener: () => void): this
    once(event: string | symbol, listener: (...args: any[]) => void): this

    /** The client that you passed as the `client` option. */
    readonly client: JavaScriptClient | undefined

    /**
     * Reads a session. Returns null if the session does not exist or has expired.
     *
     * Cost: one GetItem, which uses one read unit, or half a unit with `consistentRead: false`. An ID that is
     * empty, is too long for a key, or contains unpaired surrogates never matches a session and sends no request. A key
     * has up to 2,048 bytes including the prefix, or up to 1,024 bytes if you set `sortKey`.
     */
    get(sid: string, callback: ValueCallback<any>): void
    get(sid: string, maxAge?: number | 'session', context?: KoaContext): Promise<any>

    /**
     * Creates a session, or saves the changes of a request to it. If a session middleware read the session and another
     * request has changed it since, the `onConflict` option decides what is stored. If the session has ended since,
     * `set` writes nothing and emits `missing`. In your own calls, this works if you pass the same `ctx` to `get` and
     * `set`. Otherwise, the object is stored as it is, and replaces the stored session.
     *
     * Cost: one PutItem, which uses one write unit; a further one each time another request has changed the session in
     * the meantime. No request if nothing has changed within `touchAfter` seconds of the last write.
     *
     * @param maxAge lifetime in milliseconds as koa-session passes it, or `'session'` for the default lifetime
     */
    set(sid: string, session: object, callback: DoneCallback | undefined): void
    set(sid: string, session: object, maxAge?: number | 'session', context?: KoaContext): Promise<void>

    /**
     * Extends a session's expiry without writing its data. Moves the expiry to an earlier time only if the request
     * changed the session's lifetime. If the session does not exist, the store emits `missing` and does not create it.
     * If an Express request changed the lifetime, `touch` does what `set` does, unless `onConflict` is `'overwrite'`.
     *
     * Cost: no request within `touchAfter` seconds of the last write; otherwise one UpdateItem, which uses one write
     * unit. One PutItem instead if it does what `set` does.
     */
    touch(sid: string, session: object, callback: DoneCallback | undefined): void
    touch(sid: string, session: object): Promise<void>

    /**
     * Deletes a session. Succeeds if the session does not exist.
     *
     * Cost: one DeleteItem, which uses one write unit.
     */
    destroy(sid: string, callback: DoneCallback | undefined): void
    destroy(sid: string, context?: KoaContext): Promise<void>

    /**
     * Returns all sessions that have not expired, each with its ID in the non-enumerable property `id`. Loads all of
     * them into memory.
     *
     * Cost: scans the whole table, which uses read units for every item.
     */
    all(callback: ValueCallback<any[]>): void
    all(): Promise<any[]>

    /**
     * Returns the IDs of all sessions that have not expired.
     *
     * Cost: scans the whole table, which uses read units for every item.
     */
    ids(callback: ValueCallback<string[]>): void
    ids(): Promise<string[]>

    /**
     * Returns the IDs of a user's sessions. Requires the `user` option. May include sessions that have expired, until DynamoDB
     * deletes their items, and miss sessions of the last second. With `hashIds`, the IDs are hashed.
     *
     * Cost: one Query for each key of `encryption`, which uses half a read unit per 4 KB of the index: about 50 sessions.
     */
    idsOf(user: string | number, callback: ValueCallback<string[]>): void
    idsOf(user: string | number): Promise<string[]>

    /**
     * Deletes all sessions of a user, except those with the IDs in `except`. Returns the number of sessions that were deleted.
     * Requires the `user` option. Queries the index again until it no longer shows the sessions; if it still does after
     * `timeout`, fails with a `TimeoutError`.
     *
     * Cost: two or more of the queries of `idsOf`, and one write unit per KB of each session, plus one for the index.
     */
    destroyAllOf(user: string | number, options: DestroyAllOptions, callback: ValueCallback<number>): void
    destroyAllOf(user: string | number, callback: ValueCallback<number>): void
    destroyAllOf(user: string | number, options?: DestroyAllOptions): Promise<number>

    /**
     * Returns the number of sessions that have not expired.
     *
     * Cost: scans the whole table, which uses read units for every item.
     */
    length(callback: ValueCallback<number>): void
    length(): Promise<number>

    /**
     * Deletes all sessions whose key starts with the store's prefix, page by page. If the prefix is empty, deletes all
     * items that have the session attribute.
     *
     * Cost: scans the whole table, and uses one write unit for each deleted session.
     */
    clear(callback: DoneCallback): void
    clear(): Promise<void>

    /**
     * Creates the table if it does not exist, with the settings of the `createTable` option. Waits until the table is
     * ACTIVE, enables time to live on a table that it created, and returns the table's description. Fails with a
     * `ConfigError` if the table exists with a different key.
     */
    createTable(callback: ValueCallback<TableDescription>): void
    createTable(): Promise<TableDescription>

    /**
     * Returns the table's description.
     *
     * Cost: DescribeTable and DescribeTimeToLive, which are free.
     */
    describeTable(callback: ValueCallback<TableDescription>): void
    describeTable(): Promise<TableDescription>

    /**
     * Prepares the store for its first operation: resolves the Region, the credentials, and the encryption keys, opens a
     * connection, and reads a session that does not exist. Fails as the first `get` would fail, so you can also use it to check
     * whether the store is ready. Creates a missing table if the `createTable` option is set. The store does not reuse a
     * connection that was idle for more than 50 seconds.
     *
     * Cost: one eventually consistent GetItem, which uses half a read unit.
     */
    warm(callback: DoneCallback): void
    warm(): Promise<void>

    /** Returns the store's counters. Sends no request. */
    stats(): StoreStats

    /**
     * Closes the store and its idle connections. Operations in progress finish; later operations fail with a
     * `ClosedError`. You do not need to close a store before the process exits.
     */
    close(callback: DoneCallback): void
    close(): Promise<void>

    /** Method of express-session's `Store`. */
    createSession(request: any, session: any): any
    /** Method of express-session's `Store`. */
    regenerate(request: any, callback: (error?: any) => any): void
    /** Method of express-session's `Store`. */
    load(sid: string, callback: (error: any, session?: any) => any): void
  }

  /**
   * If this package is installed under the alias connect-dynamodb, `DynamoDBStore` is also the type of
   * connect-dynamodb's stores and of their class.
   */
  interface DynamoDBStore<Session extends Record<string, any> = any> extends MembersUnderAlias<Session> {}

  /**
   * Error of a failed operation or an invalid option. Its message never contains a session ID, session data, or a
   * secret.
   */
  class DynamoDBStoreError extends Error {
    private constructor()
    /** The same as `code`. */
    name: string
    /**
     * The name of the AWS exception, such as `'ResourceNotFoundException'`, or one of the store's own codes:
     * `'ClosedError'`, `'ConfigError'`, `'ConflictError'`, `'CorruptItemError'`, `'CredentialsError'`,
     * `'EncryptionKeyError'`, `'InternalError'`, `'InvalidSessionIdError'`, `'NetworkError'`, `'OverloadedError'`, `'SerializationError'`,
     * `'TimeoutError'`, or `'UnknownServiceError'` if the service returns an error without a name.
     */
    code: string
    /** Where the error originates: `'client'` for the request, `'server'` for the service or the network. */
    $fault: 'client' | 'server'
    /** Metadata of the service's response. */
    $metadata: {
      /** HTTP status code of the last response, or undefined if there was no response. */
      httpStatusCode: number | undefined
      /** Request ID for AWS Support. */
      requestId: string | undefined
      /** Number of requests sent. For operations on the whole table, 1 if the service responded. */
      attempts: number
    }
    /** Whether the same operation may succeed later. False for rejected credentials that cannot change. */
    retryable: boolean
    /** The limits that were exceeded, on throttling errors that include them. */
    throttlingReasons?: ThrottlingReason[]
    /** The DynamoDB operation, such as `'GetItem'`. */
    operation: string | undefined
    /** Name of the table. */
    tableName: string | undefined
    /** The underlying error, such as one that a credentials function threw. */
    cause?: unknown
  }
}
