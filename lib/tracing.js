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
 * Publishes one operation on the tracing channel. `run(context)` adds the attempts, the response, and the server to
 * the context. It returns the promise of a completion that contains the session's text, so the result is not published.
 * `tracePromise` would publish the same events, with four more promises.
 */
function trace(context, sid, run) {
  const start = performance.now()
  return channel.start.runStores(context, () => {
    const running = run(context)
    channel.end.publish(context)
    return running.then(
      (result) => {
        publishEnd(context, start, 'done', sid)
        return result
      },
      (error) => {
        context.error = error
        publishEnd(context, start, error?.code, sid)
        throw error
      }
    )
  })
}

function publishEnd(context, start, outcome, sid) {
  context.durationMs = performance.now() - start
  if (debug.enabled) debug(lineOf(context, outcome, sid))
  if ('error' in context) channel.error.publish(context)
  channel.asyncStart.publish(context)
  channel.asyncEnd.publish(context)
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
