'use strict'

// Code that few apps need is loaded on demand, because every file adds to the time of a cold start.

const { DynamoDBStoreError } = require('./error.js')

/** The longest delay of a timer, in milliseconds. Counts have the same limit. */
const MAX_INTEGER = 2 ** 31 - 1

const TABLE_NAME = /^[\w.-]{3,255}$/
const TABLE_ARN = /^arn:[\w-]+:dynamodb:([\w-]+):\d{12}:table\/[\w.-]{3,255}$/

/** The kinds of options. Each has a description for error messages, and a test. */
const kinds = {
  table: ['a table name (3 to 255 characters: a-z, A-Z, 0-9, _, -, and .) or a table ARN', isTable],
  name: ['a non-empty string', (value) => isText(value) && value !== ''],
  text: ['a string', isText],
  url: ['a URL that starts with http:// or https://', isUrl],
  credentials: [
    'an object with the strings accessKeyId and secretAccessKey (and optionally sessionToken), or a function that returns one',
    isCredentials
  ],
  client: [
    'a DynamoDBClient of the AWS SDK v3 or an AWS.DynamoDB of v2',
    (value) => require('./sdk-client.js').isJavaScriptClient(value)
  ],
  ttl: [
    'a positive number of seconds, or a function that takes the session and returns one',
    (value) => typeof value === 'function' || (Number.isFinite(value) && value > 0)
  ],
  seconds: ['a number of seconds, at least 0', (value) => Number.isFinite(value) && value >= 0],
  milliseconds: [`a whole number of milliseconds from 1 to ${MAX_INTEGER}`, isCount],
  count: [`a whole number from 1 to ${MAX_INTEGER}`, isCount],
  boolean: ['true or false', (value) => typeof value === 'boolean'],
  consistentRead: ["true, false, or 'on-miss'", (value) => [true, false, 'on-miss'].includes(value)],
  onConflict: [
    "'merge', 'overwrite', 'fail', or a function",
    (value) => typeof value === 'function' || ['merge', 'overwrite', 'fail'].includes(value)
  ],
  encryption: ['a function that returns keys, or an object', (value) => typeof value === 'function' || isObject(value)],
  user: [
    "the path of a field of the session, such as 'passport.user', or a function that takes the session",
    (value) => typeof value === 'function' || (isText(value) && !value.split('.').includes(''))
  ],
  compression: ['true, false, or { withEncryption: true }', (value) => typeof value === 'boolean' || isObject(value)],
  lifetime: ['a whole number of seconds, at least 1', isCount],
  format: ["'json' or 'map'", (value) => ['json', 'map'].includes(value)],
  billingMode: ["'PAY_PER_REQUEST' or 'PROVISIONED'", (value) => ['PAY_PER_REQUEST', 'PROVISIONED'].includes(value)],
  attributeType: ["'S', 'N', 'BOOL', or 'B'", (value) => ['S', 'N', 'BOOL', 'B'].includes(value)],
  tags: ['an object whose values are strings', (value) => isObject(value) && Object.values(value).every(isText)],
  object: ['an object', isObject],
  list: ['an array', Array.isArray],
  createTable: ['true, false, or an object', (value) => typeof value === 'boolean' || isObject(value)]
}

/** The kinds for which only some strings are valid. */
const restrictedStrings = ['table', 'url', 'consistentRead', 'onConflict', 'format', 'billingMode', 'attributeType']

const optionKinds = {
  table: 'table',
  hashKey: 'name',
  sortKey: 'name',
  prefix: 'text',
  region: 'name',
  endpoint: 'url',
  profile: 'name',
  credentials: 'credentials',
  client: 'client',
  ttl: 'ttl',
  touchAfter: 'seconds',
  disableTouch: 'boolean',
  consistentRead: 'consistentRead',
  onConflict: 'onConflict',
  encryption: 'encryption',
  user: 'user',
  compression: 'compression',
  maxLifetime: 'lifetime',
  hashIds: 'boolean',
  format: 'format',
  attributes: 'object',
  specialKeys: 'list',
  createTable: 'createTable',
  connectTimeout: 'milliseconds',
  attemptTimeout: 'milliseconds',
  timeout: 'milliseconds',
  maxAttempts: 'count',
  maxConnections: 'count',
  maxPending: 'count',
  offlineAfter: 'count'
}
const attributesKinds = { session: 'name', expires: 'name', user: 'name', created: 'name' }
const specialKeyKinds = { name: 'name', type: 'attributeType' }
const createTableKinds = {
  billingMode: 'billingMode',
  readCapacityUnits: 'count',
  writeCapacityUnits: 'count',
  ttl: 'boolean',
  tags: 'tags'
}

/** The options that protect stored sessions, and the attributes that they name. An invalid one is never left out. */
const protectionNames = ['encryption', 'user', 'compression', 'maxLifetime', 'hashIds']
const protectionAttributes = ['user', 'created']

