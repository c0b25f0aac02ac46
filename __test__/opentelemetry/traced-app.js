'use strict'

// An Express app with the session store of a package and with OpenTelemetry. Visits itself, and prints the spans.
//   node __test__/opentelemetry/traced-app.js <package> <connection as JSON> <table> <table with a wrong key>

const { AwsInstrumentation } = require('@opentelemetry/instrumentation-aws-sdk')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node')
const { DynamoDBSessionInstrumentation } = require('../../packages/opentelemetry')

const [packageName, connection, ...tables] = process.argv.slice(2)
const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
provider.register()
registerInstrumentations({
  instrumentations: [
    new HttpInstrumentation(),
    new AwsInstrumentation({ suppressInternalInstrumentation: true }),
    new DynamoDBSessionInstrumentation()
  ]
})

const { once } = require('node:events')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const express = require('express')
const session = require('express-session')

/** Starts the app with a table. Its pages log in, read the session, and log out. */
async function start(tableName) {
  const client = new DynamoDBClient(JSON.parse(connection))
  const store = new (require(packageName)(session))({ client, table: tableName, touchAfter: 0 })
  const app = express()
  app.use(session({ store, secret: 'for a test', resave: false, saveUninitialized: false }))
  app.get('/login', (req, res) => {
    req.session.user = 'ann'
    res.end()
  })
  app.get('/page', (req, res) => res.end(req.session.user))
  app.get('/logout', (req, res) => req.session.destroy(() => res.end()))
  app.use((error, req, res, _next) => res.status(500).end())
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    client.destroy()
    store.clearInterval?.()
    store.close?.()
  }
  return { url: `http://127.0.0.1:${server.address().port}`, close }
}

async function run() {
  const { url, close } = await start(tables[0])
  const login = await fetch(`${url}/login`)
  const headers = { cookie: login.headers.getSetCookie()[0].split(';')[0] }
  for (const page of ['page', 'logout']) await (await fetch(`${url}/${page}`, { headers })).arrayBuffer()
  close()
  const broken = await start(tables[1])
  await fetch(`${broken.url}/page`, { headers })
  broken.close()
  const spans = exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    kind: span.kind,
    scope: span.instrumentationScope.name,
    id: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId,
    attributes: span.attributes,
    status: span.status,
    events: span.events.map(({ name, attributes }) => ({ name, attributes }))
  }))
  console.log(JSON.stringify({ sid: decodeURIComponent(headers.cookie).match(/s:([^.]*)/)[1], spans }))
}

run()
