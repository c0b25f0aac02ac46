'use strict'

const assert = require('node:assert/strict')
const os = require('node:os')
const { before, beforeEach, describe, test } = require('node:test')
const { callBothWays } = require('../support/calls')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, failure } = require('../support/errors')
const fault = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

const calls = (sid) => [
  ['GetItem', 'get', sid],
  ['PutItem', 'set', sid, newSession({ secret: 'SECRET' })],
  ['UpdateItem', 'touch', sid, newSession({ secret: 'SECRET' })],
  ['DeleteItem', 'destroy', sid]
]

/** Checks that all four operations fail with the same error, both with a callback and with a promise. */
async function assertAllFail(store, { status, ...expected }) {
  const sid = newSid()
  for (const [operation, ...call] of calls(sid)) {
    const error = await failure(store, ...call)
    assertOperationError(error, { operation, secrets: [sid, 'SECRET'], ...expected })
    if (status) assert.equal(error.$metadata.httpStatusCode, status)
  }
}

describe('errors of the service', () => {
  test('a missing table makes all operations fail with ResourceNotFoundException', async () => {
    const tableName = dynamodb.newTableName()
    const store = dynamodb.store({ table: tableName })
    const code = 'ResourceNotFoundException'
    await assertAllFail(store, { code, tableName, status: 400, $fault: 'client', retryable: false })
    const { $metadata, message } = await failure(store, 'get', newSid())
    assert.equal($metadata.attempts, 1)
    assert.match($metadata.requestId, /^\w+/)
    const original = await dynamodb.raw.read(tableName, { id: 'x' }).catch((error) => error.message)
    assert.ok(message.startsWith(`GetItem on table "${tableName}": ${original}. Table `), message)
  })

  test('a missing table makes the table-wide methods fail with ResourceNotFoundException', async () => {
    const tableName = dynamodb.newTableName()
    const store = dynamodb.store({ table: tableName })
    const operations = {
      all: 'Scan',
      ids: 'Scan',
      length: 'Scan',
      clear: 'Scan',
      describeTable: 'DescribeTable'
    }
    for (const [method, operation] of Object.entries(operations)) {
      const error = await failure(store, method)
      assertOperationError(error, { code: 'ResourceNotFoundException', operation, tableName })
    }
  })

  test('a table with a different partition key makes all operations fail with ValidationException', async () => {
    const store = dynamodb.store({ hashKey: 'other' })
    await assertAllFail(store, {
      code: 'ValidationException',
      tableName: dynamodb.table,
      status: 400,
      retryable: false
    })
  })
})

