'use strict'

const assert = require('node:assert/strict')
const { DynamoDBStoreError } = require('../..')
const { callWithCallback, callWithPromise } = require('./calls')

/** Checks the properties of a store error, and that it contains no secrets. */
function assertStoreError(error, { code, secrets = [], ...expected }) {
  assert.ok(error instanceof DynamoDBStoreError, `a DynamoDBStoreError, not ${error?.stack ?? error}`)
  assert.ok(error instanceof Error)
  assert.match(error.code, code instanceof RegExp ? code : new RegExp(`^${code}$`))
  assert.equal(error.name, error.code)
  assert.notEqual(error.code, 'ENOENT')
  assert.equal('statusCode' in error, false, 'Koa and Express would respond with error.statusCode')
  assert.equal('status' in error, false, 'Koa and Express would respond with error.status')
  assert.match(error.stack, /\w/)
  assert.match(error.message, /\w/)
  for (const secret of secrets) assert.equal(wholeText(error).includes(secret), false, `"${secret}" is in the error`)
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(error[name], value, name)
}

/** Everything that a logger could print of an error and its causes. */
function wholeText(error) {
  const parts = []
  for (let current = error; current instanceof Error; current = current.cause) {
    parts.push(current.stack, JSON.stringify(current), current.message)
  }
  return parts.join('\n')
}

/** Checks the properties of an error of an operation. */
function assertOperationError(error, { operation, tableName, ...expected }) {
  assertStoreError(error, { operation, tableName, ...expected })
  assert.ok(error.message.startsWith(`${operation} on table "${tableName}": `), error.message)
  assert.ok(['client', 'server'].includes(error.$fault), `$fault ${error.$fault}`)
  assert.equal(typeof error.retryable, 'boolean')
  assert.equal(typeof error.$metadata.attempts, 'number')
  assert.ok('httpStatusCode' in error.$metadata && 'requestId' in error.$metadata)
}

/** Calls a method with a callback and with a promise. Both must fail with the same error, which is returned. */
async function failure(store, method, ...args) {
  const callback = await callWithCallback(store, method, ...args)
  const promise = await callWithPromise(store, method, ...args)
  assert.ok(callback.error, `${method} with a callback must fail`)
  assert.ok(promise.error, `${method} must reject`)
  assert.equal(callback.error.code, promise.error.code)
  assert.equal(callback.error.message, promise.error.message)
  return promise.error
}

module.exports = { assertOperationError, assertStoreError, failure }
