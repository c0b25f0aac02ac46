'use strict'

const { tracingChannel } = require('node:diagnostics_channel')
const { debuglog } = require('node:util')

const debug = debuglog('dynamodb-session')
const channel = tracingChannel('dynamodb-session:operation')

/** The subchannels of the tracing channel. Before Node.js 20.13, only these know whether they have subscribers. */
const subchannels = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((name) => channel[name])

/** The members of a trace of the addon, which is a JSON array; see `trace_json` in src/native_store.rs. */
const [ATTEMPTS, STATUS, CAPACITY, REQUEST_ID, CONSISTENT, REGION, ADDRESS, PORT] = [0, 1, 2, 3, 4, 5, 6, 7]

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

/** Adds what a request reports to the context of its series. */
function addTrace(context, trace) {
  addServer(context, trace)
  if (trace[ATTEMPTS] === null) return
  context.attempts = (context.attempts ?? 0) + trace[ATTEMPTS]
  context.statusCode = trace[STATUS]
  context.requestId = trace[REQUEST_ID]
  const units = trace[CAPACITY]
  context.capacityUnits = units === null ? (context.capacityUnits ?? null) : (context.capacityUnits ?? 0) + units
  context.consistentRead = trace[CONSISTENT] ?? context.consistentRead ?? null
}

function addServer(context, trace) {
  if (trace[REGION] === null) return
  context.region = trace[REGION]
  context.serverAddress = trace[ADDRESS]
  context.serverPort = trace[PORT]
}

/** The capacity units of a trace as JSON, or undefined if the service reported none. */
function capacityUnitsOf(json) {
  return JSON.parse(json)[CAPACITY] ?? undefined
}

module.exports = { addServer, addTrace, capacityUnitsOf, hashOf, isTracing, trace }
