import { DynamoDBStore } from 'dynamodb-session'

export const day = 24 * 60 * 60

const global = globalThis as typeof globalThis & { sessionStore?: DynamoDBStore }

/** One store per process. `next dev` loads this module again after each change, but keeps `globalThis`. */
export const store = (global.sessionStore ??= new DynamoDBStore({
  table: 'sessions',
  createTable: true,
  ttl: day,
  maxLifetime: 30 * day
}))