/** The attribute that holds the kind of an item, as in connect-dynamodb. */
const TYPE_ATTRIBUTE = 'type'

/**
 * The options with their defaults. Calls `reject` with a message for each invalid option. The default `reject` throws a
 * ConfigError. If a given `reject` returns instead, the option is left out.
 */
function readOptions(given = {}, reject = throwConfigError) {
  if (!isObject(given)) {
    reject(`the options must be an object, not ${typeOf(given)}`)
    given = {}
  }
  const checked = check(given, optionKinds, 'option', reject)
  const options = {
    __proto__: null,
    table: 'sessions',
    hashKey: 'id',
    prefix: 'sess:',
    disableTouch: false,
    consistentRead: true,
    onConflict: 'merge',
    format: 'json',
    specialKeys: [],
    createTable: false,
    timeout: 10_000,
    maxConnections: 50,
    maxPending: 10_000,
    constants: [[TYPE_ATTRIBUTE, 'connect-session']],
    ...checked
  }
  options.attributes = {
    session: 'sess',
    expires: 'expires',
    user: 'user',
    created: 'created',
    ...check(options.attributes ?? {}, attributesKinds, 'option attributes.', reject)
  }
  options.specialKeys = Array.from(options.specialKeys)
    .map((specialKey, index) => readSpecialKey(specialKey, index, reject))
    .filter((specialKey) => specialKey !== undefined)
  // An ARN contains the Region of the table.
  if (options.client === undefined) options.region ??= TABLE_ARN.exec(options.table)?.[1]
  if (protectionNames.some((name) => checked[name] !== undefined)) {
    require('./protection-options.js').readProtection(options)
  }
  options.newTable = options.createTable === false ? null : newTableOf(options.createTable, reject)
  rejectConflicts(options, checked, reject)
  return options
}

/** The members of `given` that are set and valid. */
function check(given, allowed, label, reject) {
  const checked = { __proto__: null }
  for (const [name, value] of Object.entries(copyOptions(given))) {
    if (value === undefined) continue
    const problem = problemWith(name, value, allowed, label)
    if (problem === undefined) checked[name] = value
    else if (isAboutProtection(name, allowed)) throwConfigError(problem)
    else reject(problem)
  }
  return checked
}

function isAboutProtection(name, allowed) {
  if (allowed === optionKinds) {
    const { nearest } = require('./option-hints.js')
    return protectionNames.includes(Object.hasOwn(allowed, name) ? name : nearest(name, Object.keys(allowed)))
  }
  return allowed === attributesKinds && protectionAttributes.includes(name)
}

/**
 * The own and inherited options, in an object without a prototype. What a library adds to Object.prototype is not an
 * option. The options may come from a different realm, which has its own Object.prototype.
 */
function copyOptions(given) {
  if (given == null) throw new TypeError(`the options must be an object, not ${given}`)
  const options = { __proto__: null }
  for (const name in given) {
    let owner = given
    while (owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner)
    const isRoot = owner !== given && owner !== null && Object.hasOwn(owner, 'hasOwnProperty')
    if (!isRoot) options[name] = given[name]
  }
  return options
}

/** The message about an unknown or invalid option, or undefined. */
function problemWith(name, value, allowed, label) {
  const isKnown = Object.hasOwn(allowed, name)
  const kind = isKnown ? allowed[name] : undefined
  if (isKnown && kinds[kind][1](value)) return undefined
  const { foreignOption, nearest } = require('./option-hints.js')
  const isTop = label === 'option'
  const foreign = isTop ? foreignOption(name, value) : undefined
  if (foreign !== undefined) return foreign
  const shown = isTop ? `option ${name}` : `${label}${name}`
  if (!isKnown) return `unknown ${shown}; ${suggestion(nearest(name, Object.keys(allowed)), allowed, isTop)}`
  const requirement = `${shown} must be ${kinds[kind][0]}`
  const isString = isText(value) && value !== ''
  return isString && restrictedStrings.includes(kind) ? requirement : `${requirement}, not ${typeOf(value)}`
}

function suggestion(near, allowed, isTop) {
  if (near !== undefined) return `did you mean ${near}?`
  return isTop
    ? 'for all options, see docs/options.md in the repository'
    : `the options are ${Object.keys(allowed).join(', ')}`
}

function readSpecialKey(given, index, reject) {
  const label = `option specialKeys[${index}]`
  if (!isObject(given)) return reject(`${label} must be an object { name, type }, not ${typeOf(given)}`)
  const { name, type } = check(given, specialKeyKinds, `${label}.`, reject)
  if (name === undefined) return reject(`${label} must have a name`)
  if (type === undefined) return reject(`${label} must have a type: ${kinds.attributeType[0]}`)
  return { name, type }
}

