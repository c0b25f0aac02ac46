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

  /** The error that the addon tells as JSON, without the session id that a service may have put into it. */
  static fromNative(json, operation, tableName, sid) {
    const { code, message, cause, ...details } = JSON.parse(json)
    for (const name of Object.keys(details)) details[name] ??= undefined
    // The frameworks take ENOENT for 'there is no such session'.
    return new DynamoDBStoreError(code === 'ENOENT' ? 'UnknownServiceError' : code, without(sid, message) || code, {
      ...details,
      operation: details.operation ?? operation,
      tableName,
      cause: cause == null ? undefined : new Error(without(sid, cause))
    })
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
