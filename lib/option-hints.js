'use strict'

// Hints for an option that the store does not have. lib/error-hints.js has those for requests that fail.

const connection = 'use option region (or AWS_REGION) and the usual AWS credentials'
const endpoint = `${connection}, and option endpoint for DynamoDB Local`
const timeToLive = "use the table's time to live, which option createTable enables on a new table"
const encryption = 'use option encryption, which takes keys of 32 bytes instead of a secret text'
const serialization = 'leave it out: sessions are stored as JSON, or as a DynamoDB map with option format'

/** The options of other packages. Each has the package and what to use instead. */
const foreignOptions = {
  AWSConfigJSON: ['connect-dynamodb', 'use options region, endpoint, and credentials'],
  AWSConfigPath: ['connect-dynamodb', 'use options region, endpoint, and credentials'],
  AWSRegion: ['connect-dynamodb', 'use option region'],
  initialized: ['connect-dynamodb', 'leave it out: the store does not call DescribeTable before it uses the table'],
  readCapacityUnits: ['connect-dynamodb', 'use option createTable: { readCapacityUnits }'],
  reapInterval: ['connect-dynamodb', timeToLive],
  skipThrowMissingSpecialKeys: ['connect-dynamodb', 'leave it out: special keys are optional'],
  writeCapacityUnits: ['connect-dynamodb', 'use option createTable: { writeCapacityUnits }'],
  dynamoConfig: ['dynamodb-store', 'use options region, endpoint, and credentials'],
  keepExpired: ['dynamodb-store', "leave it out: the table's time to live deletes expired items"],
  touchInterval: ['dynamodb-store', 'use option touchAfter, in seconds'],
  createTableOptions: ['@pwrdrvr/dynamodb-session-store', 'use option createTable'],
  dynamoDBClient: ['@pwrdrvr/dynamodb-session-store', 'use option client'],
  tableName: ['@pwrdrvr/dynamodb-session-store', 'use option table'],
  useStronglyConsistentReads: ['@pwrdrvr/dynamodb-session-store', 'use option consistentRead'],
  disableTTL: ['connect-redis', 'use option ttl: every session has an expiry'],
  scanCount: ['connect-redis', 'leave it out: DynamoDB determines the page size'],
  serializer: ['connect-redis', serialization],
  host: ['connect-redis', endpoint],
  port: ['connect-redis', endpoint],
  url: ['connect-redis and connect-mongo', endpoint],
  socket: ['connect-redis', endpoint],
  logErrors: ['connect-redis', 'leave it out: each call passes errors to its callback or promise'],
  mongoUrl: ['connect-mongo', endpoint],
  clientPromise: ['connect-mongo', `${connection}, or option client with a DynamoDBClient`],
  mongooseConnection: ['connect-mongo', `${connection}, or option client with a DynamoDBClient`],
  mongoOptions: ['connect-mongo', 'use options timeout, maxAttempts, and maxConnections'],
  dbName: ['connect-mongo', 'use option table'],
  collection: ['connect-mongo', 'use option table'],
  collectionName: ['connect-mongo', 'use option table'],
  autoRemove: ['connect-mongo', timeToLive],
  autoRemoveInterval: ['connect-mongo', timeToLive],
  createAutoRemoveIdx: ['connect-mongo', timeToLive],
  stringify: ['connect-mongo', "use option format: 'json' (the default) or 'map'"],
  serialize: ['connect-mongo', serialization],
  unserialize: ['connect-mongo', serialization],
  crypto: ['connect-mongo', encryption],
  cryptoAdapter: ['connect-mongo', encryption],
  timestamps: ['connect-mongo', 'leave it out: an item contains its expiry and no other timestamps'],
  transformId: ['connect-mongo', 'use option prefix'],
  writeOperationOptions: ['connect-mongo', 'leave it out: DynamoDB acknowledges every write']
}

const credentialNames = ['accessKeyId', 'secretAccessKey', 'sessionToken']

/** The entry points of this package that accept the options of another package. */
const entryPoints = {
  'connect-dynamodb': 'dynamodb-session/connect-dynamodb',
  'dynamodb-store': 'dynamodb-session/dynamodb-store',
  'koa-session-dynamodb-store': 'dynamodb-session/koa-session-dynamodb-store',
  '@baseline-dev/koa-session-dynamodb-store': 'dynamodb-session/baseline-koa-session-dynamodb-store',
  '@pwrdrvr/dynamodb-session-store': 'dynamodb-session/pwrdrvr-dynamodb-session-store'
}

/** The message about an option of another package, or undefined if it is not one. */
function foreignOption(name, value) {
  if (credentialNames.includes(name)) return `put ${name} inside the credentials option: { ${name} }`
  if (name === 'table' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const isBaseline = 'sortKey' in value || 'hasValuePrefix' in value
    const isKoa = 'ttlKey' in value || 'useTtlExpired' in value || 'autoCreate' in value
    const owner = isBaseline
      ? '@baseline-dev/koa-session-dynamodb-store'
      : isKoa
        ? 'koa-session-dynamodb-store'
        : 'dynamodb-store'
    return `option table must be a string. Set hashKey and prefix as separate options${alternative(owner)}`
  }
  if (name === 'client' && isOtherClient(value)) {
    return `option client is a Redis or MongoDB client; instead, ${connection}, or pass a DynamoDBClient`
  }
  if (!Object.hasOwn(foreignOptions, name)) return undefined
  const [owner, instead] = foreignOptions[name]
  return `option ${name} belongs to ${owner}; ${instead}${alternative(owner)}`
}

function isOtherClient(value) {
  return ['db', 'get', 'scan', 'scanIterator', 'sendCommand'].some((method) => typeof value?.[method] === 'function')
}

function alternative(owner) {
  if (!Object.hasOwn(entryPoints, owner)) return ''
  return `. To keep the options of ${owner}, use require('${entryPoints[owner]}')`
}

/** The one of `names` that `name` is most likely a misspelling of, or undefined if none is similar. */
function nearest(name, names) {
  const given = plain(name)
  const changes = new Map(names.map((other) => [other, distance(given, plain(other))]))
  const best = names.reduce((one, other) => (changes.get(other) < changes.get(one) ? other : one))
  return changes.get(best) <= Math.max(1, Math.floor(given.length / 3)) ? best : undefined
}

const plain = (name) => name.toLowerCase().replace(/[-_]/g, '')

/** The Damerau-Levenshtein distance, which counts a swap of two adjacent characters as one change. */
function distance(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1]
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1)
      }
    }
    rows.push(row)
  }
  return rows[a.length][b.length]
}

module.exports = { foreignOption, nearest }
