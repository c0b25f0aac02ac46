'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const http = require('node:http')
const net = require('node:net')
const { describe, test } = require('node:test')
const express = require('express')
const session = require('express-session')
const { commandLine } = require('../../lib/command-line')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, failure } = require('../support/errors')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

const operations = {
  get: [newSid()],
  set: [newSid(), newSession({ secret: 'SECRET' })],
  touch: [newSid(), newSession()],
  destroy: [newSid()],
  ids: [],
  clear: [],
  describeTable: []
}

/** The error messages of the operations, which must fail with this code. */
async function messagesOf(options, code, methods = Object.keys(operations)) {
  const store = dynamodb.store({ maxAttempts: 1, ...options })
  const messages = []
  for (const method of methods) {
    const args = operations[method]
    const error = await failure(store, method, ...args)
    assertOperationError(error, {
      code,
      operation: error.operation,
      tableName: options.table ?? dynamodb.table,
      secrets: ['SECRET', 'password', ...args.filter((arg) => typeof arg === 'string')]
    })
    messages.push(error.message)
  }
  return messages
}

async function listening(t, server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `127.0.0.1:${server.address().port}`
}

describe('the error about a missing table', () => {
  test('names the table, the Region, and the endpoint, and says how to create the table', async () => {
    const table = dynamodb.newTableName()
    const { endpoint, region } = dynamodb.connection
    for (const message of await messagesOf({ table }, 'ResourceNotFoundException')) {
      assert.ok(message.includes(`Table "${table}" does not exist in Region ${region} at ${endpoint}`), message)
      assert.match(message, /set createTable: true or run: /)
      const command = `npx dynamodb-session init --table ${table} --region ${region} --endpoint ${endpoint}`
      assert.ok(message.endsWith(command), message)
    }
  })

  test('shows a quoted command with the layout of the store', async () => {
    const [message] = await messagesOf(
      {
        table: dynamodb.newTableName(),
        hashKey: "it's",
        sortKey: 'sk',
        prefix: '',
        attributes: { expires: '$(x)' }
      },
      'ResourceNotFoundException',
      ['get']
    )
    assert.ok(message.endsWith(` --hash-key 'it'\\''s' --sort-key sk --prefix '' --expires-attribute '$(x)'`), message)
  })
})

describe('the error about a table with a different key', () => {
  test('names the options, and shows how to find the key', async () => {
    const table = await dynamodb.newTable({ hashKey: 'sessionId' })
    const methods = ['get', 'set', 'touch', 'destroy']
    for (const message of await messagesOf({ table }, 'ValidationException', methods)) {
      assert.match(
        message,
        /The key of table .* does not match the options: option hashKey is "id" and option sortKey is not set\./
      )
      assert.match(message, new RegExp(`npx dynamodb-session doctor --table ${table} --region .* --endpoint http`))
    }
  })

  test('covers a table with an unexpected sort key', async () => {
    const table = await dynamodb.newTable({ hashKey: 'pk', sortKey: 'sk' })
    const [message] = await messagesOf({ table, hashKey: 'pk' }, 'ValidationException', ['get'])
    assert.match(message, /option hashKey is "pk" and option sortKey is not set/)
  })
})

