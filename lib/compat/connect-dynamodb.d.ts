import session = require('express-session')
import dynamodbSession = require('../../index')
import type { Version2Config } from './aws-v2'

export = ConnectDynamoDB

/**
 * Gives the class of stores for a session package: express-session itself or an object that holds it as
 * `session` (as connect 2 and express 3 do), or anything with a `Store`.
 *
 * @throws TypeError when there is no `Store`
 */
declare function ConnectDynamoDB<Session extends Record<string, any> = Record<string, unknown>>(
  connect: ConnectDynamoDB.SessionPackage | { session: ConnectDynamoDB.SessionPackage }
): ConnectDynamoDB.DynamoDBStore<Session>

declare namespace ConnectDynamoDB {
  /** What has the class that stores extend. */
  type SessionPackage = {
    /** The class. */
    Store: abstract new (...args: any[]) => any
  }

  /** Options of connect-dynamodb 3 and 2, and all of this package's own. None is required. */
  interface DynamoDBStoreOptions extends Omit<
    dynamodbSession.NativeStoreOptions,
    'client' | 'table' | 'prefix' | 'hashKey' | 'specialKeys'
  > {
    /**
     * A client of the AWS SDK for JavaScript, v3 or v2, whose region, endpoint, credentials and attempts are
     * taken. Requests are not sent through it. Default: none: the environment is used.
     */
    client?: dynamodbSession.JavaScriptClient | null | false
    /** Name of the table. Default: `'sessions'`. */
    table?: string
    /** Put before the session id in the key. Default: `'sess:'`. */
    prefix?: string | null
    /** Attribute that is the table's partition key. Default: `'id'`. */
    hashKey?: string | null
    /** Provisioned read capacity units of a table that is created. Default: 5. */
    readCapacityUnits?: number | string | null
    /** Provisioned write capacity units of a table that is created. Default: 5. */
    writeCapacityUnits?: number | string | null
    /** Session fields with attributes of their own. Default: none. */
    specialKeys?: DynamoDBStoreOptionsSpecialKey[] | null
    /** Whether a session that lacks a special key is written without it; else `set` fails. Default: false. */
    skipThrowMissingSpecialKeys?: boolean | null
    /**
     * Milliseconds between runs of `reap`, 0 for none. A failing run emits `reapError`. Default: 0.
     *
     * @deprecated Enable the table's time to live on the attribute `expires` instead.
     */
    reapInterval?: number | null
    /** Whether the table is there: true: a missing one is not created. Default: false. */
    initialized?: boolean
    /** Region, of 2.x; ignored with `client`, `AWSConfigPath` or `AWSConfigJSON`. Default: the environment's. */
    AWSRegion?: string
    /** JSON file of 2.x with what `AWSConfigJSON` takes, read by the constructor; ignored with `client`. */
    AWSConfigPath?: string
    /** What configures the AWS SDK v2, of 2.x; ignored with `client` or `AWSConfigPath`. */
    AWSConfigJSON?: Version2Configuration
  }

  /** Configuration of the AWS SDK for JavaScript v2. */
  type Version2Configuration = Version2Config

  /** A session field that is written as an attribute as well. */
  interface DynamoDBStoreOptionsSpecialKey {
    /** Name of the field and of the attribute. */
    name: string
    /** Type of the attribute. Lists and maps hold attribute values such as `{ S: 'text' }`. */
    type: 'B' | 'BOOL' | 'BS' | 'L' | 'M' | 'N' | 'NS' | 'NULL' | 'S' | 'SS'
  }