/** How the addon creates a missing table. */
function newTableOf(given, reject = throwConfigError) {
  const options = given === true ? { __proto__: null } : check(given, createTableKinds, 'option createTable.', reject)
  const { readCapacityUnits, writeCapacityUnits, ttl = true, tags = {} } = options
  const hasUnits = readCapacityUnits !== undefined || writeCapacityUnits !== undefined
  const billingMode = options.billingMode ?? (hasUnits ? 'PROVISIONED' : 'PAY_PER_REQUEST')
  if (hasUnits && billingMode === 'PAY_PER_REQUEST') {
    reject("option createTable cannot combine capacity units with billingMode 'PAY_PER_REQUEST'")
  }
  const throughput = billingMode === 'PROVISIONED' ? [readCapacityUnits ?? 5, writeCapacityUnits ?? 5] : null
  return { throughput, timeToLive: ttl, tags: Object.entries(tags) }
}

function rejectConflicts(options, given, reject) {
  const { attributes, hashKey, sortKey, specialKeys } = options
  if (options.client !== undefined) {
    for (const name of ['region', 'endpoint', 'profile', 'credentials']) {
      if (options[name] !== undefined) reject(`option ${name} cannot be combined with option client, which has its own`)
    }
  }
  if (typeof options.ttl === 'number' && options.touchAfter >= options.ttl) {
    reject('option touchAfter must be shorter than option ttl; otherwise sessions expire while they are in use')
  }
  if (options.disableTouch && options.touchAfter !== undefined) {
    reject('option touchAfter cannot be combined with option disableTouch')
  }
  // A default may be longer than a timeout that includes it, but a given timeout may not.
  const timeouts = ['connectTimeout', 'attemptTimeout', 'timeout']
  for (const [i, inner] of timeouts.entries()) {
    for (const outer of timeouts.slice(i + 1)) {
      if (given[inner] !== undefined && given[outer] !== undefined && given[inner] > given[outer]) {
        reject(`option ${inner} must not be longer than option ${outer}, which includes it`)
      }
    }
  }
  const names = new Map()
  const claim = (name, owner) => {
    if (name === TYPE_ATTRIBUTE) reject(`${owner} cannot be "${name}": the store writes that attribute`)
    else if (names.has(name)) reject(`${owner} and ${names.get(name)} name the same attribute`)
    names.set(name, owner)
  }
  claim(hashKey, 'option hashKey')
  if (sortKey !== undefined) claim(sortKey, 'option sortKey')
  claim(attributes.session, 'option attributes.session')
  claim(attributes.expires, 'option attributes.expires')
  if (options.user !== undefined) claim(attributes.user, 'option attributes.user')
  if (options.maxLifetime !== undefined) claim(attributes.created, 'option attributes.created')
  for (const [i, { name }] of specialKeys.entries()) claim(name, `option specialKeys[${i}].name`)
}

/** Whether a store with these options protects stored sessions. */
function isProtected({ encryption, compression, user, maxLifetime, hashIds }) {
  return Boolean(encryption || compression || user !== undefined || maxLifetime !== undefined || hashIds)
}

/** Whether a store with these options writes sessions in a binary form, in which a touch cannot set a field. */
function writesBinary({ encryption, compression }) {
  return encryption?.write === true || compression === true
}

/** The members that are not undefined. */
function withoutUndefined(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function throwConfigError(message) {
  throw new DynamoDBStoreError('ConfigError', message)
}

/** The type of a value, for an error message that must not reveal the value. */
function typeOf(value) {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (value === '') return 'an empty string'
  if (typeof value === 'number') return `the number ${value}`
  return `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`
}

function isObject(value) {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function isText(value) {
  return typeof value === 'string' && value.isWellFormed()
}

function isCount(value) {
  return Number.isInteger(value) && value >= 1 && value <= MAX_INTEGER
}

function isTable(value) {
  return isText(value) && (TABLE_NAME.test(value) || TABLE_ARN.test(value))
}

function isUrl(value) {
  return isText(value) && /^https?:\/\/\S+$/i.test(value) && URL.canParse(value)
}

function isCredentials(value) {
  if (typeof value === 'function') return true
  if (!isObject(value)) return false
  const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId } = value
  // The access key ID and the session token are sent in headers.
  const isSendable = (key) => typeof key === 'string' && /^[\x21-\x7e]+$/.test(key)
  const isSecret = isText(secretAccessKey) && secretAccessKey !== ''
  const isDate = expiration == null || !Number.isNaN(new Date(expiration).getTime())
  const isAccount = accountId == null || isText(accountId)
  const isToken = sessionToken == null || isSendable(sessionToken)
  return isSendable(accessKeyId) && isSecret && isDate && isAccount && isToken
}

module.exports = { copyOptions, isProtected, newTableOf, protectionNames, readOptions, withoutUndefined, writesBinary }
