'use strict'

/** The error of an operation that failed, or of invalid options. index.d.ts documents the members. */
class DynamoDBStoreError extends Error {
  constructor(code, message, details = {}) {
    const {
      operation,
      tableName,
      httpStatusCode,
      requestId,
      attempts = 0,
      fault = 'client',
      retryable = false,
      throttlingReasons
    } = details
    const where = operation === undefined ? '' : `${operation} on table ${JSON.stringify(tableName)}: `
    super(where + message, details.cause === undefined ? undefined : { cause: details.cause })
    Object.defineProperty(this, 'name', { value: code, configurable: true, writable: true })
    this.code = code
    this.$fault = fault
    this.$metadata = { httpStatusCode, requestId, attempts }
    this.retryable = retryable
    this.operation = operation
    this.tableName = tableName
    if (throttlingReasons !== undefined) this.throttlingReasons = throttlingReasons
  }

  /**
   * Creates the error that the addon reports as JSON. The service may have put the session ID into the message, so it
   * is removed. The message ends with hints for a store with these options.
   */
  static fromNative(json, operation, options, sid) {
    const { code: given, message: text, cause, mayBeDone, ...details } = JSON.parse(json)
    for (const name of Object.keys(details)) details[name] ??= undefined
    // To express-session and @fastify/session, ENOENT means that the session does not exist.
    const code = given === 'ENOENT' ? 'UnknownServiceError' : given
    const message = messageWithHints({ ...details, code, message: withoutSessionId(sid, text) || code }, options)
    const error = new DynamoDBStoreError(code, message, {
      ...details,
      operation: details.operation ?? operation,
      tableName: options.table,
      cause: cause == null ? undefined : new Error(withoutSessionId(sid, cause))
    })
    Object.defineProperty(error, 'mayBeDone', { value: mayBeDone, configurable: true })
    return error
  }
}

/** The message with hints. A process that is out of file descriptors cannot load them, and does without. */
function messageWithHints(failure, options) {
  try {
    return require('./error-hints.js').withHints(failure, options)
  } catch {
    return failure.message
  }
}

/** A shorter session ID identifies nobody, and could be part of any word. */
const SHORTEST_ID_TO_REMOVE = 8
const LONGEST_MESSAGE = 500

/** The message without the session ID, whether it is escaped for JSON or not. */
function withoutSessionId(sid, message) {
  if (!(sid?.length >= SHORTEST_ID_TO_REMOVE)) return message.slice(0, LONGEST_MESSAGE)
  const escaped = JSON.stringify(sid).slice(1, -1)
  return message.replaceAll(sid, '[id]').replaceAll(escaped, '[id]').slice(0, LONGEST_MESSAGE)
}

module.exports = { DynamoDBStoreError }
