'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { format } = require('node:util')
const { callbackOrPromise, withoutValue } = require('../callbacks.js')
const { findBase, requirerOf } = require('../express-base.js')
const { isJavaScriptClient } = require('../sdk-client.js')
const { copyOptions, writesBinary } = require('../options.js')
const { STATE } = require('../state.js')
const { hashOf } = require('../tracing.js')
const { pwrdrvr: layout } = require('./layouts.js')
const { propertiesOf, nativeOptions, optionRows, settingsOf, warnOnce } = require('./options.js')
const { afterCreation, createExpressStore } = require('./store.js')
const { createTableInput, ignoring } = require('./table.js')

const PACKAGE = '@pwrdrvr/dynamodb-session-store'

const rows = optionRows({
  dynamoDBClient: { replaces: 'client' },
  tableName: { property: 'tableName', native: 'table', default: 'sessions', keepsNull: true },
  hashKey: { property: 'hashKey', native: 'hashKey', default: layout.hashKey, keepsNull: true },
  prefix: { property: 'prefix', native: 'prefix', default: layout.prefix, keepsNull: true },
  touchAfter: { property: 'touchAfter', default: 3600, keepsNull: true },
  useStronglyConsistentReads: { replaces: 'consistentRead' },
  createTableOptions: { replaces: 'createTable' }
})

/** DynamoDB takes about ten seconds to create a table. */
const LONGEST_CREATION = 120_000
const FIRST_PAUSE = 20
const LONGEST_PAUSE = 2000

/** Compatible with @pwrdrvr/dynamodb-session-store 1.1.0. pwrdrvr-dynamodb-session-store.d.ts documents it. */
class DynamoDBStore extends createExpressStore(findBase(requirerOf(module))) {
  constructor(given) {
    super()
    const options = copyOptions(given)
    const { dynamoDBClient, createTableOptions, useStronglyConsistentReads = false } = options
    const isClient = isJavaScriptClient(dynamoDBClient)
    if (dynamoDBClient && !isClient)
      warnOnce(PACKAGE, 'ignored an option: option dynamoDBClient must be a DynamoDBClient')
    const state = this[STATE]
    state.properties = propertiesOf(rows, options)
    const { touchAfter } = state.properties
    const native = nativeOptions(PACKAGE, rows, options)
    state.settings = {
      ...settingsOf(rows, state.properties, native),
      ...(isClient && { client: dynamoDBClient }),
      format: layout.format,
      constants: layout.constants,
      stamp: {
        field: 'lastModified',
        value: (now) => (touchAfter === 0 ? undefined : isoOf(now)),
        attribute: (now) => ({ S: isoOf(now) })
      },
      // The replaced package rounds down.
      round: Math.floor,
      // A touch cannot set the stamp in a binary form, so the expiry shows when the session was touched.
      ...(writesBinary(native) ? { touchAfter } : { isFresh: (session) => isFresh(session, touchAfter) })
    }
    this.useStronglyConsistentReads = useStronglyConsistentReads
    Object.defineProperty(this, 'client', { value: state.settings.client })
    if (createTableOptions) createInBackground(state, createTableOptions)
  }

  static async create(options) {
    const { createTableOptions } = options
    const store = new this({ ...options, createTableOptions: undefined })
    if (createTableOptions) await createTable(store[STATE], createTableOptions)
    return store
  }

  get tableName() {
    return this[STATE].properties.tableName
  }

  get hashKey() {
    return this[STATE].properties.hashKey
  }

  get prefix() {
    return this[STATE].properties.prefix
  }

  get touchAfter() {
    return this[STATE].properties.touchAfter
  }

  get useStronglyConsistentReads() {
    return this[STATE].settings.consistentRead
  }

  set useStronglyConsistentReads(value) {
    const consistentRead = Boolean(value)
    const state = this[STATE]
    if (state.sessions !== undefined && consistentRead === state.settings.consistentRead) return
    state.settings.consistentRead = consistentRead
    state.open(state.settings)
  }

  set(sid, session, ...rest) {
    const writing = afterCreation(this, (sessions) => sessions.set(sid, session))
    return callbackOrPromise(withoutValue(writing), rest, this[STATE].sessions)
  }

  touch(sid, session, ...rest) {
    return callbackOrPromise(touch(this, sid, session), rest)
  }
}

