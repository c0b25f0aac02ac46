'use strict'

// What few apps need is loaded when it is needed: every file takes a part of a cold start.

const { DynamoDBStoreError } = require('./error.js')

const MAX_MILLISECONDS = 2 ** 31 - 1

const TABLE_NAME = /^[\w.-]{3,255}$/
const TABLE_ARN = /^arn:[\w-]+:dynamodb:([\w-]+):\d{12}:table\/[\w.-]{3,255}$/

/** What an option may be: the words that say so, and the test. */
const kinds = {
  table: ['a table name (3 to 255 of a-z, A-Z, 0-9, _, - and .) or a table ARN', isTable],
  name: ['a non-empty string', (value) => isText(value) && value !== ''],
  text: ['a string', isText],
  url: ['an http or https URL', isUrl],
  credentials: [
    'an object with the strings accessKeyId and secretAccessKey (and perhaps sessionToken), or a function giving one',
    isCredentials
  ],
  client: [
    'a DynamoDBClient of the AWS SDK v3 or an AWS.DynamoDB of v2',
    (value) => require('./client.js').isJavaScriptClient(value)
  ],
  ttl: [
    'a positive number of seconds, or a function of the session giving one',
    (value) => typeof value === 'function' || (Number.isFinite(value) && value > 0)
  ],
  seconds: ['a number of seconds, 0 or more', (value) => Number.isFinite(value) && value >= 0],
  milliseconds: ['a whole number of milliseconds, 1 or more', (value) => isCount(value) && value <= MAX_MILLISECONDS],
  count: ['a whole number, 1 or more', (value) => isCount(value) && value <= MAX_MILLISECONDS],
  boolean: ['true or false', (value) => typeof value === 'boolean'],
  consistentRead: ["true, false or 'on-miss'", (value) => [true, false, 'on-miss'].includes(value)],
  format: ["'json' or 'map'", (value) => ['json', 'map'].includes(value)],
  billingMode: ["'PAY_PER_REQUEST' or 'PROVISIONED'", (value) => ['PAY_PER_REQUEST', 'PROVISIONED'].includes(value)],
  attributeType: ["'S', 'N', 'BOOL' or 'B'", (value) => ['S', 'N', 'BOOL', 'B'].includes(value)],
  tags: ['an object of strings', (value) => isObject(value) && Object.values(value).every(isText)],
  object: ['an object', isObject],
  list: ['an array', Array.isArray],
  createTable: ['true, false or an object', (value) => typeof value === 'boolean' || isObject(value)]
}

/** Kinds that are some strings and not others. */
const choosy = ['table', 'url', 'consistentRead', 'format', 'billingMode', 'attributeType']

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
const attributesKinds = { session: 'name', expires: 'name' }
const specialKeyKinds = { name: 'name', type: 'attributeType' }
const createTableKinds = {
  billingMode: 'billingMode',
  readCapacityUnits: 'count',
  writeCapacityUnits: 'count',
  ttl: 'boolean',
  tags: 'tags'
}

/** The attribute in which connect-dynamodb names the kind of item. */
const TYPE_ATTRIBUTE = 'type'

/**
 * The options with their defaults. What cannot be meant is told to `refuse`, which throws a ConfigError; one
 * that returns leaves it out.
 */
function readOptions(given = {}, refuse = throwConfigError) {
  if (!isObject(given)) {
    refuse(`the options must be an object, not ${typeOf(given)}`)
    given = {}
  }
  const checked = check(given, optionKinds, 'option', refuse)
  const options = {
    __proto__: null,
    table: 'sessions',
    hashKey: 'id',
    prefix: 'sess:',
    disableTouch: false,
    consistentRead: true,
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
    ...check(options.attributes ?? {}, attributesKinds, 'option attributes.', refuse)
  }
  options.specialKeys = Array.from(options.specialKeys)
    .map((specialKey, index) => readSpecialKey(specialKey, index, refuse))
    .filter((specialKey) => specialKey !== undefined)
  // A table of an ARN is in the Region that the ARN names.
  if (options.client === undefined) options.region ??= TABLE_ARN.exec(options.table)?.[1]
  options.newTable = options.createTable === false ? null : newTableOf(options.createTable, refuse)
  refuseContradictions(options, checked, refuse)
  return options
}

/** The members of `given` that are set and right. */
function check(given, allowed, label, refuse) {
  const checked = { __proto__: null }
  for (const [name, value] of Object.entries(optionsOf(given))) {
    if (value === undefined) continue
    const complaint = complaintAbout(name, value, allowed, label)
    if (complaint === undefined) checked[name] = value
    else refuse(complaint)
  }
  return checked
}

/**
 * The own and inherited options, without a prototype. Code that a library adds to Object.prototype is not an option;
 * that object may belong to another realm.
 */
