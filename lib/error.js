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
      retryable = false
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
  }

  /** The error that the addon tells as JSON. */
  static fromNative(json, operation, tableName) {
    const { code, message, cause, ...details } = JSON.parse(json)
    for (const name of Object.keys(details)) details[name] ??= undefined
    // The frameworks take ENOENT for 'there is no such session'.
    return new DynamoDBStoreError(code === 'ENOENT' ? 'UnknownServiceError' : code, message, {
      ...details,
      operation,
      tableName,
      cause: cause === null ? undefined : new Error(cause)
    })
  }
}

module.exports = { DynamoDBStoreError }
