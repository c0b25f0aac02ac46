import type { BaselineTableOptions, KoaStoreOptions } from './koa.js'
import { KoaStore } from './koa.js'

/** Drop-in replacement for @baseline-dev/koa-session-dynamodb-store 1.1. */
declare class DynamoDBStore extends KoaStore<BaselineTableOptions> {
  /** Name of the table's sort key. */
  sortKey: string
  /** Prefix of the session ID in both keys. */
  hasValuePrefix: string
}

declare namespace DynamoDBStore {
  /** Options of the table. */
  type TableOptions = BaselineTableOptions
  /** Options of a store. */
  type Options = KoaStoreOptions<BaselineTableOptions>
}

export = DynamoDBStore
