import session = require('express-session')
import dynamodbSession = require('../../index')
import type { Version2Config } from './aws-v2'

export = ConnectDynamoDB

/**
 * Returns the store class for a session package: express-session, an object with express-session as its member
 * `session` (such as connect 2 and express 3), or any object with a `Store`.
 *
 * @throws TypeError if there is no `Store`
 */
declare function ConnectDynamoDB<Session extends Record<string, any> = Record<string, unknown>>(
  connect: ConnectDynamoDB.SessionPackage | { session: ConnectDynamoDB.SessionPackage }
): ConnectDynamoDB.DynamoDBStore<Session>

declare namespace ConnectDynamoDB {
  /** A package with the class that stores extend. */
  type SessionPackage = {
    /** The base class. */
    Store: abstract new (...args: any[]) => any
  }

  /** Options of connect-dynamodb 3 and 2, plus all options of this package. All are optional. */
  interface DynamoDBStoreOptions extends Omit<
    dynamodbSession.NativeStoreOptions,
    'client' | 'table' | 'prefix' | 'hashKey' | 'specialKeys'
  > {
    /**
     * A client of the AWS SDK for JavaScript, v3 or v2. The store uses its Region, endpoint, credentials, and number of
     * attempts, but does not send requests through it. Default: none; the store uses the environment.
     */
    client?: dynamodbSession.JavaScriptClient | null | false
    /** Name of the table. Default: `'sessions'`. */
    table?: string
    /** Prefix of the session ID in the key. Default: `'sess:'`. */
    prefix?: string | null
    /** Name of the table's partition key. Default: `'id'`. */
    hashKey?: string | null
    /**
     * What `set` does if another request has changed the session since this request read it. The original package
     * overwrites. For the other values, see `onConflict` of `DynamoDBStore`. Default: `'overwrite'`.
     */
    onConflict?: dynamodbSession.NativeStoreOptions['onConflict']
    /** Provisioned read capacity units of a table that the store creates. Default: 5. */
    readCapacityUnits?: number | string | null
    /** Provisioned write capacity units of a table that the store creates. Default: 5. */
    writeCapacityUnits?: number | string | null
    /** Session fields that are also written to their own attributes. Default: none. */
    specialKeys?: DynamoDBStoreOptionsSpecialKey[] | null
    /**
     * Whether `set` accepts sessions that lack a special key. If false, `set` fails for such sessions. Default: false.
     */
    skipThrowMissingSpecialKeys?: boolean | null
    /**
     * Interval between runs of `reap` in milliseconds, or 0 for none. A failed run emits `reapError`. Default: 0.
     *
     * @deprecated Enable the table's time to live on the attribute `expires` instead.
     */
    reapInterval?: number | null
    /** Whether the table exists. If true, the store never creates it. Default: false. */
    initialized?: boolean
    /**
     * Option of 2.x: AWS Region. Ignored with `client`, `AWSConfigPath`, or `AWSConfigJSON`. Default: the Region of the
     * environment.
     */
    AWSRegion?: string
    /**
     * Option of 2.x: JSON file with the settings of `AWSConfigJSON`. The constructor reads it. Ignored with `client`.
     */
    AWSConfigPath?: string
    /** Option of 2.x: configuration of the AWS SDK v2. Ignored with `client` or `AWSConfigPath`. */
    AWSConfigJSON?: Version2Configuration
  }

  /** Configuration of the AWS SDK for JavaScript v2. */
  type Version2Configuration = Version2Config

  /** A session field that is also written to its own attribute of the item. */
  interface DynamoDBStoreOptionsSpecialKey {
    /** Name of the session field and of the attribute. */
    name: string
    /** Type of the attribute. Lists and maps contain attribute values such as `{ S: 'text' }`. */
    type: 'B' | 'BOOL' | 'BS' | 'L' | 'M' | 'N' | 'NS' | 'NULL' | 'S' | 'SS'
  }

