'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
const { tracingChannel } = require('node:diagnostics_channel')
const { performance } = require('node:perf_hooks')

const KEPT_CLICKS = 200

/** Records which requests each click sends to DynamoDB: those of the store, and those of an AWS SDK client. */
function recordRequests(client) {
  const current = new AsyncLocalStorage()
  const clicks = new Map()
  let last = 0

  tracingChannel('dynamodb-session:operation').subscribe({
    start: (operation) => current.getStore()?.push(operation)
  })
  client.middlewareStack.add(
    recordSdkRequest((request) => current.getStore()?.push(request)),
    { step: 'initialize' }
  )

  return {
    /** Middleware that gives a click its number. All requests of the click are known when its response ends. */
    record(request, response, next) {
      const requests = []
      clicks.set(String(++last), requests)
      clicks.delete(String(last - KEPT_CLICKS))
      response.set('X-Click', last)
      current.run(requests, next)
    },
    of: (click) => (clicks.get(click) ?? []).map(describeRequest)
  }
}

/** Gives a request of the SDK the fields of a message of the store's tracing channel. */
const recordSdkRequest = (add) => (next, context) => async (args) => {
  const operation = context.commandName.replace(/Command$/, '')
  const request = { operation }
  add(request)
  const start = performance.now()
  const capacity = operation.endsWith('Item') && { ReturnConsumedCapacity: 'TOTAL' }
  try {
    const result = await next({ ...args, input: { ...args.input, ...capacity } })
    request.capacityUnits = result.output.ConsumedCapacity?.CapacityUnits
    request.attempts = result.output.$metadata.attempts
    return result
  } catch (error) {
    request.error = error
    request.attempts = error.$metadata?.attempts
    throw error
  } finally {
    request.durationMs = performance.now() - start
  }
}

function describeRequest({ operation, capacityUnits = null, durationMs, attempts, error }) {
  return { operation, capacityUnits, durationMs, attempts, error: error && describeError(error) }
}

const describeError = ({ code, name, message }) => ({ code: code ?? name, message })

module.exports = { describeError, recordRequests }
