import type { BaselineTableOptions, KoaStoreOptions } from './koa.js'
import { KoaStore } from './koa.js'

/** Takes the place of @baseline-dev/koa-session-dynamodb-store 1.1. */
declare class DynamoDBStore extends KoaStore<BaselineTableOptions> {
  /** Attribute that is the sort key. */
  sortKey: string
  /** Put before the session id in both keys. */
  hasValuePrefix: string
}

declare namespace DynamoDBStore {
  /** Options of the table. */
  type TableOptions = BaselineTableOptions
  /** Options of a store. */
  type Options = KoaStoreOptions<BaselineTableOptions>
}

export = DynamoDBStore
