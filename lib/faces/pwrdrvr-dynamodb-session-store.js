'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { format } = require('node:util')
const { answer, done } = require('../answer.js')
const { findBase } = require('../base.js')
const { isJavaScriptClient } = require('../client.js')
const { Sessions } = require('../sessions.js')
const { hashOf } = require('../trace.js')
const { pwrdrvr: layout } = require('./layouts.js')
const { nativeOptions, warnOnce } = require('./options.js')

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
class DynamoDBStore extends findBase(module.parent?.filename) {
  #sessions
  #settings
  #tableName
  #hashKey
  #prefix
  #touchAfter
  /** The creation of the table, while it goes on. */
  #creation

  constructor(options) {
    super()
    const { dynamoDBClient, tableName = 'sessions', touchAfter = 3600 } = options
    const { hashKey = layout.hashKey, prefix = layout.prefix } = options
    const { createTableOptions, useStronglyConsistentReads = false } = options
    if (dynamoDBClient && !isJavaScriptClient(dynamoDBClient)) {
      warnOnce(FACE, 'option dynamoDBClient is no DynamoDBClient (it is left out)')
    }
    this.#tableName = tableName
    this.#hashKey = hashKey
    this.#prefix = prefix
    this.#touchAfter = touchAfter
    this.#settings = {
      ...nativeOptions(FACE, options, OWN_OPTIONS),
      ...(isJavaScriptClient(dynamoDBClient) && { client: dynamoDBClient }),
      table: `${tableName}`,
      hashKey: `${hashKey}`,
      prefix: `${prefix}`,
      format: layout.format,
      constants: layout.constants,
      stamp: {
        field: 'lastModified',
        value: (now) => (touchAfter === 0 ? undefined : isoOf(now)),
        attribute: (now) => ({ S: isoOf(now) })
      },
      isFresh: () => false
    }
    this.useStronglyConsistentReads = useStronglyConsistentReads
    Object.defineProperty(this, 'client', { value: this.#settings.client })
    if (createTableOptions) this.#createInBackground(createTableOptions)
  }

  static async create(options) {
    const { createTableOptions } = options
    const store = new this({ ...options, createTableOptions: undefined })
    if (createTableOptions) await store.#createTable(createTableOptions)
    return store
  }

  get tableName() {
    return this.#tableName
  }

  get hashKey() {
    return this.#hashKey
  }

  get prefix() {
    return this.#prefix
  }

  get touchAfter() {
    return this.#touchAfter
  }

  get useStronglyConsistentReads() {
    return this.#settings.consistentRead
  }

  set useStronglyConsistentReads(value) {
    const consistentRead = Boolean(value)
    if (this.#sessions !== undefined && consistentRead === this.#settings.consistentRead) return
    this.#settings.consistentRead = consistentRead
    this.#sessions = new Sessions(this.#settings, (event, value) => {
      if (this.listenerCount(event) > 0) process.nextTick(() => this.emit(event, value))
    })
  }

  get(sid, ...rest) {
    return answer(
      this.#onceCreated(() => this.#sessions.get(sid)),
      rest
    )
  }

  set(sid, session, ...rest) {
    return answer(done(this.#onceCreated(() => this.#sessions.set(sid, session))), rest)
  }

  touch(sid, session, ...rest) {
    return answer(this.#touch(sid, session), rest)
  }

  destroy(sid, ...rest) {
    return answer(
      this.#onceCreated(() => this.#sessions.destroy(sid)),
      rest
    )
  }

  stats() {
    return this.#sessions.stats()
  }

  async #touch(sid, session) {
    if (isFresh(session, this.#touchAfter)) {
      debug(() => [`Skip touching session=${hashOf(sid)}`])
      return this.#sessions.touchSaved()
    }
    // Before anything is awaited: express-session renews the cookie of a session that it then finds changed.
    if (typeof session === 'object' && session !== null) session.lastModified = isoOf(Date.now())
    await this.#onceCreated(() => this.#sessions.touch(sid, session))
  }

  /** Runs an operation, after the creation of the table if that goes on. */
  #onceCreated(operation) {
    return this.#creation === undefined ? operation() : this.#creation.then(operation)
  }

  #createInBackground(createTableOptions) {
    this.#creation = this.#createTable(createTableOptions, { ref: false }).then(
      () => (this.#creation = undefined),
      (error) => {
        this.#creation = undefined
        warnOnce(FACE, `the table could not be created (${error.message})`)
      }
    )
  }

  /** Creates the table unless it is there, waits until it is ACTIVE, and enables its time to live. */
  async #createTable(createTableOptions, waiting) {
    const input = {
      TableName: this.#tableName,
      AttributeDefinitions: [{ AttributeName: this.#hashKey, AttributeType: 'S' }],
      KeySchema: [{ AttributeName: this.#hashKey, KeyType: 'HASH' }],
      ...(createTableOptions.ProvisionedThroughput === undefined && { BillingMode: 'PAY_PER_REQUEST' }),
      ...createTableOptions
    }
    const { TableName } = input
    if ((await this.#statusOf(TableName)) !== undefined) return
    debug(() => [`table ${TableName} does not exist`])
    debug(() => [`creating table ${TableName}, with params:`, input])
    try {
      await this.#sessions.request('CreateTable', input)
    } catch (error) {
      debug(() => [`error creating table ${TableName}:`, error])
      // Another process was faster.
      if (error.code === 'ResourceInUseException') return this.#waitUntilActive(TableName, waiting)
      throw error
    }
    await this.#waitUntilActive(TableName, waiting)
    debug(() => [`table ${TableName} created`])
    const TimeToLiveSpecification = { AttributeName: this.#settings.attributes.expires, Enabled: true }
    await this.#sessions.request('UpdateTimeToLive', { TableName, TimeToLiveSpecification })
  }

  async #waitUntilActive(tableName, waiting) {
    const deadline = Date.now() + LONGEST_CREATION
    for (
      let pause = FIRST_LOOK;
      (await this.#statusOf(tableName)) !== 'ACTIVE';
      pause = Math.min(pause * 2, LATER_LOOKS)
    ) {
      if (Date.now() > deadline) throw new Error(`table "${tableName}" is not ACTIVE within ${LONGEST_CREATION} ms`)
      await sleep(pause, undefined, waiting)
    }
  }

  /** Nothing when there is no such table. */
  async #statusOf(TableName) {
    try {
      return (await this.#sessions.request('DescribeTable', { TableName })).Table.TableStatus
    } catch (error) {
      if (error.code === 'ResourceNotFoundException') return undefined
      throw error
    }
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
