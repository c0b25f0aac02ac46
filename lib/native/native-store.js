'use strict'

const bridge = require('./bridge.js')
const { environmentVariables } = require('./environment.js')
const { DynamoDBStoreError } = require('../error.js')
const { defined, nativeSettings } = require('../options.js')
const { isTracing, trace } = require('../tracing.js')

// client.js and offline.js use these timers but load later, when a test may have replaced them.
require('../timers.js')

/** The addon's store of one set of options, and its errors as DynamoDBStoreErrors. */
class Connection {
  #options
  #native
  #opening
  #closeNative
  #isClosed = false
  /** Whether the next operation hands over the environment: the first one, and each one after a failure. */
  #wantsEnvironment = true
  #underWay = 0
  #offline
  /** Operations by their names, and failures by their codes, since the store was made. */
  #operations = new Map()
  #errors = new Map()
  /** What the app's credentials function threw last, which the addon knows only as text. */
  #credentialsError

  /** `emit(event)` tells of `disconnect` and `connect`. */
  constructor(options, emit) {
    this.#options = options
    const { offlineAfter } = options
    if (offlineAfter !== undefined) {
      const { Offline } = require('../offline.js')
      this.#offline = new Offline(offlineAfter, () => this.#probe(), emit)
    }
    if (options.client === undefined) this.#openWith({})
  }

  /**
   * Runs an operation of the addon, `start(native, call, traced)`, and resolves to its completion. `sid` is
   * the session's id, for traces and errors; operations of the whole table have none.
   */
  async run(operation, sid, start) {
    this.#refuse(operation)
    count(this.#operations, operation)
    this.#underWay += 1
    const answers = this.#offline?.answers
    try {
      const native = this.#native ?? (await this.#open(operation))
      if (this.#wantsEnvironment) this.#handOverEnvironment(native)
      const completion = isTracing()
        ? await this.#runTraced(operation, sid, (call) => start(native, call, true))
        : this.#settle(await bridge.run((call) => start(native, call, false)), operation, sid)
      this.#offline?.hear()
      return completion
    } catch (error) {
      this.#wantsEnvironment = true
      this.#offline?.hear(error, answers)
      throw error
    } finally {
      this.#underWay -= 1
      if (this.#isClosed) this.#letGo()
    }
  }

  #handOverEnvironment(native) {
    native.setEnvironment(environmentVariables(), new Date().getTimezoneOffset())
    this.#wantsEnvironment = false
  }

  #runTraced(operation, sid, start) {
    return trace({ operation, tableName: this.#options.table }, sid, async (context) => {
      const completion = await bridge.run(start)
      // The SDK, which sends the requests that manage and scan the table, reports none.
      if (completion.trace !== undefined) Object.assign(context, JSON.parse(completion.trace))
      return this.#settle(completion, operation, sid)
    })
  }

  #refuse(operation) {
    if (this.#isClosed) throw this.error('ClosedError', 'the store is closed', operation)
    const { maxPending } = this.#options
    if (this.#underWay < maxPending) return
    const message = `${maxPending} operations are under way, and option maxPending allows no more`
    throw Object.assign(this.error('OverloadedError', message, operation), { retryable: true })
  }

  /** Asks the service for a session that is not there. */
  async #probe() {
    const key = `${this.#options.prefix}probe`
    const completion = await bridge.run((call) => this.#native.get(call, key, Date.now(), false), false)
    if (completion.failed) throw DynamoDBStoreError.fromNative(completion.text, 'GetItem', this.#options)
  }

  /** What the store has done so far; index.d.ts tells it. */
  stats() {
    return {
      operations: Object.fromEntries(this.#operations),
      errors: Object.fromEntries(this.#errors),
      inFlight: this.#underWay,
      ...(this.#native === undefined ? nothingSent : JSON.parse(this.#native.stats()))
    }
  }

  /** Later operations fail; those under way finish. */
  close() {
    this.#isClosed = true
    this.#offline?.stop()
    this.#letGo()
  }

  #letGo() {
    if (this.#underWay > 0) return
    this.#closeNative?.()
  }

  error(code, message, operation, cause) {
    count(this.#errors, code)
    return new DynamoDBStoreError(code, message, { operation, tableName: this.#options.table, cause })
  }

  #settle(completion, operation, sid) {
    if (completion.warning !== undefined) {
      const { code, message } = DynamoDBStoreError.fromNative(completion.warning, operation, this.#options, sid)
      // A problem of the settings is not one of the table.
      const subject = code === 'ConfigError' ? 'CONFIG' : 'TABLE'
      process.emitWarning(message, { type: 'DynamoDBSessionWarning', code: `DYNAMODB_SESSION_${subject}` })
    }
    if (!completion.failed) return completion
    const error = DynamoDBStoreError.fromNative(completion.text, operation, this.#options, sid)
    count(this.#errors, error.code)
    if (error.code === 'CredentialsError') error.cause = this.#credentialsError ?? error.cause
    throw error
  }

  /** The addon's store, made of the client's configuration when that is known. */
  async #open(operation) {
    const { client, timeout } = this.#options
    const { optionsOfClient } = require('../client.js')
    const opening = (this.#opening ??= optionsOfClient(client, timeout).then((taken) => this.#openWith(taken)))
    try {
      await opening
      return this.#native
    } catch (error) {
      // The next operation may find it better.
      if (this.#opening === opening) this.#opening = undefined
      throw this.error('ConfigError', 'the settings of the client cannot be read', operation, error)
    }
  }

  #openWith(taken) {
    const options = { __proto__: null, ...taken, ...defined(this.#options) }
    const provide = typeof options.credentials === 'function' ? this.#providerOf(options.credentials) : undefined
    const { native, close } = bridge.open(nativeSettings(options), provide)
    this.#native = native
    this.#closeNative = close
  }

  #providerOf(credentials) {
    return async () => {
      this.#credentialsError = undefined
      try {
        return await credentials()
      } catch (error) {
        this.#credentialsError = error
        throw error
      }
    }
  }
}

const nothingSent = {
  retries: 0,
  backupReads: 0,
  throttles: 0,
  throttlingReasons: {},
  bytes: { sent: 0, received: 0 },
  pool: { open: 0, idle: 0 },
  dns: { failures: 0, fallbacks: 0 }
}

function count(counts, name) {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

module.exports = { Connection }
