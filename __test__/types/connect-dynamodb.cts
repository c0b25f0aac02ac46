// The factory of connect-dynamodb, as CommonJS: import = require.
import session = require('express-session')
import connectDynamoDB = require('dynamodb-session/connect-dynamodb')

type SessionData = { name: string; animal: 'cow' | 'pig' }

const options: connectDynamoDB.DynamoDBStoreOptions = { table: 'myapp-sessions', readCapacityUnits: 25 }
const DynamoDBStore: connectDynamoDB.DynamoDBStore = connectDynamoDB({ session })
const Typed = connectDynamoDB<SessionData>(session)

session({ store: new DynamoDBStore(options), secret: 'keyboard cat' })

export async function find(sid: string): Promise<'cow' | 'pig' | undefined> {
  const found = await new Typed(options).get(sid)
  return found?.animal
}

// Typed spies take the last overload, which is the promise.
type Store = InstanceType<typeof Typed>
export const spied: { [name in 'set' | 'destroy' | 'reap' | 'close']: Promise<void> } = {} as {
  [name in 'set' | 'destroy' | 'reap' | 'close']: ReturnType<Store[name]>
}
