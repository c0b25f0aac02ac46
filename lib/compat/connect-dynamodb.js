'use strict'

const { readFileSync } = require('node:fs')
const { callbackOrPromise, emitLater, withoutValue } = require('../callbacks.js')
const { DynamoDBStoreError } = require('../error.js')
const { fromNow } = require('../lifetime.js')
const { copyOptions, protectionNames } = require('../options.js')
const { attributeTypes } = require('../special-keys.js')
const { STATE } = require('../state.js')
const { clearInterval, setInterval } = require('../timers.js')
const { DEFAULT_CAPACITY, propertiesOf, nativeOptions, optionRows, settingsOf, warnOnce } = require('./options.js')
const { createExpressStore } = require('./store.js')
const { createTableInput, throughput, waitUntilActive } = require('./table.js')

const PACKAGE = 'connect-dynamodb'
const ONE_DAY = 86_400
const LONGEST_TIMER = 2 ** 31 - 1

const integer = (value) => parseInt(value, 10)

const rows = optionRows({
  initialized: {},
  prefix: { property: 'prefix', native: 'prefix', default: 'sess:' },
  hashKey: { property: 'hashKey', native: 'hashKey', default: 'id', isNative: true },
  readCapacityUnits: { property: 'readCapacityUnits', default: DEFAULT_CAPACITY, convert: integer },
  writeCapacityUnits: { property: 'writeCapacityUnits', default: DEFAULT_CAPACITY, convert: integer },
  specialKeys: { property: 'specialKeys', convert: (specialKeys = []) => specialKeys },
  skipThrowMissingSpecialKeys: { property: 'skipThrowMissingSpecialKeys', convert: Boolean },
  client: { property: 'client', isNative: true },
  table: { property: 'table', native: 'table', convert: (name) => name || 'sessions' },
  reapInterval: { property: 'reapInterval', convert: (milliseconds) => milliseconds || 0 },
  AWSRegion: {},
  AWSConfigPath: {},
  AWSConfigJSON: {}
})

/**
 * Compatible with the factory of connect-dynamodb 3, which returns the class of stores for a session package. The class
 * also accepts the options of version 2.
 */
