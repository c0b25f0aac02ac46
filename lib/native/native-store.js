'use strict'

const bridge = require('./bridge.js')
const { environmentVariables } = require('./environment.js')
const { operations } = require('./operations.js')
const { nativeSettings } = require('./settings.js')
const { DynamoDBStoreError } = require('../error.js')
const { plainJson } = require('../json.js')
const { withoutUndefined } = require('../options.js')
const { addServer, addTrace, isTracing, trace } = require('../tracing.js')

// Captures the real timers now. The files that use them are loaded later, when a test may have replaced them.
require('../timers.js')

/** A store of the addon with promises, DynamoDBStoreErrors, traces, and statistics. */
class NativeStore {
  #options
  #native
  #opening
  #closeNative
  #isClosed = false
  /** Whether the next operation passes the environment to the addon. True for the first one, and after a failure. */
  #needsEnvironment = true
  #inFlight = 0
  #offlineDetector
  /** What the last traced request has reported; see ../tracing.js. */
  #lastTrace
  /** The number of operations by name and of failures by code, since the store was created. */
  #operations = new Map()
  #errors = new Map()
  /** The last errors that the app's functions threw, by the code of the errors that they cause. */
  #thrown = { __proto__: null, CredentialsError: undefined, EncryptionKeyError: undefined }

  /** Calls `emit(event)` with `disconnect` and `connect`. */
  constructor(options, emit) {
    this.#options = options
    const { offlineAfter } = options
    if (offlineAfter !== undefined) {
      const { OfflineDetector } = require('../offline-detector.js')
      this.#offlineDetector = new OfflineDetector(offlineAfter, () => this.#probe(), emit)
    }
    if (options.client === undefined) this.#open({})
  }

  /**
   * Runs an operation of the addon with the session ID and `args`, and resolves to its completion. Operations on the
   * whole table have no session ID.
   */
  run(operation, sid, ...args) {
    return this.send(operation, sid, args)
  }

  /** Runs an operation between `begin` and `end`. */
  runHeld(operation, sid, ...args) {
    const series = this.openSeries(operation, sid)
    return series.run(() => series.send(operation, ...args))
  }

