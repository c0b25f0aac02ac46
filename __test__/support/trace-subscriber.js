'use strict'

// Loaded with `node --require`. Subscribes to the diagnostics channel in this process and in the child processes of tests.

const assert = require('node:assert/strict')
const { tracingChannel } = require('node:diagnostics_channel')

process.env.TEST_PRELOAD = __filename

const isNumberOr = (value, ...others) => typeof value === 'number' || others.includes(value)

tracingChannel('dynamodb-session:operation').subscribe({
  asyncEnd({ operation, tableName, durationMs, attempts, statusCode, capacityUnits }) {
    assert.equal(typeof operation, 'string')
    assert.equal(typeof tableName, 'string')
    assert.equal(typeof durationMs, 'number')
    assert.ok(isNumberOr(attempts, undefined), 'attempts')
    assert.ok(isNumberOr(statusCode, undefined, null), 'statusCode')
    assert.ok(isNumberOr(capacityUnits, undefined, null), 'capacityUnits')
  }
})