describe('simulated errors of the service', needs('proxy'), () => {
  let proxy
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(() => proxy.reset())

  const newStore = (options) => dynamodb.store({ endpoint: proxy.endpoint, ...options })

  const retryable = {
    ProvisionedThroughputExceededException: fault.errorResponse(400, 'ProvisionedThroughputExceededException'),
    ThrottlingException: fault.errorResponse(400, 'ThrottlingException'),
    RequestLimitExceeded: fault.errorResponse(400, 'RequestLimitExceeded'),
    InternalServerError: fault.errorResponse(500, 'InternalServerError'),
    ServiceUnavailable: fault.errorResponse(503, 'ServiceUnavailable')
  }
  for (const [code, response] of Object.entries(retryable)) {
    test(`${code} is retried`, async () => {
      const sid = newSid()
      const store = newStore()
      await store.set(sid, newSession({ user: 'Ann' }))
      proxy.reset()
      proxy.on('*', response, 2)
      assert.equal((await store.get(sid)).user, 'Ann')
      assert.equal(proxy.requests.length, 3)
    })

    test(`the operation fails with ${code} if every attempt does`, async () => {
      const tableName = dynamodb.table
      proxy.on('*', response)
      const error = await failure(newStore({ maxAttempts: 2 }), 'get', newSid())
      assertOperationError(error, { code, operation: 'GetItem', tableName, retryable: true })
      assert.equal(error.$fault, code.startsWith('I') || code.startsWith('S') ? 'server' : 'client')
      assert.equal(error.$metadata.attempts, 2)
      assert.equal(error.$metadata.requestId, 'REQUEST-OF-THE-FAULT')
      assert.equal(proxy.requests.length, 4)
    })
  }

  test('throttling on every attempt makes any operation fail with ThrottlingException', async () => {
    const code = 'ThrottlingException'
    proxy.on('*', fault.errorResponse(400, code))
    await assertAllFail(newStore({ maxAttempts: 2 }), { code, tableName: dynamodb.table, status: 400, retryable: true })
  })

  for (const code of ['AccessDeniedException', 'ValidationException', 'ConditionalCheckFailedException']) {
    test(`${code} is not retried`, async () => {
      proxy.on('*', fault.errorResponse(400, code, 'the message of the service'))
      const error = await failure(newStore(), 'get', newSid())
      assertOperationError(error, { code, operation: 'GetItem', tableName: dynamodb.table, retryable: false })
      assert.equal(error.message, `GetItem on table "${dynamodb.table}": the message of the service`)
      assert.equal(error.$metadata.attempts, 1)
      assert.equal(proxy.requests.length, 2)
    })
  }

  const name = 'ThrottlingException'
  const forms = {
    'without a message': { body: { __type: name, message: null }, text: name },
    'with members message and Message': { body: { __type: name, message: 'one', Message: 'two' }, text: 'one' },
    'with a member Message': { body: { __type: name, message: null, Message: 'two' }, text: 'two' },
    'with a namespace and a URL': { body: { __type: `ns#${name}:http://internal/`, message: 'one' }, text: 'one' },
    'in the member code': { body: { code: `ns#${name}`, message: 'one' }, text: 'one' },
    'in a header, with a body': {
      body: { message: 'one' },
      headers: { 'x-amzn-errortype': `${name}:http://internal/` },
      text: 'one'
    },
    'in a header, without a body': { headers: { 'x-amzn-errortype': `ns#${name}` }, text: name }
  }
  for (const [form, { body, headers, text }] of Object.entries(forms)) {
    test(`an error name ${form} is recognized, and the request is retried`, async () => {
      const response = fault.textResponse(400, body === undefined ? '' : JSON.stringify(body), headers)
      for (const [method, operation, ...args] of [
        ['get', 'GetItem', newSid()],
        ['length', 'Scan']
      ]) {
        proxy.reset()
        proxy.on('*', response)
        const store = newStore({ maxAttempts: 2 })
        const error = await store[method](...args).catch((error) => error)
        assertOperationError(error, { code: name, operation, tableName: dynamodb.table, retryable: true })
        assert.equal(error.message, `${operation} on table "${dynamodb.table}": ${text}`)
        assert.equal(error.throttlingReasons, undefined)
        assert.equal(proxy.requests.length, 2)
        assert.deepEqual([store.stats().retries, store.stats().throttles], [1, 2])
      }
    })
  }

  const reasons = [
    {
      reason: 'TableReadKeyRangeThroughputExceeded',
      resource: 'arn:aws:dynamodb:us-east-1:123456789012:table/sessions'
    },
    { reason: 'TableWriteAccountLimitExceeded', resource: 'arn:aws:dynamodb:us-east-1:123456789012:table/sessions' }
  ]
  for (const [name, member] of [
    ['ThrottlingException', 'throttlingReasons'],
    ['ProvisionedThroughputExceededException', 'ThrottlingReasons'],
    ['RequestLimitExceeded', 'ThrottlingReasons']
  ]) {
    test(`the throttling reasons of ${name} are on the error and in stats()`, async () => {
      proxy.on('*', fault.textResponse(400, JSON.stringify({ __type: name, message: 'slow down', [member]: reasons })))
      for (const [method, ...args] of [['get', newSid()], ['length'], ['describeTable']]) {
        const store = newStore({ maxAttempts: 2 })
        const error = await store[method](...args).catch((error) => error)
        assert.deepEqual([error.code, error.throttlingReasons], [name, reasons])
        assert.deepEqual(store.stats().throttlingReasons, {
          TableReadKeyRangeThroughputExceeded: 2,
          TableWriteAccountLimitExceeded: 2
        })
      }
    })
  }

  test('stats() counts the reasons of throttling even if a retry succeeds', async () => {
    proxy.on('*', fault.textResponse(400, JSON.stringify({ __type: name, throttlingReasons: [reasons[0], {}] })), 1)
    const store = newStore()
    assert.equal(await store.get(newSid()), null)
    assert.deepEqual(store.stats().throttlingReasons, { TableReadKeyRangeThroughputExceeded: 1 })
  })

  for (const code of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    test(`stats() counts an error named ${code} like any other`, async () => {
      const body = JSON.stringify({ __type: code, throttlingReasons: [{ reason: code }] })
      proxy.on('*', fault.textResponse(429, body))
      const store = newStore({ maxAttempts: 1 })
      assert.equal((await store.get(newSid()).catch((error) => error)).code, code)
      await assert.rejects(store.length())
      const { errors, throttlingReasons } = store.stats()
      assert.deepEqual([Object.entries(errors), Object.entries(throttlingReasons)], [[[code, 2]], [[code, 2]]])
    })
  }

  test('an error without a message has its name as the message', async () => {
    proxy.on('*', fault.errorResponse(400, 'SerializationException', ''))
    const errors = [await failure(newStore(), 'get', newSid()), await failure(newStore(), 'describeTable')]
    const operations = ['GetItem', 'DescribeTable']
    for (const [i, { message }] of errors.entries()) {
      assert.equal(message, `${operations[i]} on table "${dynamodb.table}": SerializationException`)
    }
  })

  test('a message of the service that contains the key is not copied to the error', async () => {
    const sid = newSid()
    proxy.on('*', ({ response }) => {
      const message = `One or more parameter values were invalid: sess:${sid}`
      response.writeHead(400).end(JSON.stringify({ __type: 'ValidationException', message }))
    })
    const error = await failure(newStore(), 'get', sid)
    assertOperationError(error, {
      code: 'ValidationException',
      operation: 'GetItem',
      tableName: dynamodb.table,
      secrets: [sid]
    })
  })

  test('the code ENOENT, which frameworks interpret as a missing session, is replaced', async () => {
    proxy.on('*', fault.errorResponse(400, 'ENOENT'))
    const error = await failure(newStore({ maxAttempts: 1 }), 'get', newSid())
    assertOperationError(error, { code: /./, operation: 'GetItem', tableName: dynamodb.table })
  })

  for (const [name, response] of [
    [
      'an error page of a load balancer',
      fault.textResponse(502, '<html>Bad Gateway</html>', { 'content-type': 'text/html' })
    ],
    ['an error without a body', fault.textResponse(500, '')]
  ]) {
    test(`${name} is retried, and counts as a server fault`, async () => {
      proxy.on('*', response)
      const error = await failure(newStore({ maxAttempts: 2 }), 'get', newSid())
      const tableName = dynamodb.table
      assertOperationError(error, { code: /\w/, operation: 'GetItem', tableName, $fault: 'server', retryable: true })
      assert.equal(error.$metadata.attempts, 2)
    })
  }

  for (const text of ['', 'not JSON SECRET', '[]', '5', '{"Item":5}', '{"Item":{"sess":5,"id":{"S":"SECRET"}}}']) {
    test(`a response with status 200 and the body ${JSON.stringify(text)} results in an error or no session`, async () => {
      proxy.on('*', fault.textResponse(200, text))
      const { error, value } = await callBothWays(newStore({ maxAttempts: 1 }), 'get', newSid())
      if (error)
        assertOperationError(error, {
          code: /\w/,
          operation: 'GetItem',
          tableName: dynamodb.table,
          secrets: ['SECRET']
        })
      else assert.equal(value, null)
    })
  }

  const broken = {
    'a response with a wrong checksum': fault.wrongChecksum,
    'a closed connection': fault.hangUp,
    'an incomplete response': fault.partialBody
  }
  for (const [name, response] of Object.entries(broken)) {
    test(`${name} is retried`, async () => {
      const sid = newSid()
      const store = newStore()
      await store.set(sid, newSession({ user: 'Ann' }))
      proxy.on('GetItem', response, 1)
      assert.equal((await store.get(sid)).user, 'Ann')
      assert.equal(proxy.sent('GetItem').length, 2)
    })

    test(`${name} on every attempt makes the operation fail`, async () => {
      proxy.on('*', response)
      await assertAllFail(newStore({ maxAttempts: 2 }), { code: /Error$/, tableName: dynamodb.table, retryable: true })
    })
  }

  test('a wrong clock is corrected with the Date header of the response', async () => {
    const hour = 3_600_000
    const date = new Date(Date.now() + hour).toUTCString()
    const message = 'Signature expired: 20261121T000000Z is now earlier than 20261121T010000Z'
    proxy.on('*', fault.errorResponse(400, 'InvalidSignatureException', message, { date }), 1)
    assert.equal(await newStore().get(newSid()), null)
    const signedAt = proxy.requests.map(({ headers }) => readAmzDate(headers['x-amz-date']))
    assert.ok(Math.abs(signedAt[0] - Date.now()) < 60_000)
    assert.ok(Math.abs(signedAt[1] - Date.now() - hour) < 60_000)
  })

  function readAmzDate(text) {
    return Date.parse(text.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'))
  }

  test('a redirect is not followed', async () => {
    proxy.on('*', ({ response }) => response.writeHead(307, { location: dynamodb.connection.endpoint }).end())
    const error = await failure(newStore({ maxAttempts: 1 }), 'get', newSid())
    assertOperationError(error, { code: /\w/, operation: 'GetItem', tableName: dynamodb.table })
  })
})

describe('connection errors', () => {
  test('a refused connection makes all operations fail with NetworkError', async () => {
    const proxy = await dynamodb.proxy()
    await proxy.close()
    const store = dynamodb.store({ endpoint: proxy.endpoint, maxAttempts: 2 })
    await assertAllFail(store, { code: 'NetworkError', tableName: dynamodb.table, retryable: true })
    const { $metadata, cause } = await failure(store, 'get', newSid())
    assert.equal($metadata.attempts, 2)
    assert.ok(cause instanceof Error)
  })

  test('a host that does not exist makes an operation fail', async () => {
    const store = dynamodb.store({ endpoint: 'http://no-such-host.invalid', maxAttempts: 1 })
    const error = await failure(store, 'get', newSid())
    assertOperationError(error, {
      code: /^(NetworkError|TimeoutError)$/,
      operation: 'GetItem',
      tableName: dynamodb.table
    })
  })

  test('a Region that does not exist makes an operation fail', async () => {
    const store = dynamodb.store({ endpoint: undefined, region: 'nowhere-1', maxAttempts: 1 })
    const error = await failure(store, 'get', newSid())
    assertOperationError(error, {
      code: /^(NetworkError|TimeoutError)$/,
      operation: 'GetItem',
      tableName: dynamodb.table
    })
  })

  test('an endpoint that does not speak HTTP makes an operation fail with NetworkError', async () => {
    const server = require('node:net').createServer((socket) => socket.end('220 mail ready\r\n'))
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const store = dynamodb.store({ endpoint: `http://127.0.0.1:${server.address().port}`, maxAttempts: 1 })
    const error = await failure(store, 'get', newSid())
    server.close()
    assertOperationError(error, { code: 'NetworkError', operation: 'GetItem', tableName: dynamodb.table })
  })
})

describe('incomplete configuration', () => {
  const script = `
    const store = new DynamoDBStore(options)
    const report = (error) => ({
      isStoreError: error instanceof DynamoDBStoreError,
      name: error.name,
      code: error.code,
      message: error.message,
      operation: error.operation
    })
    store.get('x', (error) => {
      const first = report(error)
      store.get('x').catch((second) => console.log(JSON.stringify([first, report(second)])))
    })
  `
  const emptyHome = { HOME: os.tmpdir(), AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' }

  async function bothErrors(options, env) {
    const { code, stdout, stderr } = await runScript(script, { options, env: { ...emptyHome, ...env } })
    assert.deepEqual([code, stderr], [0, ''])
    const [callWithCallback, callWithPromise] = JSON.parse(stdout)
    assert.deepEqual(callWithCallback, callWithPromise)
    return callWithCallback
  }

  test('missing credentials make operations fail with CredentialsError', async () => {
    const error = await bothErrors({ region: 'us-east-1', endpoint: dynamodb.connection.endpoint })
    assert.deepEqual([error.isStoreError, error.name, error.code], [true, 'CredentialsError', 'CredentialsError'])
    assert.ok(error.message.startsWith('GetItem on table "sessions": '), error.message)
  })

  test('a missing Region makes operations fail with ConfigError', async () => {
    const error = await bothErrors({ credentials: dynamodb.connection.credentials })
    assert.deepEqual([error.isStoreError, error.name, error.code], [true, 'ConfigError', 'ConfigError'])
    assert.match(error.message, /region/i)
  })

  test('a profile that does not exist makes operations fail', async () => {
    const error = await bothErrors({ ...dynamodb.connection, credentials: undefined, profile: 'nobody' })
    assert.equal(error.isStoreError, true)
    assert.match(error.code, /^(CredentialsError|ConfigError)$/)
  })
})
