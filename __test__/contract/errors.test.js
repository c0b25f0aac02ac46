'use strict'

const assert = require('node:assert/strict')
const os = require('node:os')
const { before, beforeEach, describe, test } = require('node:test')
const { callBothWays, callWithCallback } = require('../support/calls')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, assertStoreError, failure } = require('../support/errors')
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

/** Makes all four operations fail, both ways, with the same error. */
async function assertAllFail(store, { status, ...expected }) {
  const sid = newSid()
  for (const [operation, ...call] of calls(sid)) {
    const error = await failure(store, ...call)
    assertOperationError(error, { operation, secrets: [sid, 'SECRET'], ...expected })
    if (status) assert.equal(error.$metadata.httpStatusCode, status)
  }
}

describe('what a server says', () => {
  test('no such table', async () => {
    const tableName = dynamodb.newTableName()
    const store = dynamodb.store({ table: tableName })
    const code = 'ResourceNotFoundException'
    await assertAllFail(store, { code, tableName, status: 400, $fault: 'client', retryable: false })
    const { $metadata, message } = await failure(store, 'get', newSid())
    assert.equal($metadata.attempts, 1)
    assert.match($metadata.requestId, /^\w+/)
    const answer = await dynamodb.raw.read(tableName, { id: 'x' }).catch((error) => error.message)
    assert.ok(message.startsWith(`GetItem on table "${tableName}": ${answer}. Table `), message)
  })

  test('no such table, for the methods of the whole table', async () => {
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

  test('a key of another name', async () => {
    const store = dynamodb.store({ hashKey: 'other' })
    await assertAllFail(store, {
      code: 'ValidationException',
      tableName: dynamodb.table,
      status: 400,
      retryable: false
    })
  })
})

describe('what a faulty server says', needs('proxy'), () => {
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
  for (const [code, answer] of Object.entries(retryable)) {
    test(`${code} is tried again`, async () => {
      const sid = newSid()
      const store = newStore()
      await store.set(sid, newSession({ user: 'Ann' }))
      proxy.reset()
      proxy.on('*', answer, 2)
      assert.equal((await store.get(sid)).user, 'Ann')
      assert.equal(proxy.requests.length, 3)
    })

    test(`${code} comes through in the end`, async () => {
      const tableName = dynamodb.table
      proxy.on('*', answer)
      const error = await failure(newStore({ maxAttempts: 2 }), 'get', newSid())
      assertOperationError(error, { code, operation: 'GetItem', tableName, retryable: true })
      assert.equal(error.$fault, code.startsWith('I') || code.startsWith('S') ? 'server' : 'client')
      assert.equal(error.$metadata.attempts, 2)
      assert.equal(error.$metadata.requestId, 'REQUEST-OF-THE-FAULT')
      assert.equal(proxy.requests.length, 4)
    })
  }

  test('every operation is throttled alike', async () => {
    const code = 'ThrottlingException'
    proxy.on('*', fault.errorResponse(400, code))
    await assertAllFail(newStore({ maxAttempts: 2 }), { code, tableName: dynamodb.table, status: 400, retryable: true })
  })

  for (const code of ['AccessDeniedException', 'ValidationException', 'ConditionalCheckFailedException']) {
    test(`${code} is not tried again`, async () => {
      proxy.on('*', fault.errorResponse(400, code, 'as the service puts it'))
      const error = await failure(newStore(), 'get', newSid())
      assertOperationError(error, { code, operation: 'GetItem', tableName: dynamodb.table, retryable: false })
      assert.equal(error.message, `GetItem on table "${dynamodb.table}": as the service puts it`)
      assert.equal(error.$metadata.attempts, 1)
      assert.equal(proxy.requests.length, 2)
    })
  }

  const name = 'ThrottlingException'
  const forms = {
    'without a message': { body: { __type: name, message: null }, text: name },
    'with two messages': { body: { __type: name, message: 'one', Message: 'two' }, text: 'one' },
    'with a message in upper case': { body: { __type: name, message: null, Message: 'two' }, text: 'two' },
    'with a namespace and a URL': { body: { __type: `ns#${name}:http://internal/`, message: 'one' }, text: 'one' },
    'in code': { body: { code: `ns#${name}`, message: 'one' }, text: 'one' },
    'in a header': {
      body: { message: 'one' },
      headers: { 'x-amzn-errortype': `${name}:http://internal/` },
      text: 'one'
    },
    'in a header, without a body': { headers: { 'x-amzn-errortype': `ns#${name}` }, text: name }
  }
  for (const [form, { body, headers, text }] of Object.entries(forms)) {
    test(`an error name ${form} is recognized, and the request is tried again`, async () => {
      const answer = fault.textResponse(400, body === undefined ? '' : JSON.stringify(body), headers)
      for (const [method, operation, ...args] of [
        ['get', 'GetItem', newSid()],
        ['length', 'Scan']
      ]) {
        proxy.reset()
        proxy.on('*', answer)
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
    test(`the reasons of ${name} are on the error and in stats()`, async () => {
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

  test('reasons of throttling that passes are counted', async () => {
    proxy.on('*', fault.textResponse(400, JSON.stringify({ __type: name, throttlingReasons: [reasons[0], {}] })), 1)
    const store = newStore()
    assert.equal(await store.get(newSid()), null)
    assert.deepEqual(store.stats().throttlingReasons, { TableReadKeyRangeThroughputExceeded: 1 })
  })

  for (const code of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    test(`an error that the service names ${code} is counted like any other`, async () => {
      const body = JSON.stringify({ __type: code, throttlingReasons: [{ reason: code }] })
      proxy.on('*', fault.textResponse(429, body))
      const store = newStore({ maxAttempts: 1 })
      assert.equal((await store.get(newSid()).catch((error) => error)).code, code)
      await assert.rejects(store.length())
      const { errors, throttlingReasons } = store.stats()
      assert.deepEqual([Object.entries(errors), Object.entries(throttlingReasons)], [[[code, 2]], [[code, 2]]])
    })
  }

  test('a service that gives no reason', async () => {
    proxy.on('*', fault.errorResponse(400, 'SerializationException', ''))
    const errors = [await failure(newStore(), 'get', newSid()), await failure(newStore(), 'describeTable')]
    const operations = ['GetItem', 'DescribeTable']
    for (const [i, { message }] of errors.entries()) {
      assert.equal(message, `${operations[i]} on table "${dynamodb.table}": SerializationException`)
    }
  })

  test('a message that repeats the key or the session is not passed on as data', async () => {
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

  test('ENOENT, which frameworks take for no session, is another code', async () => {
    proxy.on('*', fault.errorResponse(400, 'ENOENT'))
    const error = await failure(newStore({ maxAttempts: 1 }), 'get', newSid())
    assertOperationError(error, { code: /./, operation: 'GetItem', tableName: dynamodb.table })
  })

  for (const [name, answer] of [
    [
      'an error page of a load balancer',
      fault.textResponse(502, '<html>Bad Gateway</html>', { 'content-type': 'text/html' })
    ],
    ['an error without a body', fault.textResponse(500, '')]
  ]) {
    test(`${name} is tried again, and is a server's fault`, async () => {
      proxy.on('*', answer)
      const error = await failure(newStore({ maxAttempts: 2 }), 'get', newSid())
      const tableName = dynamodb.table
      assertOperationError(error, { code: /\w/, operation: 'GetItem', tableName, $fault: 'server', retryable: true })
      assert.equal(error.$metadata.attempts, 2)
    })
  }

  for (const text of ['', 'no JSON SECRET', '[]', '5', '{"Item":5}', '{"Item":{"sess":5,"id":{"S":"SECRET"}}}']) {
    test(`a good answer with the body ${JSON.stringify(text)} is an error or no session`, async () => {
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
    'a wrong checksum': fault.wrongChecksum,
    'a closed connection': fault.hangUp,
    'half an answer': fault.partialBody
  }
  for (const [name, answer] of Object.entries(broken)) {
    test(`${name} is tried again`, async () => {
      const sid = newSid()
      const store = newStore()
      await store.set(sid, newSession({ user: 'Ann' }))
      proxy.on('GetItem', answer, 1)
      assert.equal((await store.get(sid)).user, 'Ann')
      assert.equal(proxy.sent('GetItem').length, 2)
    })

    test(`${name} comes through in the end`, async () => {
      proxy.on('*', answer)
      await assertAllFail(newStore({ maxAttempts: 2 }), { code: /Error$/, tableName: dynamodb.table, retryable: true })
    })
  }

  test('a clock that is wrong is set by the answer', async () => {
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

describe('no server', () => {
  test('nobody listens', async () => {
    const proxy = await dynamodb.proxy()
    await proxy.close()
    const store = dynamodb.store({ endpoint: proxy.endpoint, maxAttempts: 2 })
    await assertAllFail(store, { code: 'NetworkError', tableName: dynamodb.table, retryable: true })
    const { $metadata, cause } = await failure(store, 'get', newSid())
    assert.equal($metadata.attempts, 2)
    assert.ok(cause instanceof Error)
  })

  test('a host that does not exist', async () => {
    const store = dynamodb.store({ endpoint: 'http://no-such-host.invalid', maxAttempts: 1 })
    const error = await failure(store, 'get', newSid())
    assertOperationError(error, {
      code: /^(NetworkError|TimeoutError)$/,
      operation: 'GetItem',
      tableName: dynamodb.table
    })
  })

  test('a region that does not exist', async () => {
    const store = dynamodb.store({ endpoint: undefined, region: 'nowhere-1', maxAttempts: 1 })
    const error = await failure(store, 'get', newSid())
    assertOperationError(error, {
      code: /^(NetworkError|TimeoutError)$/,
      operation: 'GetItem',
      tableName: dynamodb.table
    })
  })

  test('an endpoint that speaks no HTTP', async () => {
    const server = require('node:net').createServer((socket) => socket.end('220 mail ready\r\n'))
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const store = dynamodb.store({ endpoint: `http://127.0.0.1:${server.address().port}`, maxAttempts: 1 })
    const error = await failure(store, 'get', newSid())
    server.close()
    assertOperationError(error, { code: 'NetworkError', operation: 'GetItem', tableName: dynamodb.table })
  })
})

describe('nothing configured', () => {
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
      store.get('x').catch((again) => console.log(JSON.stringify([first, report(again)])))
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

  test('no credentials', async () => {
    const error = await bothErrors({ region: 'us-east-1', endpoint: dynamodb.connection.endpoint })
    assert.deepEqual([error.isStoreError, error.name, error.code], [true, 'CredentialsError', 'CredentialsError'])
    assert.ok(error.message.startsWith('GetItem on table "sessions": '), error.message)
  })

  test('no region', async () => {
    const error = await bothErrors({ credentials: dynamodb.connection.credentials })
    assert.deepEqual([error.isStoreError, error.name, error.code], [true, 'ConfigError', 'ConfigError'])
    assert.match(error.message, /region/i)
  })

  test('a profile that does not exist', async () => {
    const error = await bothErrors({ ...dynamodb.connection, credentials: undefined, profile: 'nobody' })
    assert.equal(error.isStoreError, true)
    assert.match(error.code, /^(CredentialsError|ConfigError)$/)
  })
})

describe('after close', () => {
  test('every operation fails, and close again does not', async () => {
    const store = dynamodb.store()
    assert.deepEqual(await callBothWays(store, 'close'), { value: undefined })
    const sid = newSid()
    for (const [operation, ...call] of calls(sid)) {
      assertStoreError(await failure(store, ...call), { code: 'ClosedError', operation, secrets: [sid, 'SECRET'] })
    }
    for (const method of ['all', 'ids', 'length', 'clear', 'createTable', 'describeTable']) {
      assertStoreError(await failure(store, method), { code: 'ClosedError' })
    }
    assert.deepEqual(await callBothWays(store, 'close'), { value: undefined })
  })

  test('what was under way is answered', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', fault.delayed(100))
    const store = dynamodb.store({ endpoint: proxy.endpoint })
    const getting = callWithCallback(store, 'get', newSid())
    await store.close()
    const { error, value } = await getting
    if (error) assertStoreError(error, { code: 'ClosedError' })
    else assert.equal(value, null)
  })

  test('another store lives on', async () => {
    const [one, two] = [dynamodb.store(), dynamodb.store()]
    await one.close()
    assert.equal(await two.get(newSid()), null)
  })
})