function optionsOf(given) {
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

function complaintAbout(name, value, allowed, label) {
  const isKnown = Object.hasOwn(allowed, name)
  const [valid, test] = isKnown ? kinds[allowed[name]] : []
  if (isKnown && test(value)) return undefined
  const { foreignOption, nearest } = require('./option-hints.js')
  const isTop = label === 'option'
  const shown = isTop ? `option ${name}` : `${label}${name}`
  const plain = isKnown
    ? `${shown} must be ${valid}, not ${choosy.includes(allowed[name]) && isText(value) && value !== '' ? 'another string' : typeOf(value)}`
    : `unknown ${shown}; ${suggestion(nearest(name, Object.keys(allowed)), allowed, isTop)}`
  return (isTop && foreignOption(name, value)) || plain
}

function suggestion(near, allowed, isTop) {
  if (near !== undefined) return `did you mean ${near}?`
  return isTop ? 'docs/options.md lists all options' : `the options are ${Object.keys(allowed).join(', ')}`
}

function readSpecialKey(given, index, refuse) {
  const label = `option specialKeys[${index}]`
  if (!isObject(given)) return refuse(`${label} must be an object { name, type }, not ${typeOf(given)}`)
  const { name, type } = check(given, specialKeyKinds, `${label}.`, refuse)
  if (name === undefined) return refuse(`${label} has no name`)
  if (type === undefined) return refuse(`${label} has no type; it must be ${kinds.attributeType[0]}`)
  return { name, type }
}

/** How a missing table is created, as the addon reads it. */
function newTableOf(given, refuse = throwConfigError) {
  const options = given === true ? { __proto__: null } : check(given, createTableKinds, 'option createTable.', refuse)
  const { readCapacityUnits, writeCapacityUnits, ttl = true, tags = {} } = options
  const hasUnits = readCapacityUnits !== undefined || writeCapacityUnits !== undefined
  const billingMode = options.billingMode ?? (hasUnits ? 'PROVISIONED' : 'PAY_PER_REQUEST')
  if (hasUnits && billingMode === 'PAY_PER_REQUEST') {
    refuse("option createTable has capacity units, which billingMode 'PAY_PER_REQUEST' does not take")
  }
  const throughput = billingMode === 'PROVISIONED' ? [readCapacityUnits ?? 5, writeCapacityUnits ?? 5] : null
  return { throughput, timeToLive: ttl, tags: Object.entries(tags) }
}

function refuseContradictions(options, given, refuse) {
  const { attributes, hashKey, sortKey, specialKeys } = options
  if (options.client !== undefined) {
    for (const name of ['region', 'endpoint', 'profile', 'credentials']) {
      if (options[name] !== undefined) refuse(`option ${name} contradicts option client, which has its own`)
    }
  }
  if (typeof options.ttl === 'number' && options.touchAfter >= options.ttl) {
    refuse('option touchAfter is not shorter than option ttl: a session in use would end')
  }
  if (options.disableTouch && options.touchAfter !== undefined) {
    refuse('option touchAfter contradicts option disableTouch')
  }
  // Defaults give way to a shorter bound around them; two bounds that were given do not.
  const timeouts = ['connectTimeout', 'attemptTimeout', 'timeout']
  for (const [i, inner] of timeouts.entries()) {
    for (const outer of timeouts.slice(i + 1)) {
      if (given[inner] !== undefined && given[outer] !== undefined && given[inner] > given[outer]) {
        refuse(`option ${inner} is longer than option ${outer}, of which it is a part`)
      }
    }
  }
  const names = new Map()
  const claim = (name, owner) => {
    if (names.has(name)) refuse(`${owner} and ${names.get(name)} name the same attribute`)
    names.set(name, owner)
  }
  claim(hashKey, 'option hashKey')
  if (sortKey !== undefined) claim(sortKey, 'option sortKey')
  claim(attributes.session, 'option attributes.session')
  claim(attributes.expires, 'option attributes.expires')
  claim(TYPE_ATTRIBUTE, 'the attribute that says what the item is')
  for (const [i, { name }] of specialKeys.entries()) claim(name, `option specialKeys[${i}]`)
}

/** The members that are set. */
function defined(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function throwConfigError(message) {
  throw new DynamoDBStoreError('ConfigError', message)
}

/** What a value is, without telling it. */
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
  return Number.isInteger(value) && value >= 1
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
  // An id and a token are sent in headers.
  const isSendable = (key) => typeof key === 'string' && /^[\x21-\x7e]+$/.test(key)
  const isSecret = isText(secretAccessKey) && secretAccessKey !== ''
  const isDate = expiration == null || !Number.isNaN(new Date(expiration).getTime())
  const isAccount = accountId == null || isText(accountId)
  const isToken = sessionToken == null || isSendable(sessionToken)
  return isSendable(accessKeyId) && isSecret && isDate && isAccount && isToken
}

module.exports = { defined, newTableOf, optionsOf, readOptions }