describe('the error about an endpoint', () => {
  const inFull = (place) =>
    new RegExp(`cannot connect to ${place}: .*Check that DynamoDB is running at https?://${place}`)

  test('where nothing listens names the host and port, but not the password', async (t) => {
    const server = net.createServer()
    const place = await listening(t, server)
    server.close()
    for (const message of await messagesOf({ endpoint: `http://user:password@${place}` }, 'NetworkError')) {
      assert.match(message, inFull(place))
      assert.match(message, /Connection refused/)
      assert.match(message, /option endpoint/)
    }
  })

  test('without TLS names the host and port', async () => {
    const place = dynamodb.connection.endpoint.replace('http://', '')
    const methods = ['get', 'describeTable']
    for (const message of await messagesOf({ endpoint: `https://${place}` }, 'NetworkError', methods)) {
      assert.match(message, inFull(place))
    }
  })

  test('of another service names the endpoint', async (t) => {
    const place = await listening(
      t,
      http.createServer((_request, response) => response.writeHead(404).end('<html>'))
    )
    for (const message of await messagesOf({ endpoint: `http://${place}/` }, 'UnknownServiceError')) {
      assert.ok(message.includes(`Check that DynamoDB is running at http://${place} (option endpoint)`), message)
    }
  })

  test('that never responds names the host and the timeout', async (t) => {
    const sockets = []
    const place = await listening(
      t,
      net.createServer((socket) => sockets.push(socket))
    )
    t.after(() => sockets.forEach((socket) => socket.destroy()))
    const limits = { attemptTimeout: 200, timeout: 2000 }
    const methods = ['get', 'ids']
    for (const message of await messagesOf({ endpoint: `http://${place}`, ...limits }, 'TimeoutError', methods)) {
      assert.ok(message.includes(`no response from ${place} within 200ms`), message)
    }
    const [message] = await messagesOf({ endpoint: `http://${place}`, timeout: 300 }, 'TimeoutError', ['get'])
    assert.ok(message.includes(`no successful response from ${place} within 300ms`), message)
  })

  test('from the environment names the variable', async (t) => {
    const server = net.createServer()
    const place = await listening(t, server)
    server.close()
    process.env.AWS_ENDPOINT_URL_DYNAMODB = `http://${place}`
    t.after(() => delete process.env.AWS_ENDPOINT_URL_DYNAMODB)
    const [message] = await messagesOf({ endpoint: undefined }, 'NetworkError', ['get'])
    assert.match(message, /AWS_ENDPOINT_URL_DYNAMODB/)
  })

  test('reaches the error handler of Express', async (t) => {
    const server = net.createServer()
    const place = await listening(t, server)
    server.close()
    const app = express()
    const store = dynamodb.store({ endpoint: `http://${place}`, maxAttempts: 1 })
    app.use(session({ store, secret: 'secret', resave: false, saveUninitialized: true }))
    app.get('/', (_request, response) => response.end())
    // eslint-disable-next-line no-unused-vars
    app.use((error, _request, response, _next) => response.status(500).end(error.message))
    const address = await listening(t, http.createServer(app))
    const signature = require('cookie-signature').sign('A'.repeat(32), 'secret')
    const headers = { cookie: `connect.sid=${encodeURIComponent(`s:${signature}`)}` }
    const response = await fetch(`http://${address}/`, { headers })
    assert.equal(response.status, 500)
    assert.match(await response.text(), inFull(place))
  })
})

test('the error about a wrong Region names its host', async () => {
  const methods = ['get', 'describeTable']
  const options = { endpoint: undefined, region: 'nowhere-1', maxAttempts: 1 }
  for (const message of await messagesOf(options, /^(NetworkError|TimeoutError)$/, methods)) {
    assert.match(message, /\bdynamodb\.nowhere-1\.amazonaws\.com:443\b/)
    assert.match(message, /Check that nowhere-1 is the right Region \(option region\), .*proxy/)
  }
})

describe('a suggested command', () => {
  for (const [options, expected] of [
    [{ table: 'web-1.x', region: undefined }, '--table web-1.x'],
    [{ prefix: '' }, "--prefix ''"],
    [{ prefix: '-x' }, '--prefix=-x'],
    [{ prefix: 'a b' }, "--prefix 'a b'"],
    [{ prefix: "'; rm -rf ~" }, `--prefix ''\\''; rm -rf ~'`],
    [{ prefix: '#$`"\\!*' }, `--prefix '#$\`"\\!*'`],
    [{ endpoint: 'http://user:password@localhost:8000/x' }, '--endpoint http://localhost:8000/x']
  ]) {
    test(`quotes ${expected}`, () =>
      assert.equal(commandLine('stats', options), `npx dynamodb-session stats ${expected}`))
  }
})