  /**
   * A store and, as in connect-dynamodb's own types, its class. Every operation accepts a callback as its last argument
   * and calls it once, asynchronously. Without a callback, the operation returns a promise.
   *
   * @fires missing with a MissingEvent: a session to save or touch has ended; this is not an error
   * @fires conflict with a ConflictEvent: two requests have changed the same fields; this is not an error
   * @fires corrupt with a DynamoDBStoreError: an item does not contain a valid session; `get` returns null for it
   * @fires reapError with a DynamoDBStoreError: a run of the reap timer failed
   */
  interface DynamoDBStore<Session extends Record<string, any> = Record<string, unknown>>
    extends session.Store, FactoryMembers<Session> {
    /** The client that you passed as an option. */
    readonly client: any

    /**
     * Reads a session. Returns null if it does not exist or has expired. Cost: one GetItem, which uses one read unit.
     */
    get(sid: string, callback: (error: CallbackError, session?: any) => void): void
    get(sid: string): Promise<(Session & session.SessionData) | null>
    /** Creates a session or replaces it entirely. Cost: one PutItem, which uses one write unit. */
    set(sid: string, session: object, callback: ((error?: CallbackError) => void) | undefined): void
    set(sid: string, session: object): Promise<void>
    /** Extends the expiry of an existing session and returns it. Cost: one UpdateItem, which uses one write unit. */
    touch(sid: string, session: object, callback: ((error: CallbackError, touched?: any) => void) | undefined): void
    touch(sid: string, session: object): Promise<Touched>
    // Makes the store assignable to the native type, which it is if the package is installed under an alias.
    touch(sid: string, session: object): Promise<any>
    /** Deletes a session. Succeeds if the session does not exist. Cost: one DeleteItem, which uses one write unit. */
    destroy(sid: string, callback: ((error?: CallbackError) => void) | undefined): void
    destroy(sid: string): Promise<void>
    /** Returns all sessions that have not expired, each with its ID in the property `id`. Scans the table. */
    all(callback: (error: any, sessions?: any) => void): void
    all(): Promise<any[]>
    /** Returns the IDs of all sessions that have not expired. Scans the table. */
    ids(callback: (error: CallbackError, ids?: string[]) => void): void
    /** Resolves to the IDs of all sessions that have not expired. Scans the table. */
    ids(): Promise<string[]>
    /** Returns the number of sessions that have not expired. Scans the table. */
    length(callback: (error: any, length?: number) => void): void
    length(): Promise<number>
    /** Deletes all sessions whose key starts with the store's prefix. Scans the table. */
    clear(callback: ((error?: any) => void) | undefined): void
    clear(): Promise<void>
    /** Creates the table if it does not exist, waits until it is ACTIVE, and returns its description. */
    createTable(callback: (error: CallbackError, table?: dynamodbSession.TableDescription) => void): void
    /** Creates the table if it does not exist, and resolves to its description when it is ACTIVE. */
    createTable(): Promise<dynamodbSession.TableDescription>
    /** Returns the description of the table and its time to live. */
    describeTable(callback: (error: CallbackError, table?: dynamodbSession.TableDescription) => void): void
    /** Resolves to the description of the table and its time to live. */
    describeTable(): Promise<dynamodbSession.TableDescription>
    /** Returns the IDs of a user's sessions, as `idsOf` of dynamodb-session does. Requires the `user` option. */
    idsOf(user: string | number, callback: dynamodbSession.ValueCallback<string[]>): void
    /** Resolves to the IDs of a user's sessions. */
    idsOf(user: string | number): Promise<string[]>
    /** Deletes a user's sessions and returns their number, as `destroyAllOf` of dynamodb-session does. */
    destroyAllOf(
      user: string | number,
      options: dynamodbSession.DestroyAllOptions,
      callback: dynamodbSession.ValueCallback<number>
    ): void
    /** Deletes all sessions of a user and returns their number. */
    destroyAllOf(user: string | number, callback: dynamodbSession.ValueCallback<number>): void
    /** Deletes a user's sessions and resolves to their number. */
    destroyAllOf(user: string | number, options?: dynamodbSession.DestroyAllOptions): Promise<number>
    /** Prepares the store for its first operation, as `warm` of dynamodb-session does. */
    warm(callback: (error?: CallbackError) => void): void
    /** Prepares the store for its first operation. */
    warm(): Promise<void>
    /** Returns the store's counters. Sends no request. */
    stats(): dynamodbSession.StoreStats
    /** Stops the timer of `reapInterval` and closes the idle connections. Later operations fail. */
    close(callback: (error?: CallbackError) => void): void
    /** Stops the timer of `reapInterval`, and resolves when the idle connections are closed. */
    close(): Promise<void>
  }

  /** Members that only connect-dynamodb's stores have, and their class in the same type. */
  interface FactoryMembers<Session extends Record<string, any> = Record<string, unknown>> {
    // oxlint-disable-next-line typescript/no-misused-new
    new (options?: DynamoDBStoreOptions | null): DynamoDBStore<Session>

    /** Name of the table. */
    readonly table: string
    /** Prefix of the session ID in the key. */
    readonly prefix: string
    /** Name of the table's partition key. */
    readonly hashKey: string
    /** Provisioned read capacity units of a table that the store creates. */
    readonly readCapacityUnits: number
    /** Provisioned write capacity units of a table that the store creates. */
    readonly writeCapacityUnits: number
    /** Session fields that are also written to their own attributes. */
    readonly specialKeys: DynamoDBStoreOptionsSpecialKey[]
    /** Whether `set` accepts sessions that lack a special key. */
    readonly skipThrowMissingSpecialKeys: boolean
    /** Interval between runs of `reap` in milliseconds, or 0 for none. */
    readonly reapInterval: number
    /** The `AWSRegion` option, if you set it and it applies. */
    readonly AWSRegion?: string
    /** Whether the store has determined that the table exists, or the `initialized` option says so. */
    initialized: boolean

    /**
     * Creates the table if it does not exist, and waits until it is ACTIVE. You do not need to call this method: the
     * first operation that finds no table calls it.
     */
    initialize(): Promise<void>
    /** Sends DescribeTable and resolves to the service's response. */
    describeSessionsTable(): Promise<any>
    /** Sends CreateTable and resolves to the service's response. */
    createSessionsTable(): Promise<any>
    /**
     * Returns the session in a GetItem response, by the rules of `get`. Throws only with `encryption`, if the key of the session
     * is not in `keys`, or if `keys` is a function.
     */
    getParsedSession(output: { Item?: Record<string, any> }): (Session & Record<string, any>) | null
    /** Returns the expiry of a session if it were written now, in whole seconds since 1970. */
    getExpiresValue(session: object): number
    /**
     * Deletes expired sessions whose key starts with the store's prefix.
     *
     * Cost: scans the whole table, which uses half a read unit per 4 KB, and one write unit for each deleted session.
     */
    reap(callback: (error?: CallbackError) => void): void
    /** Deletes expired sessions, and resolves when all are deleted. */
    reap(): Promise<void>
    /** Stops the timer of `reapInterval`. */
    clearInterval(): void
  }

  /** Result of `touch`: `expires` as in 3.x and `Attributes` as in 2.x. Numbers are text. */
  interface Touched {
    /** As in 3.x: the expiry in whole seconds since 1970. */
    expires: string
    /** As in 2.x: the attributes that were written. */
    Attributes: {
      /** The expiry as an attribute value. */
      expires: {
        /** The number as text. */
        N: string
      }
    }
  }

  /** The error that a callback receives, if any. */
  type CallbackError = Error | undefined | null
}