function connectDynamoDB(connect) {
  const Base = connect?.Store ?? connect?.session?.Store
  if (typeof Base !== 'function') {
    throw new TypeError(
      "require('dynamodb-session') is a factory that takes express-session or an object { session }, like connect-dynamodb. " +
        "To create a store: const { DynamoDBStore } = require('dynamodb-session')"
    )
  }

  return class DynamoDBStore extends createExpressStore(Base, run) {
    constructor(options) {
      super(options ?? {})
      const given = withoutNulls(options)
      Object.assign(this, propertiesOf(rows, given))
      this.initialized = given.initialized || given.createTable === false
      const { AWSRegion, ...connection } = connectionOf(given)
      if (AWSRegion !== undefined) this.AWSRegion = AWSRegion
      const native = nativeOptions(PACKAGE, rows, given)
      const state = this[STATE]
      state.settings = {
        ...settingsOf(rows, this, native),
        ...connection,
        touchAfter: native.touchAfter ?? 0,
        lifetime: lifetimeOf
      }
      state.settings.specialKeys = validSpecialKeys(this.specialKeys, state.settings)
      state.open(state.settings)
      if (this.reapInterval > 0) startReaping(this)
    }

    /**
     * Creates the table if it does not exist, and waits until it is ACTIVE. Concurrent calls share one initialization.
     */
    initialize(...rest) {
      if (this.initialized) return callbackOrPromise(Promise.resolve(), rest)
      const state = this[STATE]
      state.initializing ??= prepareTable(this).finally(() => (state.initializing = undefined))
      return callbackOrPromise(state.initializing, rest)
    }

    describeSessionsTable() {
      return this[STATE].sessions.request('DescribeTable', {})
    }

    async createSessionsTable() {
      const { sessions, settings } = this[STATE]
      const { hashKey, sortKey, newTable } = settings
      if (newTable !== null) return { TableDescription: await sessions.createTable() }
      const input = createTableInput([hashKey, sortKey], { ProvisionedThroughput: throughput(this) }, settings)
      return sessions.request('CreateTable', input)
    }

    get(sid, ...rest) {
      return super.get(textOf(sid), ...rest)
    }

    /** The session in a response of GetItem, or null. */
    getParsedSession(found) {
      const { sessions, settings } = this[STATE]
      const { text, expires, isExpired, lacksKey } = decodedSession(sessions, settings, found?.Item)
      if (lacksKey) {
        const message = 'the session is encrypted, and its key is not among those of option encryption'
        throw new DynamoDBStoreError('EncryptionKeyError', message, { retryable: true })
      }
      return !text || isExpired ? null : sessions.parse(text, expires)
    }

    set(sid, session, ...rest) {
      // If the table may be missing, the session may have to be written a second time.
      const written = this.initialized ? session : atFirstRead(session)
      const writing = run(this, (sessions) => set(this, sessions, textOf(sid), written))
      return callbackOrPromise(withoutValue(writing), rest, this[STATE].sessions)
    }

    /** Resolves to the expiry, even if no request was necessary or the session does not exist. */
    touch(sid, session, ...rest) {
      const touching = run(this, async (sessions) => {
        const touched = await sessions.touch(textOf(sid), session)
        const expires = String(touched ?? this.getExpiresValue(session))
        return { expires, Attributes: { expires: { N: expires } } }
      })
      return callbackOrPromise(touching, rest)
    }

    destroy(sid, ...rest) {
      return super.destroy(textOf(sid), ...rest)
    }

    /** The expiry of a session if it were written now, in seconds since 1970. */
    getExpiresValue(session) {
      const { sessions, settings } = this[STATE]
      const { ttl = lifetimeOf } = settings
      return sessions.secondsOf(fromNow((typeof ttl === 'function' ? ttl(session) : ttl) * 1000))
    }

    /** Deletes the expired sessions with the prefix of the store. */
    reap(...rest) {
      const state = this[STATE]
      const reaping = (sessions) => reap(sessions, state.settings)
      state.reaping ??= run(this, reaping).finally(() => (state.reaping = undefined))
      return callbackOrPromise(state.reaping, rest)
    }

    clearInterval() {
      clearInterval(this._reap)
    }

    all(...rest) {
      const reading = run(this, (sessions) => sessions.all())
      return callbackOrPromise(reading, rest)
    }

    ids(...rest) {
      const reading = run(this, (sessions) => sessions.ids())
      return callbackOrPromise(reading, rest)
    }

    length(...rest) {
      const counting = run(this, (sessions) => sessions.length())
      return callbackOrPromise(counting, rest)
    }

    clear(...rest) {
      const clearing = run(this, (sessions) => sessions.clear())
      return callbackOrPromise(clearing, rest)
    }

    createTable(...rest) {
      return callbackOrPromise(createTable(this), rest)
    }

    describeTable(...rest) {
      return callbackOrPromise(this[STATE].sessions.describeTable(), rest)
    }

    close(...rest) {
      this.clearInterval()
      return super.close(...rest)
    }
  }
}

/** Runs an operation. If it is the first one and the table is missing, creates the table and runs it again. */
async function run(store, operation) {
  const { sessions } = store[STATE]
  const wasInitialized = store.initialized
  let value
  try {
    value = await operation(sessions)
  } catch (error) {
    if (wasInitialized || error.code !== 'ResourceNotFoundException') throw error
    await store.initialize()
    value = await operation(sessions)
  }
  store.initialized = true
  return value
}

async function prepareTable(store) {
  const { sessions } = store[STATE]
  let status
  try {
    const { Table: table = {} } = (await store.describeSessionsTable()) ?? {}
    sessions.requireKey(table)
    status = table.TableStatus
  } catch (error) {
    if (error.name !== 'ResourceNotFoundException') throw error
    status = await createMissingTable(store)
  }
  if (status === 'CREATING') await waitUntilActive(sessions)
  store.initialized = true
}

async function createMissingTable(store) {
  try {
    return (await store.createSessionsTable())?.TableDescription?.TableStatus
  } catch (error) {
    if (error.name !== 'ResourceInUseException') throw error
    // Another process has just created the table.
    return 'CREATING'
  }
}

async function createTable(store) {
  const { sessions, settings } = store[STATE]
  if (settings.newTable === null) await prepareTable(store)
  return sessions.createTable()
}

async function set(store, sessions, sid, session) {
  if (!store.skipThrowMissingSpecialKeys) requireSpecialKeys(store[STATE].settings, session)
  await sessions.set(sid, session)
}

