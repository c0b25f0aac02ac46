'use strict'

const { tracingChannel } = require('node:diagnostics_channel')
const { SpanKind, SpanStatusCode, trace } = require('@opentelemetry/api')
const { InstrumentationBase } = require('@opentelemetry/instrumentation')
const { name, version } = require('./package.json')

const channel = tracingChannel('dynamodb-session:operation')

/** The boundaries that the semantic conventions define for durations of database operations, in seconds. */
const BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** Makes a span and a measurement of each operation of a store. index.d.ts documents the members. */
class DynamoDBSessionInstrumentation extends InstrumentationBase {
  // The constructor of the base class calls the methods, so fields must not have initializers.

  constructor(config = {}) {
    super(name, version, config)
  }

  /** There is no module to patch. */
  init() {}

  enable() {
    super.enable()
    if (this._subscribers !== undefined) return
    // A property of the message is much faster than a WeakMap.
    const key = Symbol('span')
    let open = 0
    const subscribers = {
      start: (message) => {
        open += 1
        message[key] = { span: this._start(message), serverAddress: message.serverAddress }
      },
      asyncEnd: (message) => {
        if (message[key] === undefined) return
        open -= 1
        this._end(message, message[key])
        // If a subscriber unsubscribes while a message is published, the next one misses the message.
        if (this._subscribers !== subscribers && open === 0) queueMicrotask(unsubscribe)
      },
      /** Operations in progress still end. */
      stop: () => {
        channel.start.unsubscribe(subscribers.start)
        if (open === 0) unsubscribe()
      }
    }
    const unsubscribe = () => channel.asyncEnd.unsubscribe(subscribers.asyncEnd)
    this._subscribers = subscribers
    channel.start.subscribe(subscribers.start)
    channel.asyncEnd.subscribe(subscribers.asyncEnd)
  }

  disable() {
    super.disable()
    if (this._subscribers === undefined) return
    const { stop } = this._subscribers
    this._subscribers = undefined
    stop()
  }

  _updateMetricInstruments() {
    this._duration = this.meter.createHistogram('db.client.operation.duration', {
      description: 'Duration of database client operations.',
      unit: 's',
      advice: { explicitBucketBoundaries: BOUNDARIES }
    })
  }

  /** The SDK copies and checks attributes at the start twice, so these are only the ones that samplers should see. */
  _start({ operation, tableName, serverAddress, serverPort }) {
    if (this.getConfig().requireParentSpan && trace.getActiveSpan() === undefined) return undefined
    return this.tracer.startSpan(`DynamoDB.${operation}`, {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'aws.dynamodb',
        'db.operation.name': operation,
        'db.collection.name': tableName,
        'db.namespace': tableName,
        'server.address': serverAddress,
        'server.port': serverPort
      }
    })
  }

  /** `serverAddress` is that of the attributes at the start of the span. */
  _end(message, { span, serverAddress }) {
    if (span !== undefined) {
      if (span.isRecording()) describe(span, message, serverAddress)
      span.end()
    }
    this._duration.record(message.durationMs / 1000, measuredAttributes(message))
  }
}

/** Sets the other attributes. */
function describe(span, message, serverAddressAtStart) {
  const { operation, tableName, region, serverAddress, serverPort } = message
  span.setAttribute('rpc.system', 'aws-api')
  span.setAttribute('rpc.service', 'DynamoDB')
  span.setAttribute('rpc.method', operation)
  span.setAttribute('aws.dynamodb.table_names', [tableName])
  if (region !== undefined) span.setAttribute('cloud.region', region)
  if (serverAddress !== serverAddressAtStart) {
    span.setAttributes({ 'server.address': serverAddress, 'server.port': serverPort })
  }
  describeResponses(span, message)
  if (!('error' in message)) return
  const attributes = errorAttributes(message)
  span.setAttributes(attributes)
  const reported = isOfStore(message) ? message.error : { name: attributes['error.type'] }
  span.recordException(reported)
  span.setStatus({ code: SpanStatusCode.ERROR, message: reported.message })
}

function describeResponses(span, message) {
  const { operation, tableName, attempts, statusCode, requestId, capacityUnits, consistentRead } = message
  if (statusCode != null) span.setAttribute('http.response.status_code', statusCode)
  if (requestId != null) span.setAttribute('aws.request_id', requestId)
  if (operation === 'GetItem' && consistentRead != null)
    span.setAttribute('aws.dynamodb.consistent_read', consistentRead)
  if (attempts > 1) span.setAttribute('dynamodb_session.attempts', attempts)
  if (capacityUnits == null) return
  // The name of a table needs no escapes in JSON.
  const capacity = `{"TableName":"${tableName}","CapacityUnits":${capacityUnits}}`
  span.setAttribute('aws.dynamodb.consumed_capacity', [capacity])
}

/** The attributes of a measurement. */
function measuredAttributes(message) {
  const { operation, tableName, serverAddress, serverPort } = message
  const attributes = {
    'db.system.name': 'aws.dynamodb',
    'db.operation.name': operation,
    'db.collection.name': tableName
  }
  if (serverAddress !== undefined) {
    attributes['server.address'] = serverAddress
    attributes['server.port'] = serverPort
  }
  return 'error' in message ? { ...attributes, ...errorAttributes(message) } : attributes
}

function errorAttributes(message) {
  const { error } = message
  if (!isOfStore(message)) return { 'error.type': error instanceof Error ? String(error.name) : '_OTHER' }
  const type = error.code
  // The service reported this error.
  if (error.$metadata.httpStatusCode >= 400) return { 'error.type': type, 'db.response.status_code': type }
  return { 'error.type': type }
}

/**
 * Whether the error is a DynamoDBStoreError. What a function of the app throws, such as that of the onConflict option,
 * may contain session data.
 */
function isOfStore({ error, tableName }) {
  return error?.$metadata !== undefined && error.operation !== undefined && error.tableName === tableName
}

module.exports = { DynamoDBSessionInstrumentation }
