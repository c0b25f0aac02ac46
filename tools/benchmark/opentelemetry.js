'use strict'

// Measures what OpenTelemetry adds to the main-thread CPU time of a `get`, in interleaved rounds.
//   node --expose-gc tools/benchmark/opentelemetry.js [rounds] [gets per round]

const { tracingChannel } = require('node:diagnostics_channel')
const { SpanKind, context, trace } = require('@opentelemetry/api')
const { MeterProvider, MetricReader } = require('@opentelemetry/sdk-metrics')
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node')
const { DynamoDBStore } = require('../..')
const { RawClient } = require('../../__test__/support/raw-client')
const { startServer } = require('../../__test__/support/server')
const { DynamoDBSessionInstrumentation } = require('../../packages/opentelemetry')
const { usage } = require('./support/measurement')

const [rounds = 7, count = 40_000] = process.argv.slice(2).map(Number)
const CONCURRENCY = 64
const SID = 'the-id-of-a-session'

/** A processor that does nothing, so that the cost of an exporter does not count. */
const processor = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} }
const tracerProvider = new NodeTracerProvider({ spanProcessors: [processor] })
const tracer = tracerProvider.getTracer('benchmark')

class Reader extends MetricReader {
  onShutdown() {}
  onForceFlush() {}
}

function instrumented(meterProvider) {
  const instrumentation = new DynamoDBSessionInstrumentation({ enabled: false })
  instrumentation.setTracerProvider(tracerProvider)
  if (meterProvider !== undefined) instrumentation.setMeterProvider(meterProvider)
  return { start: () => instrumentation.enable(), stop: () => instrumentation.disable() }
}

const channel = tracingChannel('dynamodb-session:operation')
const subscriber = { start() {}, asyncEnd() {} }
const meterProvider = new MeterProvider({ readers: [new Reader()] })
const histogram = meterProvider.getMeter('benchmark').createHistogram('duration')
const nothing = () => {}

/** The first one is what the others are compared with. */
const gets = {
  untraced: { start: nothing, stop: nothing },
  'empty subscriber': { start: () => channel.subscribe(subscriber), stop: () => channel.unsubscribe(subscriber) },
  span: instrumented(),
  'span and metric': instrumented(meterProvider)
}

const attributes = {
  'db.system.name': 'aws.dynamodb',
  'db.operation.name': 'GetItem',
  'db.collection.name': 'sessions',
  'server.address': '127.0.0.1',
  'server.port': 8000
}

/** What the SDK takes for the same attributes, without a store. */
const alone = {
  'span of the SDK alone'() {
    const options = { kind: SpanKind.CLIENT, attributes: { ...attributes, 'db.namespace': 'sessions' } }
    const span = tracer.startSpan('DynamoDB.GetItem', options)
    span.setAttribute('rpc.system', 'aws-api')
    span.setAttribute('rpc.service', 'DynamoDB')
    span.setAttribute('rpc.method', 'GetItem')
    span.setAttribute('aws.dynamodb.table_names', ['sessions'])
    span.setAttribute('cloud.region', 'us-east-1')
    span.setAttribute('http.response.status_code', 200)
    span.setAttribute('aws.request_id', '0123456789ABCDEFGHIJ0123456789ABCDEFGHIJ0123456789AB')
    span.setAttribute('aws.dynamodb.consistent_read', true)
    span.setAttribute('aws.dynamodb.consumed_capacity', ['{"TableName":"sessions","CapacityUnits":1}'])
    span.end()
  },
  'measurement of the SDK alone': () => histogram.record(0.001, { ...attributes })
}

async function getMany(store) {
  let left = count
  const work = async () => {
    while (left-- > 0) await store.get(SID)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
}

/** The microseconds of main-thread CPU time per call of what `run` does `count` times. */
async function microsOf(run) {
  globalThis.gc?.()
  const { main } = usage()
  await run()
  return (usage().main - main) / count
}

async function measure(store) {
  const results = new Map([...Object.keys(gets), ...Object.keys(alone)].map((name) => [name, []]))
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, { start, stop }] of Object.entries(gets)) {
      start()
      const micros = await microsOf(() => getMany(store))
      stop()
      if (round > 0) results.get(name).push(micros)
    }
    for (const [name, call] of Object.entries(alone)) {
      const run = () => {
        for (let i = 0; i < count; i++) call()
      }
      const micros = await microsOf(run)
      if (round > 0) results.get(name).push(micros)
    }
  }
  return results
}

const medianOf = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

function print(results) {
  const untraced = results.get('untraced')
  console.log(`Node.js ${process.version}, medians of ${rounds} rounds with ${count} gets, in µs`)
  for (const [name, values] of results) {
    const added = name in gets && name !== 'untraced' ? values.map((value, round) => value - untraced[round]) : values
    console.log(name.padEnd(30), medianOf(added).toFixed(2), added === values ? '' : 'more than untraced')
  }
}

async function main() {
  const server = await startServer()
  const raw = new RawClient(server.connection)
  await raw.createTable('sessions')
  const store = new DynamoDBStore({ ...server.connection, table: 'sessions' })
  await store.set(SID, { user: 'ann', cookie: { originalMaxAge: 60_000 } })
  tracerProvider.register()
  const request = trace.setSpan(context.active(), tracer.startSpan('request'))
  print(await context.with(request, () => measure(store)))
  await store.close()
  raw.close()
  await server.close()
}

main()
