'use strict'

/** The members of a trace of the addon, which is a JSON array; see `trace_json` in src/native_store.rs. */
const [ATTEMPTS, STATUS, CAPACITY, REQUEST_ID, CONSISTENT, REGION, ADDRESS, PORT] = [0, 1, 2, 3, 4, 5, 6, 7]

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

module.exports = { addServer, addTrace, capacityUnitsOf }
