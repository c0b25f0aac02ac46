'use strict'

const { readFileSync } = require('node:fs')
const { answer, done, emitLater } = require('../answer.js')
const { DynamoDBStoreError } = require('../error.js')
const { watchGenerate } = require('../express-cookie.js')
const { fromNow } = require('../lifetime.js')
const { Sessions } = require('../sessions.js')
const { attributeTypes } = require('../special-keys.js')
const { STATE } = require('../state.js')
const { clearInterval, setInterval } = require('../timers.js')
const { optionsOfVersion2Config } = require('./aws-v2.js')
const { nativeOptions, optionsOf, warnOnce } = require('./options.js')

const FACE = 'connect-dynamodb'
const ONE_DAY = 86_400
const LONGEST_TIMER = 2 ** 31 - 1

/** Read here; `client` means the same as natively. */
const ownOptions = [
  'table',
  'prefix',
  'readCapacityUnits',
  'writeCapacityUnits',
  'specialKeys',
  'skipThrowMissingSpecialKeys',
  'reapInterval',
  'initialized',
  'AWSRegion',
  'AWSConfigPath',
  'AWSConfigJSON'
]

/** The face of connect-dynamodb 3, with the options of 2: gives the store class of the session package. */
function connectDynamoDB(connect) {
  const Base = connect?.Store ?? connect?.session?.Store
  if (typeof Base !== 'function') {
    throw new TypeError(
      `${FACE} takes express-session, or an object { session }. ` +
        "For a store with options, use the class: const { DynamoDBStore } = require('dynamodb-session')"
    )
  }

  return class DynamoDBStore extends Base {
    constructor(options) {
      super(options ?? {})
      const given = withoutNulls(options)
      this.initialized = given.initialized || given.createTable === false
      this.prefix = given.prefix ?? 'sess:'
      this.hashKey = given.hashKey ?? 'id'
      this.readCapacityUnits = parseInt(given.readCapacityUnits ?? 5, 10)
      this.writeCapacityUnits = parseInt(given.writeCapacityUnits ?? 5, 10)
      this.specialKeys = given.specialKeys ?? []
      this.skipThrowMissingSpecialKeys = Boolean(given.skipThrowMissingSpecialKeys)
      this.client = given.client
      this.table = given.table || 'sessions'
      this.reapInterval = given.reapInterval || 0
      const { AWSRegion, ...configuration } = configurationOf(given)
      if (AWSRegion !== undefined) this.AWSRegion = AWSRegion

      const native = nativeOptions(FACE, given, ownOptions)
      const settled = {
        ...native,
        ...configuration,
        table: String(this.table),
        prefix: String(this.prefix),
        hashKey: String(this.hashKey),
        touchAfter: native.touchAfter ?? 0,
        lifetime: lifetimeOf
      }
      settled.specialKeys = specialKeysOf(this.specialKeys, settled)
      const sessions = new Sessions(settled, (event, value) => emitLater(this, event, value))
      Object.defineProperty(this, STATE, {
        value: { sessions, options: settled, initializing: undefined, reaping: undefined }
      })
      watchGenerate(this, (cookie) => sessions.setCookieOptions(cookie))
      if (this.reapInterval > 0) reapOften(this)
    }

    /** Makes sure that the table is there and ACTIVE; calls at the same time share it. */
    initialize(...rest) {
      if (this.initialized) return answer(Promise.resolve(), rest)
      const state = this[STATE]
      state.initializing ??= prepareTable(this).finally(() => (state.initializing = undefined))
      return answer(state.initializing, rest)
    }

    describeSessionsTable() {
      return this[STATE].sessions.request('DescribeTable', {})
    }

    async createSessionsTable() {
      const { sessions, options } = this[STATE]
      const { hashKey, sortKey, newTable } = options
      if (newTable !== null) return { TableDescription: await sessions.createTable() }
      const keys = sortKey === undefined ? [hashKey] : [hashKey, sortKey]
      return sessions.request('CreateTable', {
        AttributeDefinitions: keys.map((name) => ({ AttributeName: name, AttributeType: 'S' })),
        KeySchema: keys.map((name, index) => ({ AttributeName: name, KeyType: ['HASH', 'RANGE'][index] })),
        ProvisionedThroughput: {
          ReadCapacityUnits: this.readCapacityUnits,
          WriteCapacityUnits: this.writeCapacityUnits
        }
      })
    }

    get(sid, ...rest) {
      return answer(
        run(this, () => this[STATE].sessions.get(textOf(sid))),
        rest,
        this[STATE].sessions
      )
    }

    /** The session of an answer of GetItem, or null. */
    getParsedSession(found) {
      const { sessions, options } = this[STATE]
      const { [options.attributes.session]: body, [options.attributes.expires]: expires } = found?.Item ?? {}
      const seconds = expires === undefined ? undefined : Number(expires.N)
      if (!body?.S || seconds <= Date.now() / 1000) return null
      return sessions.parse(body.S, Number.isFinite(seconds) ? seconds : undefined)
    }

    set(sid, session, ...rest) {
      // While the table may be missing, the request may have to be made again.
      const written = this.initialized ? session : asNow(session)
      return answer(done(run(this, () => set(this, textOf(sid), written))), rest, this[STATE].sessions)
    }

    /** Answers with the expiry, also where a touch was not needed or there is nothing to touch. */
    touch(sid, session, ...rest) {
      return answer(
        run(this, async () => {
          const touched = await this[STATE].sessions.touch(textOf(sid), session)
          const expires = String(touched ?? this.getExpiresValue(session))
          return { expires, Attributes: { expires: { N: expires } } }
        }),
        rest
      )
    }

    destroy(sid, ...rest) {
      return answer(
        run(this, () => this[STATE].sessions.destroy(textOf(sid))),
        rest,
        this[STATE].sessions
      )
    }

    /** When a session that is written now expires, in seconds since 1970. */
    getExpiresValue(session) {
      const { sessions, options } = this[STATE]
      const { ttl = lifetimeOf } = options
      return sessions.secondsOf(fromNow((typeof ttl === 'function' ? ttl(session) : ttl) * 1000))
    }

    /** Deletes the sessions with the store's prefix that have expired. */
    reap(...rest) {
      const state = this[STATE]
      state.reaping ??= run(this, () => reap(this)).finally(() => (state.reaping = undefined))
      return answer(state.reaping, rest)
    }

    clearInterval() {
      clearInterval(this._reap)
    }

    all(...rest) {
      return answer(
        run(this, () => this[STATE].sessions.all()),
        rest
      )
    }

    ids(...rest) {
      return answer(
        run(this, () => this[STATE].sessions.ids()),
        rest
      )
    }

    length(...rest) {
      return answer(
        run(this, () => this[STATE].sessions.length()),
        rest
      )
    }

    clear(...rest) {
      return answer(
        run(this, () => this[STATE].sessions.clear()),
        rest
      )
    }

    createTable(...rest) {
      return answer(createTable(this), rest)
    }

    describeTable(...rest) {
      return answer(this[STATE].sessions.describeTable(), rest)
    }

    stats() {
      return this[STATE].sessions.stats()
    }

    close(...rest) {
      this.clearInterval()
      return answer(this[STATE].sessions.close(), rest)
    }

    /** express-session makes a Session of what `get` returned. */
    createSession(request, session) {
      return this[STATE].sessions.createSession((...args) => super.createSession(...args), request, session)
    }
  }
}

