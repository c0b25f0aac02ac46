import type { BaselineTableOptions, KoaStoreOptions } from './koa.js'
import { KoaStore } from './koa.js'

/** Takes the place of @baseline-dev/koa-session-dynamodb-store 1.1. */
declare class DynamoDBStore extends KoaStore<BaselineTableOptions> {
  sortKey: string
  hasValuePrefix: string
}

declare namespace DynamoDBStore {
  type TableOptions = BaselineTableOptions
  type Options = KoaStoreOptions<BaselineTableOptions>
}

export = DynamoDBStore