  /** Several requests between `begin` and `end` that count as one operation. */
  openSeries(operation, sid) {
    count(this.#operations, operation.name)
    return new Series(this, operation, sid)
  }

  /** Sends a request of the addon, alone or as part of a series. */
  async send(operation, sid, args, series) {
    if (series === undefined) {
      this.begin(operation)
      count(this.#operations, operation.name)
    }
    const responses = this.#offlineDetector?.responses
    try {
      const native = this.#native ?? (await this.#openWithClient(operation))
      if (this.#needsEnvironment) this.#passEnvironment(native)
      const traced = series === undefined ? isTracing() : series.context !== undefined
      const reportsCapacity = traced || operation.reportsCapacity
      const start =
        sid === undefined
          ? (call) => native[operation.method](call, ...args, reportsCapacity)
          : (call) => native[operation.method](call, sid, ...args, reportsCapacity)
      const completion = traced
        ? await this.#complete(operation, sid, start, series)
        : this.#unwrap(operation, sid, await bridge.run(start), series)
      this.#offlineDetector?.record()
      return completion
    } catch (error) {
      this.#needsEnvironment = true
      this.#offlineDetector?.record(error, responses)
      throw error
    } finally {
      if (series === undefined) this.end()
    }
  }

  /** Sends any request of DynamoDB's API to the table; resolves to the text of the response. */
  async request(name, input) {
    const body = plainJson({ TableName: this.#options.table, ...input })
    const { text } = await this.run({ ...operations.request, name }, undefined, name, body)
    return text
  }

  /**
   * Counts an operation as one in progress until `end`. Throws if the store is closed or has too many operations in
   * progress.
   */
  begin(operation) {
    if (this.#isClosed) throw this.createError(operation, 'ClosedError', 'the store is closed')
    const { maxPending } = this.#options
    if (this.#inFlight < maxPending) return void (this.#inFlight += 1)
    const message = `${maxPending} operations are in progress, which is the limit set by the maxPending option`
    throw Object.assign(this.createError(operation, 'OverloadedError', message), { retryable: true })
  }

  end() {
    this.#inFlight -= 1
    if (this.#isClosed) this.#closeWhenIdle()
  }

  #passEnvironment(native) {
    native.setEnvironment(environmentVariables(), new Date().getTimezoneOffset())
    this.#needsEnvironment = false
  }

  /** Runs `run(context)` as one operation in the trace. */
  trace(operation, sid, run) {
    const context = { operation: operation.name, tableName: this.#options.table }
    if (this.#lastTrace !== undefined) addServer(context, this.#lastTrace)
    return trace(context, sid, run)
  }

  /** The promise of the completion of a request that is traced. */
  #complete(operation, sid, start, series) {
    if (series === undefined) {
      return this.trace(operation, sid, (context) => this.#complete(operation, sid, start, { attempts: 0, context }))
    }
    return bridge.run(start).then((completion) => {
      // Operations that manage or scan the table send several requests, so they report only the server.
      this.#lastTrace = JSON.parse(completion.trace ?? this.#native.serverTrace())
      addTrace(series.context, this.#lastTrace)
      return this.#unwrap(operation, sid, completion, series)
    })
  }

  /** The completion of an operation that succeeded; throws the error of one that failed. */
  #unwrap({ name }, sid, completion, series) {
    if (completion.warning !== undefined) {
      const { code, message } = DynamoDBStoreError.fromNative(completion.warning, name, this.#options, sid)
      const subject = code === 'ConfigError' ? 'CONFIG' : 'TABLE'
      process.emitWarning(message, { type: 'DynamoDBSessionWarning', code: `DYNAMODB_SESSION_${subject}` })
    }
    if (!completion.failed) {
      if (series !== undefined) series.attempts += 1
      return completion
    }
    const error = DynamoDBStoreError.fromNative(completion.text, name, this.#options, sid)
    count(this.#errors, error.code)
    if (series !== undefined) error.$metadata.attempts += series.attempts
    const thrown = this.#thrown[error.code]
    if (thrown !== undefined) error.cause = thrown
    throw error
  }

  /** An error of an operation that does not come from the addon. `stats` counts it. */
  createError({ name }, code, message, cause) {
    count(this.#errors, code)
    return new DynamoDBStoreError(code, message, { operation: name, tableName: this.#options.table, cause })
  }

  /** Reads a session that does not exist, to find out whether the service responds. */
  async #probe() {
    const completion = await bridge.run((call) => this.#native.get(call, 'probe', Date.now(), false), false)
    if (completion.failed) throw DynamoDBStoreError.fromNative(completion.text, operations.get.name, this.#options)
  }

  /** The Region, the host, and the port that requests go to, as far as an operation has determined them. */
  server() {
    const server = {}
    if (this.#native !== undefined) addServer(server, JSON.parse(this.#native.serverTrace()))
    return server
  }

  /** Statistics since the store was created. index.d.ts documents them. */
  stats() {
    return {
      operations: Object.fromEntries(this.#operations),
      errors: Object.fromEntries(this.#errors),
      inFlight: this.#inFlight,
      ...(this.#native === undefined ? nothingSent : JSON.parse(this.#native.stats()))
    }
  }

  /** Later operations fail. Operations in progress finish. */
  close() {
    this.#isClosed = true
    this.#offlineDetector?.stop()
    this.#closeWhenIdle()
  }

  #closeWhenIdle() {
    if (this.#inFlight === 0) this.#closeNative?.()
  }

  /** Opens the addon's store with the settings of the app's client; resolves to it. */
  async #openWithClient(operation) {
    const { client, timeout } = this.#options
    const { optionsOfClient } = require('../sdk-client.js')
    const opening = (this.#opening ??= optionsOfClient(client, timeout).then((options) => this.#open(options)))
    try {
      await opening
      return this.#native
    } catch (error) {
      // The next operation tries again.
      if (this.#opening === opening) this.#opening = undefined
      throw this.createError(operation, 'ConfigError', 'cannot read the settings of option client', error)
    }
  }

  /** Opens the addon's store. The app's own options take precedence over `clientOptions`. */
  #open(clientOptions) {
    const options = { __proto__: null, ...clientOptions, ...withoutUndefined(this.#options) }
    const { credentials, encryption } = options
    const { native, close } = bridge.open(nativeSettings(options), {
      credentials:
        typeof credentials === 'function'
          ? this.#keepingError('CredentialsError', bridge.credentialsJson, credentials)
          : undefined,
      keys: encryption?.provide && this.#keepingError('EncryptionKeyError', bridge.keysJson, encryption.provide)
    })
    this.#native = native
    this.#closeNative = close
  }

  /** Calls a function of the app by `toJson(provide)`. Its last error is kept, because the addon gets only a text. */
  #keepingError(code, toJson, provide) {
    const kept = async () => {
      this.#thrown[code] = undefined
      try {
        return await provide()
      } catch (error) {
        this.#thrown[code] = error
        throw error
      }
    }
    return () => toJson(kept)
  }
}

/** Several requests for one session that share a trace. */
class Series {
  /** The number of attempts, or of responses if the requests are not traced. */
  attempts = 0
  /** The context of the trace, if there is one. */
  context
  #store
  #operation
  #sid

  constructor(store, operation, sid) {
    this.#store = store
    this.#operation = operation
    this.#sid = sid
  }

  /** Runs `work`, which sends the requests. */
  run(work) {
    if (!isTracing()) return work()
    return this.#store.trace(this.#operation, this.#sid, (context) => {
      this.context = context
      return work()
    })
  }

  send(operation, ...args) {
    return this.#store.send(operation, this.#sid, args, this)
  }
}

/**
 * The addon's part of the statistics before the first request. Its shape is that of the JSON that `stats` in
 * src/native_store.rs returns.
 */
const nothingSent = {
  retries: 0,
  backupReads: 0,
  plainReads: 0,
  throttles: 0,
  throttlingReasons: {},
  bytes: { sent: 0, received: 0 },
  pool: { open: 0, idle: 0 },
  dns: { failures: 0, fallbacks: 0 }
}

function count(counts, name) {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

module.exports = { NativeStore }
