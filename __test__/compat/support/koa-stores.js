'use strict'

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = 'true'

/** The two packages for koa-session and their compatible stores. */
const packages = {
  'koa-session-dynamodb-store': {
    entry: 'dynamodb-session/koa-session-dynamodb-store',
    Original: require('koa-session-dynamodb-store'),
    Store: require('dynamodb-session/koa-session-dynamodb-store'),
    schema: { hashKey: 'sessionId' },
    keyOf: (id) => ({ sessionId: id }),
    layouts: [{ hashKey: 'other' }, { ttlKey: 'ends' }, { hashKey: 'the id', ttlKey: 'ttl' }]
  },
  '@baseline-dev/koa-session-dynamodb-store': {
    entry: 'dynamodb-session/baseline-koa-session-dynamodb-store',
    Original: require('@baseline-dev/koa-session-dynamodb-store'),
    Store: require('dynamodb-session/baseline-koa-session-dynamodb-store'),
    schema: { hashKey: 'pk', sortKey: 'sk' },
    keyOf: (id) => ({ pk: `SESSION#${id}`, sk: `SESSION#${id}` }),
    layouts: [
      { hashKey: 'other', sortKey: 'range' },
      { hasValuePrefix: 'app:' },
      { hasValuePrefix: '' },
      { ttlKey: 'ends' }
    ]
  }
}

module.exports = { packages }
