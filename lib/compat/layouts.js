'use strict'

const koa = { format: 'map', attributes: { session: 'session' }, constants: [] }

/** The item layout of each package, where it differs from the native defaults. */
module.exports = {
  'connect-dynamodb': {},
  'dynamodb-store': { hashKey: 'sessionId', prefix: 'sess:', format: 'map', constants: [] },
  'koa-session-dynamodb-store': { ...koa, hashKey: 'sessionId', prefix: '' },
  baseline: { ...koa, hashKey: 'pk', sortKey: 'sk', prefix: 'SESSION#' },
  pwrdrvr: { hashKey: 'id', prefix: 'session#', format: 'map', constants: [] }
}