/** Runs an operation, and once more when it was the first to miss the table, which is then created. */
async function run(store, operation) {
  const isTableKnown = store.initialized
  let value
  try {
    value = await operation()
  } catch (error) {
    if (isTableKnown || error.code !== 'ResourceNotFoundException') throw error
    await store.initialize()
    value = await operation()
  }
  store.initialized = true
  return value
}

async function prepareTable(store) {
  let status
  try {
    const { Table: table = {} } = (await store.describeSessionsTable()) ?? {}
    store[STATE].sessions.requireKey(table, 'DescribeTable')
    status = table.TableStatus
  } catch (error) {
    if (error.name !== 'ResourceNotFoundException') throw error
    status = await createMissingTable(store)
  }
  // What is being created is only waited for.
  if (status === 'CREATING') await store[STATE].sessions.createTable()
  store.initialized = true
}

async function createMissingTable(store) {
  try {
    return (await store.createSessionsTable())?.TableDescription?.TableStatus
  } catch (error) {
    if (error.name !== 'ResourceInUseException') throw error
    // Another process was faster.
    return 'CREATING'
  }
}

async function createTable(store) {
  if (store[STATE].options.newTable === null) await prepareTable(store)
  return store[STATE].sessions.createTable()
}

async function set(store, sid, session) {
  const { sessions, options } = store[STATE]
  if (!store.skipThrowMissingSpecialKeys) requireSpecialKeys(options, session)
  await sessions.set(sid, session)
}