function requireSpecialKeys({ specialKeys, table }, session) {
  const names = specialKeys.map(({ name }) => name)
  const missing = names.filter((name) => session?.[name] === undefined)
  if (missing.length === 0) return
  const message = `the session does not have the special keys ${JSON.stringify(missing)}`
  const details = { operation: 'PutItem', tableName: table }
  throw new DynamoDBStoreError('SerializationError', message, details)
}

/** Decodes what the store writes in an item. The other attributes may have values that only the AWS SDK reads. */
function decodedSession(sessions, { hashKey, sortKey, attributes }, item) {
  const names = [hashKey, sortKey, attributes.session, attributes.expires, attributes.created].filter(Boolean)
  try {
    return sessions.decodeItem(Object.fromEntries(names.map((name) => [name, withBase64(item[name])])))
  } catch {
    return {}
  }
}

/** An attribute value of the AWS SDK, whose bytes are a Uint8Array, as JSON has it. */
function withBase64(value) {
  return value?.B instanceof Uint8Array ? { B: Buffer.from(value.B).toString('base64') } : value
}

async function reap(sessions, { hashKey, attributes }) {
  const input = {
    FilterExpression: '#expires < :now',
    ProjectionExpression: '#key',
    ExpressionAttributeNames: { '#key': hashKey, '#expires': attributes.expires },
    ExpressionAttributeValues: { ':now': { N: String(Math.floor(Date.now() / 1000)) } }
  }
  do {
    const page = await sessions.request('Scan', input)
    const ids = page.Items.map((item) => sessions.decodeItem(item).id).filter((id) => id !== undefined)
    for (const id of ids) await sessions.destroyExpired(id)
    input.ExclusiveStartKey = page.LastEvaluatedKey
  } while (input.ExclusiveStartKey !== undefined)
}

function startReaping(store) {
  const reap = () => store.reap((error) => error && emitLater(store, 'reapError', error))
  store._reap = setInterval(reap, Math.min(store.reapInterval, LONGEST_TIMER)).unref()
}

/**
 * The options that are set. For the client, any falsy value means that it is not set. An option that protects sessions is
 * not left out.
 */
function withoutNulls(options) {
  const given = copyOptions(options ?? {})
  for (const name in given) if (given[name] === null && !protectionNames.includes(name)) delete given[name]
  if (!given.client) delete given.client
  return given
}

/** Where the service is and how to sign requests, from the first of these options that is set. */
function connectionOf({ client, AWSConfigPath, AWSConfigJSON, AWSRegion }) {
  if (client) return {}
  const { optionsOfVersion2Config } = require('./aws-v2.js')
  if (AWSConfigPath) return optionsOfVersion2Config(JSON.parse(readFileSync(AWSConfigPath, 'utf8')))
  if (AWSConfigJSON) return optionsOfVersion2Config(AWSConfigJSON)
  return AWSRegion ? { AWSRegion, region: AWSRegion } : {}
}

/** The special keys that can be written. The others are ignored with a warning. */
function validSpecialKeys(given, { hashKey, sortKey, attributes, constants }) {
  const taken = [hashKey, sortKey, attributes.session, attributes.expires, ...constants.map(([name]) => name)]
  const complaintAbout = (specialKey) => {
    const { name, type } = specialKey ?? {}
    if (typeof name !== 'string' || name === '') return 'it has no name'
    if (!attributeTypes.includes(type)) return `the type of ${name} is not a DynamoDB type`
    return taken.includes(name) ? `${name} would overwrite an attribute of the item` : undefined
  }
  return Array.from(given).filter((specialKey) => {
    const complaint = complaintAbout(specialKey)
    if (complaint !== undefined) warnOnce(PACKAGE, `ignored a special key: ${complaint}`)
    return complaint === undefined
  })
}

/** The lifetime of a session in seconds. */
function lifetimeOf(session) {
  const maxAge = session.cookie?.maxAge
  return Number.isFinite(maxAge) ? maxAge / 1000 : ONE_DAY
}

/** The replaced package converts any session ID to a string. The store rejects one that has no string form. */
function textOf(sid) {
  try {
    return `${sid}`
  } catch {
    return sid
  }
}

/** A view of the session that serializes to the same JSON every time. */
function atFirstRead(session) {
  let json
  return { __proto__: session, ...session, toJSON: () => (json ??= JSON.parse(JSON.stringify(session))) }
}

module.exports = connectDynamoDB
