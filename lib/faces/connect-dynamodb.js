'use strict'

const { readFileSync } = require('node:fs')
const { answer, done } = require('../answer.js')
const { DynamoDBStoreError } = require('../error.js')
const { Sessions } = require('../sessions.js')
const { attributeTypes } = require('../special-keys.js')
const { optionsOfVersion2Config } = require('./aws-v2.js')
const { nativeOptions, warnOnce } = require('./options.js')

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
  if (typeof Base !== 'function') throw new TypeError(`${FACE} takes express-session, or an object { session }`)

  return class DynamoDBStore extends Base {
    #sessions
    #options
    #initializing
    #reaping

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
      this.#options = {
        ...native,
        ...configuration,
        table: String(this.table),
        prefix: String(this.prefix),
        hashKey: String(this.hashKey),
        touchAfter: native.touchAfter ?? 0,
        lifetime: lifetimeOf
      }
      this.#options.specialKeys = specialKeysOf(this.specialKeys, this.#options)
      this.#sessions = new Sessions(this.#options, (event, value) => this.#emit(event, value))
      if (this.reapInterval > 0) this.#reapOften()
    }

    /** Makes sure that the table is there and ACTIVE; calls at the same time share it. */
    initialize(...rest) {
      if (this.initialized) return answer(Promise.resolve(), rest)
      this.#initializing ??= this.#prepareTable().finally(() => (this.#initializing = undefined))
      return answer(this.#initializing, rest)
    }

    describeSessionsTable() {
      return this.#sessions.request('DescribeTable', {})
    }

    async createSessionsTable() {
      const { hashKey, sortKey, newTable } = this.#options
      if (newTable !== null) return { TableDescription: await this.#sessions.createTable() }
      const keys = sortKey === undefined ? [hashKey] : [hashKey, sortKey]
      return this.#sessions.request('CreateTable', {
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
        this.#run(() => this.#sessions.get(textOf(sid))),
        rest
      )
    }

    /** The session of an answer of GetItem, or null. */
    getParsedSession(found) {
      const { [this.#options.attributes.session]: body, [this.#options.attributes.expires]: expires } =
        found?.Item ?? {}
      if (!body?.S || Number(expires?.N) <= Date.now() / 1000) return null
      return this.#sessions.parse(body.S)
    }

    set(sid, session, ...rest) {
      // While the table may be missing, the request may have to be made again.
      const written = this.initialized ? session : asNow(session)
      return answer(done(this.#run(() => this.#set(textOf(sid), written))), rest)
    }

    /** Answers with the expiry, also where a touch was not needed or there is nothing to touch. */
    touch(sid, session, ...rest) {
      return answer(
        this.#run(async () => {
          const touched = await this.#sessions.touch(textOf(sid), session)
          const expires = String(touched ?? this.getExpiresValue(session))
          return { expires, Attributes: { expires: { N: expires } } }
        }),
        rest
      )
    }

    destroy(sid, ...rest) {
      return answer(
        this.#run(() => this.#sessions.destroy(textOf(sid))),
        rest
      )
    }

    /** When a session that is written now expires, in seconds since 1970. */
    getExpiresValue(session) {
      const { ttl = lifetimeOf } = this.#options
      return Math.floor(Date.now() / 1000 + (typeof ttl === 'function' ? ttl(session) : ttl))
    }

    /** Deletes the sessions with the store's prefix that have expired. */
    reap(...rest) {
      this.#reaping ??= this.#run(() => this.#reap()).finally(() => (this.#reaping = undefined))
      return answer(this.#reaping, rest)
    }

    clearInterval() {
      clearInterval(this._reap)
    }

    all(...rest) {
      return answer(
        this.#run(() => this.#sessions.all()),
        rest
      )
    }

    ids(...rest) {
      return answer(
        this.#run(() => this.#sessions.ids()),
        rest
      )
    }

    length(...rest) {
      return answer(
        this.#run(() => this.#sessions.length()),
        rest
      )
    }

    clear(...rest) {
      return answer(
        this.#run(() => this.#sessions.clear()),
        rest
      )
    }

    createTable(...rest) {
      return answer(this.#createTable(), rest)
    }

    describeTable(...rest) {
      return answer(this.#sessions.describeTable(), rest)
    }

    stats() {
      return this.#sessions.stats()
    }

    close(...rest) {
      this.clearInterval()
      return answer(this.#sessions.close(), rest)
    }

    /** express-session makes a Session of what `get` gave. */
    createSession(request, session) {
      const created = super.createSession(request, session)
      this.#sessions.handOver(session, created)
      return created
    }

    /** Runs an operation, and once more when it was the first to miss the table, which is then created. */
    async #run(operation) {
      const isTableKnown = this.initialized
      let value
      try {
        value = await operation()
      } catch (error) {
        if (isTableKnown || error.code !== 'ResourceNotFoundException') throw error
        await this.initialize()
        value = await operation()
      }
      this.initialized = true
      return value
    }

    async #prepareTable() {
      let status
      try {
        status = (await this.describeSessionsTable())?.Table?.TableStatus
      } catch (error) {
        if (error.name !== 'ResourceNotFoundException') throw error
        status = await this.#createMissingTable()
      }
      // What is being created is only waited for.
      if (status === 'CREATING') await this.#sessions.createTable()
      this.initialized = true
    }

    async #createMissingTable() {
      try {
        return (await this.createSessionsTable())?.TableDescription?.TableStatus
      } catch (error) {
        if (error.name !== 'ResourceInUseException') throw error
        // Another process was faster.
        return 'CREATING'
      }
    }

    async #createTable() {
      if (this.#options.newTable === null) await this.#prepareTable()
      return this.#sessions.createTable()
    }

    async #set(sid, session) {
      if (!this.skipThrowMissingSpecialKeys) this.#requireSpecialKeys(session)
      await this.#sessions.set(sid, session)
    }

    #requireSpecialKeys(session) {
      const names = this.#options.specialKeys.map(({ name }) => name)
      const missing = names.filter((name) => session?.[name] === undefined)
      if (missing.length === 0) return
      const message = `the session has no special keys ${JSON.stringify(missing)}`
      const details = { operation: 'PutItem', tableName: this.#options.table }
      throw new DynamoDBStoreError('SerializationError', message, details)
    }

    async #reap() {
      const { prefix, hashKey, attributes } = this.#options
      const input = {
        FilterExpression: '#expires < :now',
        ProjectionExpression: '#key',
        ExpressionAttributeNames: { '#key': hashKey, '#expires': attributes.expires },
        ExpressionAttributeValues: { ':now': { N: String(Math.floor(Date.now() / 1000)) } }
      }
      do {
        const page = await this.#sessions.request('Scan', input)
        const keys = page.Items.map((item) => item[hashKey].S).filter((key) => key.startsWith(prefix))
        for (const key of keys) await this.#sessions.destroyExpired(key.slice(prefix.length))
        input.ExclusiveStartKey = page.LastEvaluatedKey
      } while (input.ExclusiveStartKey !== undefined)
    }

    #reapOften() {
      const reap = () => this.reap((error) => error && this.#emit('reapError', error))
      this._reap = setInterval(reap, Math.min(this.reapInterval, LONGEST_TIMER)).unref()
    }

    #emit(event, value) {
      // What a listener throws is the app's, not the operation's. A Store need not be an EventEmitter.
      if (this.listenerCount?.(event) > 0) process.nextTick(() => this.emit(event, value))
    }
  }
}

/** The options that are set: null means the default, and for a client any falsy value. */
function withoutNulls(options) {
  const given = {}
  for (const name in options) if (options[name] !== null) given[name] = options[name]
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
  return { ...session, toJSON: () => (json ??= JSON.parse(JSON.stringify(session))) }
}

module.exports = connectDynamoDB
