'use strict'

const { createHash } = require('node:crypto')
const { tracingChannel } = require('node:diagnostics_channel')
const { debuglog } = require('node:util')

const debug = debuglog('dynamodb-session')
const channel = tracingChannel('dynamodb-session:operation')

/** Whether anyone listens; only then are traces made and capacity asked for. */
function isTracing() {
  return debug.enabled || channel.hasSubscribers
}

/**
 * Tells of one operation: `run(context)` adds attempts, statusCode and capacityUnits to the context and
 * resolves to what the operation gives.
 */
function trace(context, sid, run) {
  const start = performance.now()
  return channel.tracePromise(async () => {
    let outcome = 'done'
    try {
      return await run(context)
    } catch (error) {
      outcome = error.code
      throw error
    } finally {
      context.durationMs = performance.now() - start
      const { operation, tableName, attempts, durationMs } = context
      const id = sid === undefined ? '' : `, id ${hashOf(sid)}`
      debug('%s on %s: %s in %s ms, attempts %d%s', operation, tableName, outcome, durationMs.toFixed(1), attempts, id)
    }
  }, context)
}

/** Tells ids apart without telling them. */
function hashOf(sid) {
  return createHash('sha256').update(sid).digest('hex').slice(0, 12)
}

module.exports = { hashOf, isTracing, trace }