async function touch(store, sid, session) {
  const { properties, sessions } = store[STATE]
  if (isFresh(session, properties.touchAfter)) {
    debug(() => [`Skip touching session=${hashOf(sid)}`])
    return sessions.countSavedTouch()
  }
  // Set this synchronously. If the session changed later, express-session would see a modified session and renew its
  // cookie.
  if (typeof session === 'object' && session !== null) session.lastModified = isoOf(Date.now())
  await afterCreation(store, (current) => current.touch(sid, session))
}

function createInBackground(state, createTableOptions) {
  const creation = createTable(state, createTableOptions, { ref: false })
  creation.catch((error) => warnOnce(PACKAGE, `cannot create the table (${error.message})`))
  state.holdOperations(creation)
}

/** Creates the table if it does not exist, waits until it is ACTIVE, and enables its time to live. */
async function createTable(state, createTableOptions, waiting) {
  const { hashKey, tableName } = state.properties
  const { ProvisionedThroughput } = createTableOptions
  const capacity = ProvisionedThroughput === undefined ? {} : { ProvisionedThroughput }
  const input = {
    TableName: tableName,
    ...createTableInput([hashKey], capacity, state.settings),
    ...(ProvisionedThroughput === undefined && { BillingMode: 'PAY_PER_REQUEST' }),
    ...createTableOptions
  }
  const { TableName } = input
  const found = await describe(state, TableName)
  if (found !== undefined) return state.sessions.requireKey(found)
  debug(() => [`table ${TableName} does not exist`])
  debug(() => [`creating table ${TableName}, with params:`, input])
  try {
    await state.sessions.request('CreateTable', input)
  } catch (error) {
    debug(() => [`error creating table ${TableName}:`, error])
    // Another process has just created the table, and enables its time to live.
    if (error.code === 'ResourceInUseException') return waitUntilActive(state, TableName, waiting)
    throw error
  }
  await waitUntilActive(state, TableName, waiting)
  debug(() => [`table ${TableName} created`])
  const TimeToLiveSpecification = { AttributeName: state.settings.attributes.expires, Enabled: true }
  await state.sessions.request('UpdateTimeToLive', { TableName, TimeToLiveSpecification })
}

/**
 * The addon can wait for a table too, but would keep the process alive, and `createTableOptions` may name a different
 * table.
 */
async function waitUntilActive(state, tableName, waiting) {
  let pause = FIRST_PAUSE
  // The sum of the pauses, because a test may have mocked the clock.
  for (let waited = 0; (await describe(state, tableName))?.TableStatus !== 'ACTIVE'; waited += pause) {
    if (waited > LONGEST_CREATION) {
      throw new Error(`table "${tableName}" did not become ACTIVE within ${LONGEST_CREATION} ms`)
    }
    await sleep(pause, undefined, waiting)
    pause = Math.min(pause * 2, LONGEST_PAUSE)
  }
}

/** The description of a table, or undefined if it does not exist. */
async function describe(state, TableName) {
  const described = state.sessions.request('DescribeTable', { TableName })
  return (await described.catch(ignoring('ResourceNotFoundException')))?.Table
}

/**
 * Whether the session was written less than `touchAfter` seconds ago. If the lifetime of the session is shorter than
 * that, a tenth of the lifetime takes the place of `touchAfter`.
 */
function isFresh(session, touchAfter) {
  const originalMaxAge = session?.cookie?.originalMaxAge
  const isShort = Number.isFinite(originalMaxAge) && touchAfter * 1000 > originalMaxAge
  const limit = isShort ? Math.floor(originalMaxAge / 10_000) : touchAfter
  const lastModified = new Date(session?.lastModified ?? 0).getTime()
  return Math.floor(Date.now() / 1000) - Math.floor(lastModified / 1000) < limit
}

function isoOf(milliseconds) {
  return new Date(milliseconds).toISOString()
}

/** Prints what the replaced package prints with the package `debug`, without session IDs. */
function debug(wordsOf) {
  if (!isDebugged(process.env.DEBUG ?? '')) return
  process.stderr.write(`${isoOf(Date.now())} ${PACKAGE} ${format(...wordsOf())}\n`)
}

/** Whether a list such as `express*,-express:router` includes the replaced package. */
function isDebugged(list) {
  const matches = (pattern) => new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`).test(PACKAGE)
  const patterns = list.split(/[\s,]+/).filter(Boolean)
  const isExcluded = patterns.some((pattern) => pattern[0] === '-' && matches(pattern.slice(1)))
  return !isExcluded && patterns.some(matches)
}

function escaped(text) {
  return text.replace(/[^\w]/g, '\\$&')
}

module.exports.DynamoDBStore = DynamoDBStore
