'use strict'

/** An operation that failed, or an option that cannot be meant. index.d.ts documents the members. */
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
   * The error that the addon reports as JSON, without the session ID that a service may have put into it. The message
   * ends with advice for a store with these options.
   */
  static fromNative(json, operation, options, sid) {
    const { code: given, message: text, cause, mayBeDone, ...details } = JSON.parse(json)
    for (const name of Object.keys(details)) details[name] ??= undefined
    // express-session and @fastify/session read ENOENT as 'there is no such session'.
    const code = given === 'ENOENT' ? 'UnknownServiceError' : given
    const message = advised({ ...details, code, message: without(sid, text) || code }, options)
    const error = new DynamoDBStoreError(code, message, {
      ...details,
      operation: details.operation ?? operation,
      tableName: options.table,
      cause: cause == null ? undefined : new Error(without(sid, cause))
    })
    Object.defineProperty(error, 'mayBeDone', { value: mayBeDone, configurable: true })
    return error
  }
}

/** The message with advice. A process that is out of file descriptors cannot load it, and does without. */
function advised(failure, options) {
  try {
    return require('./advice.js').withAdvice(failure, options)
  } catch {
    return failure.message
  }
}

/** A shorter id tells nothing, and may be a part of any word. */
const SHORTEST_TELLING = 8
const LONGEST_MESSAGE = 500

/** The message without the id, as it is or as JSON has it. */
function without(sid, message) {
  if (!(sid?.length >= SHORTEST_TELLING)) return message.slice(0, LONGEST_MESSAGE)
  const escaped = JSON.stringify(sid).slice(1, -1)
  return message.replaceAll(sid, '[id]').replaceAll(escaped, '[id]').slice(0, LONGEST_MESSAGE)
}

module.exports = { DynamoDBStoreError }
