'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { format } = require('node:util')
const { answer, done, emitLater } = require('../answer.js')
const { findBase, requirerOf } = require('../base.js')
const { isJavaScriptClient } = require('../client.js')
const { watchGenerate } = require('../express-cookie.js')
const { Sessions } = require('../sessions.js')
const { STATE } = require('../state.js')
const { hashOf } = require('../tracing.js')
const { pwrdrvr: layout } = require('./layouts.js')
const { nativeOptions, optionsOf, warnOnce } = require('./options.js')

const FACE = '@pwrdrvr/dynamodb-session-store'
const OWN_OPTIONS = [
  'dynamoDBClient',
  'tableName',
  'hashKey',
  'prefix',
  'touchAfter',
  'createTableOptions',
  'useStronglyConsistentReads'
]

/** DynamoDB takes some ten seconds to create a table. */
const LONGEST_CREATION = 120_000
const FIRST_LOOK = 20
const LATER_LOOKS = 2000

/** The face of @pwrdrvr/dynamodb-session-store 1.1.0. pwrdrvr-dynamodb-session-store.d.ts documents it. */
class DynamoDBStore extends findBase(requirerOf(module)) {
  constructor(given) {
    super()
    const options = optionsOf(given)
    const { dynamoDBClient, tableName = 'sessions', touchAfter = 3600 } = options
    const { hashKey = layout.hashKey, prefix = layout.prefix } = options
    const { createTableOptions, useStronglyConsistentReads = false } = options
    if (dynamoDBClient && !isJavaScriptClient(dynamoDBClient)) {
      warnOnce(FACE, 'option dynamoDBClient is no DynamoDBClient (it is left out)')
    }
    const settings = {
      ...nativeOptions(FACE, options, OWN_OPTIONS),
      ...(isJavaScriptClient(dynamoDBClient) && { client: dynamoDBClient }),
      table: `${tableName}`,
      names: { table: 'tableName', createTable: 'createTableOptions' },
      hashKey: `${hashKey}`,
      prefix: `${prefix}`,
      format: layout.format,
      constants: layout.constants,
      stamp: {
        field: 'lastModified',
        value: (now) => (touchAfter === 0 ? undefined : isoOf(now)),
        attribute: (now) => ({ S: isoOf(now) })
      },
      // The original rounds down.
      round: Math.floor,
      isFresh: () => false
    }
    // `creation` is the creation of the table, while it goes on.
    const state = { tableName, hashKey, prefix, touchAfter, settings, sessions: undefined, creation: undefined }
    Object.defineProperty(this, STATE, { value: state })
    watchGenerate(this, (cookie) => state.sessions.setCookieOptions(cookie))
    this.useStronglyConsistentReads = useStronglyConsistentReads
    Object.defineProperty(this, 'client', { value: settings.client })
    if (createTableOptions) createInBackground(state, createTableOptions)
  }

  static async create(options) {
    const { createTableOptions } = options
    const store = new this({ ...options, createTableOptions: undefined })
    if (createTableOptions) await createTable(store[STATE], createTableOptions)
    return store
  }

  get tableName() {
    return this[STATE].tableName
  }

  get hashKey() {
    return this[STATE].hashKey
  }

  get prefix() {
    return this[STATE].prefix
  }

  get touchAfter() {
    return this[STATE].touchAfter
  }

  get useStronglyConsistentReads() {
    return this[STATE].settings.consistentRead
  }

  set useStronglyConsistentReads(value) {
    const consistentRead = Boolean(value)
    const state = this[STATE]
    if (state.sessions !== undefined && consistentRead === state.settings.consistentRead) return
    state.settings.consistentRead = consistentRead
    state.sessions?.close()
    state.sessions = new Sessions(state.settings, (event, value) => emitLater(this, event, value))
  }

  get(sid, ...rest) {
    return answer(
      onceCreated(this[STATE], () => this[STATE].sessions.get(sid)),
      rest,
      this[STATE].sessions
    )
  }

  set(sid, session, ...rest) {
    return answer(
      done(onceCreated(this[STATE], () => this[STATE].sessions.set(sid, session))),
      rest,
      this[STATE].sessions
    )
  }

  touch(sid, session, ...rest) {
    return answer(touch(this[STATE], sid, session), rest)
  }

  destroy(sid, ...rest) {
    return answer(
      onceCreated(this[STATE], () => this[STATE].sessions.destroy(sid)),
      rest,
      this[STATE].sessions
    )
  }

