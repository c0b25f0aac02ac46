// The usage of @pwrdrvr/dynamodb-session-store, as CommonJS.
import session = require('express-session')
import pwrdrvr = require('dynamodb-session/pwrdrvr-dynamodb-session-store')

const store: session.Store = new pwrdrvr.DynamoDBStore({ prefix: 'sess:', hashKey: 'id', tableName: 'sessions' })
session({ store, secret: 'secret' })

// Typed spies take the last overload, which is the promise.
type Store = pwrdrvr.DynamoDBStore
export const spied: { [name in 'set' | 'touch' | 'destroy' | 'close']: Promise<void> } = {} as {
  [name in 'set' | 'touch' | 'destroy' | 'close']: ReturnType<Store[name]>
}
