'use strict'

/** Options of the packages that this one replaces: what they are called here. */
const foreignOptions = {
  AWSConfigJSON: ['connect-dynamodb', 'the options region, endpoint and credentials'],
  AWSConfigPath: ['connect-dynamodb', 'the options region, endpoint and credentials'],
  AWSRegion: ['connect-dynamodb', 'the option region'],
  initialized: ['connect-dynamodb', 'nothing: no table is described before it is used'],
  readCapacityUnits: ['connect-dynamodb', 'the option createTable: { readCapacityUnits }'],
  reapInterval: ['connect-dynamodb', "the table's time to live, which createTable enables"],
  skipThrowMissingSpecialKeys: ['connect-dynamodb', 'nothing: a special key that a session lacks is left out'],
  writeCapacityUnits: ['connect-dynamodb', 'the option createTable: { writeCapacityUnits }'],
  dynamoConfig: ['dynamodb-store', 'the options region, endpoint and credentials'],
  keepExpired: ['dynamodb-store', "nothing: an expired item is left to the table's time to live"],
  touchInterval: ['dynamodb-store', 'the option touchAfter, in seconds'],
  createTableOptions: ['@pwrdrvr/dynamodb-session-store', 'the option createTable'],
  dynamoDBClient: ['@pwrdrvr/dynamodb-session-store', 'the option client'],
  tableName: ['@pwrdrvr/dynamodb-session-store', 'the option table'],
  useStronglyConsistentReads: ['@pwrdrvr/dynamodb-session-store', 'the option consistentRead']
}

const credentialNames = ['accessKeyId', 'secretAccessKey', 'sessionToken']

/** The entry of this package that has the options of another. */
const entries = {
  'connect-dynamodb': 'dynamodb-session/connect-dynamodb',
  'dynamodb-store': 'dynamodb-session/dynamodb-store',
  'koa-session-dynamodb-store': 'dynamodb-session/koa-session-dynamodb-store',
  '@baseline-dev/koa-session-dynamodb-store': 'dynamodb-session/baseline-koa-session-dynamodb-store',
  '@pwrdrvr/dynamodb-session-store': 'dynamodb-session/pwrdrvr-dynamodb-session-store'
}

/** A message for an option that another package has and this one has not. */
function foreignOption(name, value) {
  if (credentialNames.includes(name)) return `option ${name} belongs into the option credentials: { ${name} }`
  if (name === 'table' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const isBaseline = 'sortKey' in value || 'hasValuePrefix' in value
    const isKoa = 'ttlKey' in value || 'useTtlExpired' in value || 'autoCreate' in value
    const owner = isBaseline
      ? '@baseline-dev/koa-session-dynamodb-store'
      : isKoa
        ? 'koa-session-dynamodb-store'
        : 'dynamodb-store'
    const instead = "the table's name, beside hashKey and prefix"
    return `option table is an object, as for ${owner}; here it is ${instead}. ${alternative(owner)}`
  }
  if (!Object.hasOwn(foreignOptions, name)) return undefined
  const [owner, instead] = foreignOptions[name]
  return `option ${name} is one of ${owner}; here there is ${instead}. ${alternative(owner)}`
}

function alternative(owner) {
  return `require('${entries[owner]}') takes the options of ${owner} as they are`
}

/** The name among `names` that takes the fewest changes of a letter. */
function nearest(name, names) {
  const changes = (other) => distance(name.toLowerCase(), other.toLowerCase())
  return names.reduce((best, other) => (changes(other) < changes(best) ? other : best))
}

/** Levenshtein's. */
function distance(a, b) {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    above = row
  }
  return above[b.length]
}

module.exports = { distance, foreignOption, nearest }