function requireSpecialKeys({ specialKeys, table }, session) {
  const names = specialKeys.map(({ name }) => name)
  const missing = names.filter((name) => session?.[name] === undefined)
  if (missing.length === 0) return
  const message = `the session has no special keys ${JSON.stringify(missing)}`
  const details = { operation: 'PutItem', tableName: table }
  throw new DynamoDBStoreError('SerializationError', message, details)
}

async function reap(store) {
  const { sessions, options } = store[STATE]
  const { prefix, hashKey, attributes } = options
  const input = {
    FilterExpression: '#expires < :now',
    ProjectionExpression: '#key',
    ExpressionAttributeNames: { '#key': hashKey, '#expires': attributes.expires },
    ExpressionAttributeValues: { ':now': { N: String(Math.floor(Date.now() / 1000)) } }
  }
  do {
    const page = await sessions.request('Scan', input)
    const keys = page.Items.map((item) => item[hashKey].S).filter((key) => key.startsWith(prefix))
    for (const key of keys) await sessions.destroyExpired(key.slice(prefix.length))
    input.ExclusiveStartKey = page.LastEvaluatedKey
  } while (input.ExclusiveStartKey !== undefined)
}

function reapOften(store) {
  const reap = () => store.reap((error) => error && emitLater(store, 'reapError', error))
  store._reap = setInterval(reap, Math.min(store.reapInterval, LONGEST_TIMER)).unref()
}

/** The options that are set: null means the default, and for a client any falsy value. */
function withoutNulls(options) {
  const given = optionsOf(options ?? {})
  for (const name in given) if (given[name] === null) delete given[name]
  if (!given.client) delete given.client
  return given
}

/** Of the ways of 2.x to configure the service, the first that is used. */
function configurationOf({ client, AWSConfigPath, AWSConfigJSON, AWSRegion }) {
  if (client) return {}
  if (AWSConfigPath) return optionsOfVersion2Config(JSON.parse(readFileSync(AWSConfigPath, 'utf8')))
  if (AWSConfigJSON) return optionsOfVersion2Config(AWSConfigJSON)
  return AWSRegion ? { AWSRegion, region: AWSRegion } : {}
}

/** The special keys that can be written; of the others is warned. */
function specialKeysOf(given, { hashKey, sortKey, attributes, constants }) {
  const taken = [hashKey, sortKey, attributes.session, attributes.expires, ...constants.map(([name]) => name)]
  const complaintAbout = (specialKey) => {
    const { name, type } = specialKey ?? {}
    if (typeof name !== 'string' || name === '') return 'a special key without a name is left out'
    if (!attributeTypes.includes(type)) return `the special key ${name} has no type of DynamoDB's (it is left out)`
    return taken.includes(name)
      ? `the special key ${name} has the name of an attribute of every item (it is left out)`
      : undefined
  }
  return Array.from(given).filter((specialKey) => {
    const complaint = complaintAbout(specialKey)
    if (complaint !== undefined) warnOnce(FACE, complaint)
    return complaint === undefined
  })
}

/** Seconds that a session has to live. */
function lifetimeOf(session) {
  const maxAge = session.cookie?.maxAge
  return Number.isFinite(maxAge) ? maxAge / 1000 : ONE_DAY
}

/** Ids were once whatever makes a text. */
function textOf(sid) {
  return typeof sid === 'symbol' ? sid : String(sid)
}

/** The session as it is when it is first read, however often it is read. */
function asNow(session) {
  let json
  return { __proto__: session, ...session, toJSON: () => (json ??= JSON.parse(JSON.stringify(session))) }
}

module.exports = connectDynamoDB
