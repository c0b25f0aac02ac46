import type { KoaStoreOptions, KoaTableOptions } from './koa.js'
import { KoaStore } from './koa.js'

/** Drop-in replacement for koa-session-dynamodb-store 1.1. */
declare class DynamoDBStore extends KoaStore {}

declare namespace DynamoDBStore {
  /** Options of the table. */
  type TableOptions = KoaTableOptions
  /** Options of a store. */
  type Options = KoaStoreOptions
}

export = DynamoDBStore
