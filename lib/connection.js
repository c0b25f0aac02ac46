'use strict'

const bridge = require('./bridge.js')
const { optionsOfClient } = require('./client.js')
const { DynamoDBStoreError } = require('./error.js')
const { defined, nativeSettings } = require('./options.js')
const { isTracing, trace } = require('./trace.js')

/** The addon's store of one set of options, and its errors as DynamoDBStoreErrors. */
class Connection {
  #options
  #native
  #opening
  #release
  #isClosed = false
  #underWay = 0
  /** What the app's credentials function threw last, which the addon knows only as text. */
  #credentialsError

  constructor(options) {
    this.#options = options
    if (options.client === undefined) this.#openWith({})
  }

  /**
   * Runs an operation of the addon, `start(native, call, traced)`, and resolves to its completion. `sid` is
   * the session's id, for traces and errors; operations of the whole table have none.
   */
  async run(operation, sid, start) {
    if (this.#isClosed) throw this.error('ClosedError', 'the store is closed', operation)
    this.#underWay += 1
    try {
      const native = this.#native ?? (await this.#open(operation))
      if (!isTracing()) return this.#settle(await bridge.run((call) => start(native, call, false)), operation, sid)
      return await trace({ operation, tableName: this.#options.table }, sid, async (context) => {
        const completion = await bridge.run((call) => start(native, call, true))
        Object.assign(context, JSON.parse(completion.trace))
        return this.#settle(completion, operation, sid)
      })
    } finally {
      this.#underWay -= 1
      if (this.#isClosed) this.#letGo()
    }
  }

  /** Later operations fail; those under way finish. */
  close() {
    this.#isClosed = true
    this.#letGo()
  }

  #letGo() {
    if (this.#underWay > 0) return
    this.#native?.close()
    this.#release?.()
  }

  error(code, message, operation, cause) {
    return new DynamoDBStoreError(code, message, { operation, tableName: this.#options.table, cause })
  }

  #settle(completion, operation, sid) {
    const { table } = this.#options
    if (completion.warning !== undefined) {
      const { message } = DynamoDBStoreError.fromNative(completion.warning, operation, table, sid)
      process.emitWarning(message, { type: 'DynamoDBSessionWarning', code: 'DYNAMODB_SESSION_TABLE' })
    }
    if (!completion.failed) return completion
    const error = DynamoDBStoreError.fromNative(completion.text, operation, table, sid)
    if (error.code === 'CredentialsError') error.cause = this.#credentialsError ?? error.cause
    throw error
  }

  /** The addon's store, made of the client's configuration when that is known. */
  async #open(operation) {
    const { client, timeout } = this.#options
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
    const options = { ...taken, ...defined(this.#options) }
    const provide = typeof options.credentials === 'function' ? this.#providerOf(options.credentials) : undefined
    const { native, release } = bridge.open(nativeSettings(options), provide)
    this.#native = native
    this.#release = release
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

module.exports = { Connection }