  /**
   * A store and, as in connect-dynamodb's own types, its class. Every operation takes a callback as its last
   * argument, which is called once and asynchronously, or else returns a promise.
   *
   * @fires missing a MissingEvent: a touched session is not there, which is no error
   * @fires corrupt a DynamoDBStoreError: an item was read that holds no session; `get` gives null
   * @fires reapError a DynamoDBStoreError: a run of the reap timer failed
   */
  interface DynamoDBStore<Session extends Record<string, any> = Record<string, unknown>>
    extends session.Store, FactoryMembers<Session> {
    /** The JavaScript client that was given as an option. */
    readonly client: any

    /** Reads a session; null when there is none or it has expired. One GetItem: a read unit. */
    get(sid: string, callback: (error: CallbackError, session?: any) => void): void
    get(sid: string): Promise<(Session & session.SessionData) | null>
    /** Writes a session whole. One PutItem: a write unit. */
    set(sid: string, session: object, callback: ((error?: CallbackError) => void) | undefined): void
    set(sid: string, session: object): Promise<void>
    /** Moves the expiry of a session that is there, and answers with it. One UpdateItem: a write unit. */
    touch(sid: string, session: object, callback: ((error: CallbackError, touched?: any) => void) | undefined): void
    touch(sid: string, session: object): Promise<Touched>
    // So that the store fits the native type, which it is under an alias.
    touch(sid: string, session: object): Promise<any>
    /** Deletes a session, whether it is there or not. One DeleteItem: a write unit. */
    destroy(sid: string, callback: ((error?: CallbackError) => void) | undefined): void
    destroy(sid: string): Promise<void>
    /** All sessions that are alive, each with its id as the property `id`. Scans the table. */
    all(callback: (error: any, sessions?: any) => void): void
    all(): Promise<any[]>
    /** The ids of all sessions that are alive. Scans the table. */
    ids(callback: (error: CallbackError, ids?: string[]) => void): void
    /** Resolves to the ids of all sessions that are alive. Scans the table. */
    ids(): Promise<string[]>
    /** The number of sessions that are alive. Scans the table. */
    length(callback: (error: any, length?: number) => void): void
    length(): Promise<number>
    /** Deletes all sessions with the store's prefix. Scans the table. */
    clear(callback: ((error?: any) => void) | undefined): void
    clear(): Promise<void>
    /** Creates the table unless it is there, waits until it is ACTIVE, and describes it. */
    createTable(callback: (error: CallbackError, table?: dynamodbSession.TableDescription) => void): void
    /** Creates the table unless it is there, and resolves to its description when it is ACTIVE. */
    createTable(): Promise<dynamodbSession.TableDescription>
    /** Describes the table and its time to live. */
    describeTable(callback: (error: CallbackError, table?: dynamodbSession.TableDescription) => void): void
    /** Resolves to the description of the table and its time to live. */
    describeTable(): Promise<dynamodbSession.TableDescription>
    /** Counts what the store has done so far. No I/O. */
    stats(): dynamodbSession.StoreStats
    /** Stops the timer and closes the idle connections; later operations fail. */
    close(callback: (error?: CallbackError) => void): void
    /** Stops the timer, and resolves when the idle connections are closed. */
    close(): Promise<void>
  }

  /** What only the factory's stores have, and their class in the same type. */
  interface FactoryMembers<Session extends Record<string, any> = Record<string, unknown>> {
    // oxlint-disable-next-line typescript/no-misused-new
    new (options?: DynamoDBStoreOptions | null): DynamoDBStore<Session>

    /** Name of the table. */
    readonly table: string
    /** Put before the session id in the key. */
    readonly prefix: string
    /** Attribute that is the table's partition key. */
    readonly hashKey: string
    /** Provisioned read capacity units of a table that is created. */
    readonly readCapacityUnits: number
    /** Provisioned write capacity units of a table that is created. */
    readonly writeCapacityUnits: number
    /** Session fields with attributes of their own. */
    readonly specialKeys: DynamoDBStoreOptionsSpecialKey[]
    /** Whether a session that lacks a special key is written without it. */
    readonly skipThrowMissingSpecialKeys: boolean
    /** Milliseconds between runs of `reap`, 0 for none. */
    readonly reapInterval: number
    /** The option `AWSRegion`, if it was given and counts. */
    readonly AWSRegion?: string
    /** Whether the table is known to be there. */
    initialized: boolean

    /**
     * Looks for the table, creates it when it is missing, and waits until it is ACTIVE. There is no need to call
     * it: the first operation that misses the table does.
     */
    initialize(): Promise<void>
    /** The service's answer of DescribeTable. */
    describeSessionsTable(): Promise<any>
    /** Creates the table; the service's answer of CreateTable. */
    createSessionsTable(): Promise<any>
    /** The session of an answer of GetItem, by the rules of `get`; never throws. */
    getParsedSession(output: { Item?: Record<string, any> }): (Session & Record<string, any>) | null
    /** When a session that is written now expires, in whole seconds since 1970. */
    getExpiresValue(session: object): number
    /**
     * Deletes the sessions with the store's prefix that have expired. Scans the table: half a read unit for each 4 KB
     * that it holds, and a write unit for each session.
     */
    reap(callback: (error?: CallbackError) => void): void
    /** Deletes the sessions that have expired, and resolves when all are gone. */
    reap(): Promise<void>
    /** Stops the timer of `reapInterval`. */
    clearInterval(): void
  }

  /** What `touch` answers: of 3.x `expires`, of 2.x `Attributes`; the number as text. */
  interface Touched {
    /** Of 3.x: the expiry in whole seconds since 1970. */
    expires: string
    /** Of 2.x: the item's attributes that were written. */
    Attributes: {
      /** The same as an attribute value. */
      expires: {
        /** Of type N: the number as text. */
        N: string
      }
    }
  }

  /** What a callback gets of a failure; nothing when there is none. */
  type CallbackError = Error | undefined | null
}
