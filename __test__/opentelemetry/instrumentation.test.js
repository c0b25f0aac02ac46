'use strict'

const assert = require('node:assert/strict')
const { tracingChannel } = require('node:diagnostics_channel')
const { afterEach, beforeEach, describe, test } = require('node:test')
const { SpanKind, SpanStatusCode } = require('@opentelemetry/api')
const { AggregationTemporality, MeterProvider, MetricReader } = require('@opentelemetry/sdk-metrics')
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node')
const conventions = require('@opentelemetry/semantic-conventions/incubating')
const { devDependencies } = require('../../package.json')
const { DynamoDBSessionInstrumentation } = require('../../packages/opentelemetry')
const manifest = require('../../packages/opentelemetry/package.json')
const { useDynamoDB } = require('../support/dynamodb')
const { errorResponse } = require('../support/fault-behaviors')
const { openRequest } = require('../support/parallel-app')
const { expressSession, newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

class Reader extends MetricReader {
  onShutdown() {}
  onForceFlush() {}
}

const exporter = new InMemorySpanExporter()
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
tracerProvider.register()
const tracer = tracerProvider.getTracer('test')

let instrumentation
let reader

beforeEach(() => {
  exporter.reset()
  instrument()
})
afterEach(() => instrumentation.disable())

function instrument(config) {
  instrumentation?.disable()
  instrumentation = new DynamoDBSessionInstrumentation(config)
  instrumentation.setTracerProvider(tracerProvider)
  reader = new Reader({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE })
  instrumentation.setMeterProvider(new MeterProvider({ readers: [reader] }))
}

/** The spans of the store, in the order of their end. */
const spans = () => exporter.getFinishedSpans().filter((span) => span.instrumentationScope.name !== 'test')

/** Runs a function in a span, and returns the span. */
function inSpan(run) {
  return tracer.startActiveSpan('request', async (span) => {
    try {
      await run()
    } finally {
      span.end()
    }
    return span
  })
}

/** What a span has recorded, as text. */
const textOf = ({ name, attributes, status, events }) =>
  JSON.stringify({ name, attributes, status, events: events.map((event) => event.attributes) })

/** The metrics that have been measured so far. */
async function measurements() {
  const { resourceMetrics } = await reader.collect()
  return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
}

test('the tests use the versions that the package depends on', () => {
  for (const [name, range] of Object.entries(manifest.dependencies)) assert.equal(range, devDependencies[name], name)
})

describe('spans', () => {
  test('each operation has a CLIENT span whose parent is the active span', async () => {
    const sid = newSid()
    const store = dynamodb.store({ touchAfter: 0 })
    const parent = await inSpan(async () => {
      await store.set(sid, newSession({ user: 'ANN' }))
      await store.get(sid)
      await store.touch(sid, newSession())
      await store.destroy(sid)
    })
    const names = ['PutItem', 'GetItem', 'UpdateItem', 'DeleteItem'].map((operation) => `DynamoDB.${operation}`)
    assert.deepEqual(
      spans().map(({ name }) => name),
      names
    )
    for (const span of spans()) {
      assert.equal(span.kind, SpanKind.CLIENT)
      assert.equal(span.parentSpanContext.spanId, parent.spanContext().spanId)
      assert.equal(span.status.code, SpanStatusCode.UNSET)
      assert.doesNotMatch(textOf(span), new RegExp(`${sid}|ANN`))
    }
  })

  test('the attributes follow the semantic conventions', async () => {
    const store = dynamodb.store()
    await store.get(newSid())
    const [{ attributes }] = spans()
    const { table, connection } = dynamodb
    const { hostname, port } = new URL(connection.endpoint)
    const { 'aws.request_id': requestId, ...others } = attributes
    assert.match(requestId, /^[\w-]{20,}$/)
    assert.deepEqual(others, {
      [conventions.ATTR_DB_SYSTEM_NAME]: conventions.DB_SYSTEM_NAME_VALUE_AWS_DYNAMODB,
      [conventions.ATTR_DB_OPERATION_NAME]: 'GetItem',
      [conventions.ATTR_DB_COLLECTION_NAME]: table,
      [conventions.ATTR_DB_NAMESPACE]: table,
      [conventions.ATTR_AWS_DYNAMODB_TABLE_NAMES]: [table],
      [conventions.ATTR_RPC_SYSTEM]: 'aws-api',
      [conventions.ATTR_RPC_SERVICE]: 'DynamoDB',
      [conventions.ATTR_RPC_METHOD]: 'GetItem',
      [conventions.ATTR_CLOUD_REGION]: connection.region,
      [conventions.ATTR_SERVER_ADDRESS]: hostname,
      [conventions.ATTR_SERVER_PORT]: Number(port),
      [conventions.ATTR_HTTP_RESPONSE_STATUS_CODE]: 200,
      [conventions.ATTR_AWS_DYNAMODB_CONSISTENT_READ]: true,
      [conventions.ATTR_AWS_DYNAMODB_CONSUMED_CAPACITY]: [JSON.stringify({ TableName: table, CapacityUnits: 1 })]
    })
    assert.equal(conventions.ATTR_AWS_REQUEST_ID, 'aws.request_id')
  })

  test('the server is known when the span starts, except for the first operation', async () => {
    const atStart = []
    const provider = new NodeTracerProvider({
      spanProcessors: [{ onStart: (span) => atStart.push(span.attributes['server.address']), onEnd() {} }]
    })
    instrumentation.setTracerProvider(provider)
    const store = dynamodb.store()
    await store.get(newSid())
    await store.get(newSid())
    assert.deepEqual(atStart, [undefined, new URL(dynamodb.connection.endpoint).hostname])
  })

  test('an error is recorded without the session ID', async () => {
    const sid = newSid()
    const store = dynamodb.store({ table: await dynamodb.newTable({ hashKey: 'other' }) })
    await assert.rejects(store.get(sid))
    const [span] = spans()
    assert.equal(span.attributes[conventions.ATTR_ERROR_TYPE], 'ValidationException')
    assert.equal(span.attributes[conventions.ATTR_DB_RESPONSE_STATUS_CODE], 'ValidationException')
    assert.equal(span.attributes[conventions.ATTR_HTTP_RESPONSE_STATUS_CODE], 400)
    assert.equal(span.status.code, SpanStatusCode.ERROR)
    const [{ name, attributes }] = span.events
    assert.equal(name, 'exception')
    assert.equal(attributes[conventions.ATTR_EXCEPTION_TYPE], 'ValidationException')
    assert.match(attributes[conventions.ATTR_EXCEPTION_MESSAGE], /^GetItem on table /)
    assert.ok(!textOf(span).includes(sid))
  })

  test('an error without a response has no status code', async () => {
    const store = dynamodb.store({ endpoint: 'http://[::1]:1', maxAttempts: 1 })
    await assert.rejects(store.get(newSid()))
    const [{ attributes }] = spans()
    assert.equal(attributes['error.type'], 'NetworkError')
    assert.deepEqual([attributes['server.address'], attributes['server.port']], ['::1', 1])
    assert.ok(!('http.response.status_code' in attributes) && !('db.response.status_code' in attributes))
  })

  for (const [name, thrown, type] of [
    ['a TypeError', new TypeError('SECRET'), 'TypeError'],
    ['an error with a code', Object.assign(new Error('SECRET'), { code: 'SECRET' }), 'Error'],
    ['an error with a table', Object.assign(new Error('SECRET'), { tableName: 'SECRET' }), 'Error'],
    [
      'an error of an AWS SDK',
      Object.assign(new Error('SECRET'), { name: 'NotFound', code: 'SECRET', $metadata: { httpStatusCode: 400 } }),
      'NotFound'
    ],
    ['null', null, '_OTHER'],
    ['a text', 'SECRET', '_OTHER'],
    ['undefined', undefined, '_OTHER']
  ]) {
    test(`of what the app throws, only the name is recorded: ${name}`, async () => {
      const sid = newSid()
      const onConflict = () => {
        throw thrown
      }
      const store = dynamodb.store({ onConflict })
      await store.set(sid, expressSession({ count: 1 }))
      const requests = [await openRequest(store, sid), await openRequest(dynamodb.store(), sid)]
      for (const [i, { session }] of requests.entries()) session.count = i + 2
      await requests[1].save()
      await requests[0].save().catch(() => {})
      const span = spans().at(-1)
      assert.deepEqual([span.name, span.status.code], ['DynamoDB.PutItem', SpanStatusCode.ERROR])
      assert.equal(span.attributes['error.type'], type)
      assert.ok(!('db.response.status_code' in span.attributes))
      assert.ok(!('aws.dynamodb.consistent_read' in span.attributes))
      assert.deepEqual(
        span.events.map((event) => event.attributes),
        [{ [conventions.ATTR_EXCEPTION_TYPE]: type }]
      )
      const points = (await measurements()).flatMap(({ dataPoints }) => dataPoints)
      const types = points.map(({ attributes }) => attributes['error.type']).filter((each) => each !== undefined)
      assert.deepEqual(types, [type])
      assert.doesNotMatch(textOf(span) + JSON.stringify(points), /SECRET/)
    })
  }

  test('a failed condition is not an error', async () => {
    const store = dynamodb.store()
    await store.touch(newSid(), newSession())
    const [{ name, attributes, status }] = spans()
    assert.equal(name, 'DynamoDB.UpdateItem')
    assert.equal(attributes['http.response.status_code'], 400)
    assert.deepEqual([attributes['error.type'], status.code], [undefined, SpanStatusCode.UNSET])
  })

  test('requireParentSpan leaves out operations without an active span', async () => {
    instrument({ requireParentSpan: true })
    const store = dynamodb.store()
    await store.get(newSid())
    assert.equal(spans().length, 0)
    await inSpan(() => store.get(newSid()))
    assert.equal(spans().length, 1)
  })

  test('disable ends the subscription', async () => {
    const channel = tracingChannel('dynamodb-session:operation')
    assert.ok(channel.start.hasSubscribers)
    instrumentation.disable()
    assert.ok(!channel.start.hasSubscribers && !channel.asyncEnd.hasSubscribers)
    await dynamodb.store().get(newSid())
    assert.equal(spans().length, 0)
  })

  test('disable does not lose the spans in progress', async () => {
    const channel = tracingChannel('dynamodb-session:operation')
    const store = dynamodb.store()
    await store.get(newSid())
    const reads = [store.get(newSid()), store.get(newSid())]
    instrumentation.disable()
    assert.ok(!channel.start.hasSubscribers && channel.asyncEnd.hasSubscribers)
    await Promise.all([...reads, store.get(newSid())])
    assert.equal(spans().length, 3)
    assert.ok(!channel.asyncEnd.hasSubscribers)
  })
})

describe('the metric db.client.operation.duration', () => {
  test('has the conventional unit, buckets, and attributes', async () => {
    const store = dynamodb.store()
    const start = performance.now()
    await store.get(newSid())
    await store.get(newSid())
    const elapsed = (performance.now() - start) / 1000
    const [{ descriptor, dataPoints }] = await measurements()
    assert.equal(descriptor.name, conventions.METRIC_DB_CLIENT_OPERATION_DURATION)
    assert.equal(descriptor.unit, 's')
    assert.equal(dataPoints.length, 1)
    const [{ attributes, value }] = dataPoints
    assert.deepEqual(value.buckets.boundaries, [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10])
    assert.equal(value.count, 2)
    assert.ok(value.sum > 0 && value.sum <= elapsed)
    const { hostname, port } = new URL(dynamodb.connection.endpoint)
    assert.deepEqual(attributes, {
      'db.system.name': 'aws.dynamodb',
      'db.operation.name': 'GetItem',
      'db.collection.name': dynamodb.table,
      'server.address': hostname,
      'server.port': Number(port)
    })
  })

  test('has the type of an error', async () => {
    const store = dynamodb.store({ table: dynamodb.newTableName() })
    await assert.rejects(store.get(newSid()))
    const [{ dataPoints }] = await measurements()
    assert.equal(dataPoints[0].attributes['error.type'], 'ResourceNotFoundException')
    assert.equal(dataPoints[0].attributes['db.response.status_code'], 'ResourceNotFoundException')
  })
})

describe('operations that send several requests', () => {
  test('a save that is merged has one span, below that of its request', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    await store.set(sid, expressSession({ one: 1 }))
    const requests = [await openRequest(store, sid), await openRequest(dynamodb.store(), sid)]
    requests[0].session.one = 2
    requests[1].session.two = 2
    await requests[1].save()
    exporter.reset()
    const parent = await inSpan(() => requests[0].save())
    const [span, ...others] = spans()
    assert.deepEqual(others, [])
    assert.equal(span.name, 'DynamoDB.PutItem')
    assert.equal(span.parentSpanContext.spanId, parent.spanContext().spanId)
    assert.equal(span.attributes['dynamodb_session.attempts'], 2)
    assert.equal(span.attributes['http.response.status_code'], 200)
    assert.equal(span.status.code, SpanStatusCode.UNSET)
    assert.equal(span.attributes['aws.dynamodb.consumed_capacity'].length, 1)
  })

  test('a save that waits for another one has the span of its own request as the parent', async () => {
    const sid = newSid()
    const store = dynamodb.store()
    await store.set(sid, expressSession())
    exporter.reset()
    const change = async (value) => {
      const request = await openRequest(store, sid)
      request.session.value = value
      await request.save()
    }
    const parents = await Promise.all([1, 2].map((value) => inSpan(() => change(value))))
    const saves = spans().filter(({ name }) => name === 'DynamoDB.PutItem')
    assert.deepEqual(
      saves.map((span) => span.parentSpanContext.spanId).toSorted(),
      parents.map((span) => span.spanContext().spanId).toSorted()
    )
  })

  test('a repeated request counts as another attempt of the same span', async () => {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint })
    await store.get(newSid())
    proxy.on('GetItem', errorResponse(500, 'InternalServerError'), 1)
    await store.get(newSid())
    const [, span] = spans()
    assert.equal(span.attributes['dynamodb_session.attempts'], 2)
  })

  test('a scan has one span with the server', async () => {
    const store = dynamodb.store()
    await store.length()
    const [span, ...others] = spans()
    assert.deepEqual(others, [])
    assert.equal(span.name, 'DynamoDB.Scan')
    assert.equal(span.attributes['cloud.region'], dynamodb.connection.region)
    assert.equal(span.attributes['server.address'], new URL(dynamodb.connection.endpoint).hostname)
  })
})
