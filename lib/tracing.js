'use strict'

const { tracingChannel } = require('node:diagnostics_channel')
const { debuglog } = require('node:util')

const debug = debuglog('dynamodb-session')
const channel = tracingChannel('dynamodb-session:operation')

/** The subchannels of the tracing channel. Before Node.js 20.13, only these know whether they have subscribers. */
const subchannels = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((name) => channel[name])

/** Whether anyone listens. Only then does an operation create a trace and ask the service for capacity units. */
function isTracing() {
  return debug.enabled || subchannels.some((subchannel) => subchannel.hasSubscribers)
}

/**
 * Publishes one operation on the tracing channel. `run(context)` adds `attempts`, `statusCode`, and `capacityUnits` to
 * the context. It resolves to a completion that contains the session's text, so the result is not published.
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
  const attemptsText = attempts === undefined ? '' : `, attempts ${attempts}`
  return line + attemptsText + (sid === undefined ? '' : `, id ${hashOf(sid)}`)
}

/** A hash that distinguishes session IDs without revealing them. */
function hashOf(sid) {
  return require('node:crypto').createHash('sha256').update(sid).digest('hex').slice(0, 12)
}

module.exports = { hashOf, isTracing, trace }