  /** express-session makes a Session of what `get` returned. */
  createSession(request, session) {
    return this[STATE].sessions.createSession((...args) => super.createSession(...args), request, session)
  }

  stats() {
    return this[STATE].sessions.stats()
  }

  close(...rest) {
    return answer(this[STATE].sessions.close(), rest)
  }
}

async function touch(state, sid, session) {
  if (isFresh(session, state.touchAfter)) {
    debug(() => [`Skip touching session=${hashOf(sid)}`])
    return state.sessions.touchSaved()
  }
  // Before anything is awaited: express-session renews the cookie of a session that it then finds changed.
  if (typeof session === 'object' && session !== null) session.lastModified = isoOf(Date.now())
  await onceCreated(state, () => state.sessions.touch(sid, session))
}

/** Runs an operation, after the creation of the table if that goes on. */
function onceCreated(state, operation) {
  return state.creation === undefined ? operation() : state.creation.then(operation)
}

function createInBackground(state, createTableOptions) {
  state.creation = createTable(state, createTableOptions, { ref: false }).then(
    () => (state.creation = undefined),
    (error) => {
      state.creation = undefined
      warnOnce(FACE, `the table could not be created (${error.message})`)
    }
  )
}

/** Creates the table unless it is there, waits until it is ACTIVE, and enables its time to live. */
async function createTable(state, createTableOptions, waiting) {
  const input = {
    TableName: state.tableName,
    AttributeDefinitions: [{ AttributeName: state.hashKey, AttributeType: 'S' }],
    KeySchema: [{ AttributeName: state.hashKey, KeyType: 'HASH' }],
    ...(createTableOptions.ProvisionedThroughput === undefined && { BillingMode: 'PAY_PER_REQUEST' }),
    ...createTableOptions
  }
  const { TableName } = input
  const found = await describe(state, TableName)
  if (found !== undefined) return state.sessions.requireKey(found, 'DescribeTable')
  debug(() => [`table ${TableName} does not exist`])
  debug(() => [`creating table ${TableName}, with params:`, input])
  try {
    await state.sessions.request('CreateTable', input)
  } catch (error) {
    debug(() => [`error creating table ${TableName}:`, error])
    // Another process was faster.
    if (error.code === 'ResourceInUseException') return waitUntilActive(state, TableName, waiting)
    throw error
  }
  await waitUntilActive(state, TableName, waiting)
  debug(() => [`table ${TableName} created`])
  const TimeToLiveSpecification = { AttributeName: state.settings.attributes.expires, Enabled: true }
  await state.sessions.request('UpdateTimeToLive', { TableName, TimeToLiveSpecification })
}

async function waitUntilActive(state, tableName, waiting) {
  let pause = FIRST_LOOK
  // The clock may be mocked, so the pauses are counted.
  for (let waited = 0; (await describe(state, tableName))?.TableStatus !== 'ACTIVE'; waited += pause) {
    if (waited > LONGEST_CREATION) throw new Error(`table "${tableName}" is not ACTIVE within ${LONGEST_CREATION} ms`)
    await sleep(pause, undefined, waiting)
    pause = Math.min(pause * 2, LATER_LOOKS)
  }
}

/** Nothing when there is no such table. */
async function describe(state, TableName) {
  try {
    return (await state.sessions.request('DescribeTable', { TableName })).Table
  } catch (error) {
    if (error.code === 'ResourceNotFoundException') return undefined
    throw error
  }
}

/** Whether the session was written within `touchAfter` seconds, or within a tenth of a lifetime that is shorter. */
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

/** The original's output of the package `debug`, but for ids. */
function debug(wordsOf) {
  if (!isWanted(process.env.DEBUG ?? '')) return
  process.stderr.write(`${isoOf(Date.now())} ${FACE} ${format(...wordsOf())}\n`)
}

/** Whether a list such as `express*,-express:router` names this face. */
function isWanted(list) {
  const matches = (pattern) => new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`).test(FACE)
  const patterns = list.split(/[\s,]+/).filter(Boolean)
  const isExcluded = patterns.some((pattern) => pattern[0] === '-' && matches(pattern.slice(1)))
  return !isExcluded && patterns.some(matches)
}

function escaped(text) {
  return text.replace(/[^\w]/g, '\\$&')
}

module.exports.DynamoDBStore = DynamoDBStore
