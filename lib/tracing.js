'use strict'

const { createHash } = require('node:crypto')
const { tracingChannel } = require('node:diagnostics_channel')
const { debuglog } = require('node:util')

const debug = debuglog('dynamodb-session')
const channel = tracingChannel('dynamodb-session:operation')

/** The channels of a tracing channel, which tells of its subscribers by itself only from Node 20.13 on. */
const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((name) => channel[name])

/** Whether anyone listens; only then are traces made and capacity asked for. */
function isTracing() {
  return debug.enabled || parts.some((part) => part.hasSubscribers)
}

/**
 * Tells of one operation: `run(context)` adds attempts, statusCode and capacityUnits to the context. What it
 * resolves to is the app's session, so it does not go through the channel.
 */
async function trace(context, sid, run) {
  const start = performance.now()
  let result
  await channel.tracePromise(async () => {
    let outcome = 'done'
    try {
      result = await run(context)
    } catch (error) {
      outcome = error.code
      throw error
    } finally {
      context.durationMs = performance.now() - start
      if (debug.enabled) debug(lineOf(context, outcome, sid))
    }
  }, context)
  return result
}

function lineOf({ operation, tableName, durationMs, attempts }, outcome, sid) {
  const line = `${operation} on ${tableName}: ${outcome} in ${durationMs.toFixed(1)} ms`
  const known = attempts === undefined ? '' : `, attempts ${attempts}`
  return line + known + (sid === undefined ? '' : `, id ${hashOf(sid)}`)
}

/** Tells ids apart without telling them. */
function hashOf(sid) {
  return createHash('sha256').update(sid).digest('hex').slice(0, 12)
}

module.exports = { hashOf, isTracing, trace }
