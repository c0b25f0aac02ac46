// The usage of dynamodb-store, as an ECMAScript module.
import session from 'express-session'
import DynamoDBStore from 'dynamodb-session/dynamodb-store'

const store = new DynamoDBStore({ table: { name: 'sessions' }, maxConnections: 10 })
session({ store, secret: 'secret' })
await store.createTableIfDontExists()
store.touch('id', {}, (error, touched) => error ?? touched?.Attributes.sess.updated)
