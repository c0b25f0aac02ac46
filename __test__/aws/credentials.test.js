'use strict'

const assert = require('node:assert/strict')
const AWS = require('aws-sdk')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const path = require('node:path')
const { before, beforeEach, describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { assertOperationError, assertStoreError, failure } = require('../support/errors')
const { errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { temporaryDirectory, write } = require('../support/temporary-packages')
const { newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()
const keys = (id, more) => ({ accessKeyId: id, secretAccessKey: `secret of ${id}`, ...more })

describe('credentials', needs('proxy'), () => {
  let proxy
  before(async () => (proxy = await dynamodb.proxy()))
  beforeEach(() => proxy.reset())

  const newStore = (credentials) => dynamodb.store({ region: 'us-east-1', endpoint: proxy.endpoint, credentials })

  /** The access key ID and Region in the signature of each request. */
  const signers = () =>
    proxy.requests.map(({ headers }) => {
      const [, id, region] = headers.authorization.match(/Credential=([^/]+)\/\d+\/([^/]+)\/dynamodb\/aws4_request/)
      return `${id} in ${region}`
    })

  const tokens = () => proxy.requests.map(({ headers }) => headers['x-amz-security-token'])

  test('from an object sign every request', async () => {
    const store = newStore(keys('FIXED', { sessionToken: 'token' }))
    await store.get(newSid())
    await store.length()
    assert.deepEqual(signers(), ['FIXED in us-east-1', 'FIXED in us-east-1'])
    assert.deepEqual(tokens(), ['token', 'token'])
  })

  test('from a function are fetched once for many operations', async () => {
    let calls = 0
    const store = newStore(async () => keys(`KEY${++calls}`))
    assert.equal(calls, 0, 'not in the constructor')
    await Promise.all(Array.from({ length: 20 }, () => store.get(newSid())))
    await store.get(newSid())
    await store.length()
    assert.deepEqual([calls, new Set(signers())], [1, new Set(['KEY1 in us-east-1'])])
  })

  test('may come from a synchronous function', async () => {
    await newStore(() => keys('SYNC')).get(newSid())
    assert.deepEqual(signers(), ['SYNC in us-east-1'])
  })

  test('are renewed after they expire', async () => {
    let calls = 0
    const store = newStore(async () => keys(`KEY${++calls}`, { expiration: new Date(Date.now() + 1000) }))
    await store.get(newSid())
    await sleep(1050)
    await Promise.all([store.get(newSid()), store.get(newSid())])
    assert.deepEqual(signers(), ['KEY1 in us-east-1', 'KEY2 in us-east-1', 'KEY2 in us-east-1'])
    assert.equal(calls, 2)
  })

  test('are renewed shortly before they expire, in the background of an operation', async () => {
    let calls = 0
    const life = 1500
    const store = newStore(async () => keys(`KEY${++calls}`, { expiration: new Date(Date.now() + life) }))
    await store.get(newSid())
    await sleep(life * 0.93)
    await store.get(newSid())
    await sleep(20)
    assert.equal(calls, 2)
  })

  test('that are far from their expiration are not renewed', async () => {
    let calls = 0
    const store = newStore(async () => keys(`KEY${++calls}`, { expiration: new Date(Date.now() + 3_600_000) }))
    await store.get(newSid())
    await store.get(newSid())
    assert.equal(calls, 1)
  })

  for (const code of ['ExpiredTokenException', 'UnrecognizedClientException']) {
    test(`that the service rejects with ${code} are fetched again`, async () => {
      let calls = 0
      const store = newStore(async () => keys(`KEY${++calls}`))
      proxy.on('*', errorResponse(400, code), 1)
      assert.equal(await store.get(newSid()), null)
      assert.deepEqual(signers(), ['KEY1 in us-east-1', 'KEY2 in us-east-1'])
    })
  }

  const rejections = [
    'UnrecognizedClientException',
    'InvalidClientTokenId',
    'InvalidSignatureException',
    'SignatureDoesNotMatch',
    'ExpiredToken',
    'ExpiredTokenException'
  ]
  const clientOf = (credentials) => new DynamoDBClient({ region: 'us-east-1', endpoint: proxy.endpoint, credentials })
  const clientV2 = (credentials) =>
    new AWS.DynamoDB({ region: 'us-east-1', endpoint: proxy.endpoint, credentials: new AWS.Credentials(credentials) })
  const given = { region: undefined, endpoint: undefined, credentials: undefined }
  const sources = {
    'an object': { store: () => newStore(keys('OBJECT')), canChange: false },
    'an object with a session token': {
      store: () => newStore(keys('OBJECT', { sessionToken: 't' })),
      canChange: false
    },
    'a client with keys': {
      store: () => dynamodb.store({ ...given, client: clientOf(keys('CLIENT')) }),
      canChange: false
    },
    'an AWS SDK v2 client with keys': {
      store: () => dynamodb.store({ ...given, client: clientV2(keys('CLIENT')) }),
      canChange: false
    },
    'a function': { store: () => newStore(() => keys('FUNCTION')), canChange: true },
    'a function whose keys expire': {
      store: () => newStore(() => keys('FUNCTION', { expiration: new Date(Date.now() + 3_600_000) })),
      canChange: true
    },
    'a client whose keys expire': {
      store: () => {
        const credentials = async () => keys('CLIENT', { expiration: new Date(Date.now() + 3_600_000) })
        return dynamodb.store({ ...given, client: clientOf(credentials) })
      },
      canChange: true
    }
  }
  for (const [source, { store: make, canChange }] of Object.entries(sources)) {
    test(`from ${source} that the service rejects cause an error that is ${canChange ? '' : 'not '}retryable`, async () => {
      for (const code of rejections) {
        for (const [method, ...args] of [['get', newSid()], ['length']]) {
          proxy.reset()
          proxy.on('*', errorResponse(400, code))
          const error = await make()
            [method](...args)
            .catch((error) => error)
          assertStoreError(error, { code, retryable: canChange, $fault: 'client' })
          assert.equal(proxy.requests.length, canChange ? 2 : 1, `${method} with ${code}`)
        }
      }
    })
  }

  test('from an object, on a host with a wrong clock, cause a retryable error', async () => {
    proxy.on('*', errorResponse(400, 'InvalidSignatureException', 'Signature expired: 20261121T000000Z is now earlier'))
    for (const [method, ...args] of [['get', newSid()], ['length']]) {
      const error = await newStore(keys('OBJECT'))
        [method](...args)
        .catch((error) => error)
      assertStoreError(error, { code: 'InvalidSignatureException', retryable: true })
    }
  })

  const failing = {
    'that rejects': async () => {
      throw new Error('the vault is sealed')
    },
    'that throws': () => {
      throw new Error('the vault is sealed')
    }
  }
  for (const [name, credentials] of Object.entries(failing)) {
    test(`from a function ${name} cause an error whose cause is the original error`, async () => {
      const error = await failure(newStore(credentials), 'get', newSid())
      assertOperationError(error, { code: 'CredentialsError', operation: 'GetItem', tableName: dynamodb.table })
      assert.match(error.cause.message, /the vault is sealed/)
      assert.deepEqual(proxy.requests, [])
    })
  }

  const invalid = {
    undefined: undefined,
    null: null,
    'a string': 'SECRET',
    'an empty object': {},
    'an array': ['SECRET'],
    'no secretAccessKey': { accessKeyId: 'SECRET' },
    'an accessKeyId with a newline': { accessKeyId: 'SECRET\n', secretAccessKey: 'SECRET' },
    'a number as secretAccessKey': { accessKeyId: 'SECRET', secretAccessKey: 5 },
    'a number as sessionToken': { accessKeyId: 'SECRET', secretAccessKey: 'SECRET', sessionToken: 5 },
    'an invalid expiration': { accessKeyId: 'SECRET', secretAccessKey: 'SECRET', expiration: new Date(NaN) },
    'a getter that throws': {
      get accessKeyId() {
        throw new Error('thrown by the getter')
      }
    }
  }
  for (const [name, value] of Object.entries(invalid)) {
    test(`from a function that returns ${name} cause an error`, async () => {
      const error = await failure(
        newStore(async () => value),
        'get',
        newSid()
      )
      assertStoreError(error, { code: 'CredentialsError', operation: 'GetItem', secrets: ['SECRET'] })
    })
  }

  for (const name of ['accessKeyId', 'sessionToken']) {
    test(`from an object whose ${name} has a newline are rejected by the constructor`, () => {
      const credentials = keys('KEY', { [name]: 'KEY\n' })
      assert.throws(() => newStore(credentials), { code: 'ConfigError', message: /credentials/ })
    })
  }

  test('that failed are fetched again by the next operation', async () => {
    let calls = 0
    const store = newStore(async () => {
      calls += 1
      if (calls === 1) throw new Error('not yet')
      return keys('LATER')
    })
    await assert.rejects(store.get(newSid()), { code: 'CredentialsError' })
    assert.equal(await store.get(newSid()), null)
    assert.deepEqual(signers(), ['LATER in us-east-1'])
  })

  describe('from the environment', () => {
    const script = "new DynamoDBStore(options).get('x', (error) => console.log(error?.message ?? 'ok'))"

    async function run(options, env) {
      const { code, stdout, stderr } = await runScript(script, { options, env })
      assert.deepEqual([code, stdout, stderr], [0, 'ok\n', ''])
    }

    const withTable = (options) => ({ table: dynamodb.table, ...options })

    test('may come from variables', async () => {
      const env = {
        AWS_ACCESS_KEY_ID: 'VARIABLE',
        AWS_SECRET_ACCESS_KEY: 'x',
        AWS_SESSION_TOKEN: 'token',
        AWS_REGION: 'eu-west-3'
      }
      await run(withTable({ endpoint: proxy.endpoint }), env)
      assert.deepEqual([signers(), tokens()], [['VARIABLE in eu-west-3'], ['token']])
    })

    test('rejected credentials from variables cause an error that is not retryable', async () => {
      proxy.on('*', errorResponse(400, 'UnrecognizedClientException'))
      const { stdout } = await runScript(
        "new DynamoDBStore(options).get('x', (error) => console.log(error.code, error.retryable))",
        {
          options: { endpoint: proxy.endpoint },
          env: { AWS_ACCESS_KEY_ID: 'VARIABLE', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-west-3' }
        }
      )
      assert.equal(stdout, 'UnrecognizedClientException false\n')
    })

    test('AWS_ENDPOINT_URL_DYNAMODB takes precedence over AWS_ENDPOINT_URL', async () => {
      const env = { AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }
      await run(withTable({ region: 'us-east-2', credentials: keys('OPTION') }), env)
      assert.deepEqual(signers(), ['OPTION in us-east-2'])
    })

    test('AWS_ENDPOINT_URL sets the endpoint', async () => {
      await run(withTable({ region: 'us-east-2', credentials: keys('OPTION') }), { AWS_ENDPOINT_URL: proxy.endpoint })
      assert.deepEqual(signers(), ['OPTION in us-east-2'])
    })

    test('options take precedence over variables', async () => {
      const env = {
        AWS_ACCESS_KEY_ID: 'VARIABLE',
        AWS_SECRET_ACCESS_KEY: 'x',
        AWS_REGION: 'eu-west-3',
        AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9'
      }
      const options = { endpoint: proxy.endpoint, region: 'us-east-2', credentials: keys('OPTION') }
      await run(withTable(options), env)
      assert.deepEqual([signers(), tokens()], [['OPTION in us-east-2'], [undefined]])
    })

    /** Files of two profiles, as variables. */
    function profiles(t) {
      const directory = temporaryDirectory(t)
      const section = (name, id, region) =>
        `[${name}]
        aws_access_key_id = ${id}
        aws_secret_access_key = x
        region = ${region}
        endpoint_url = ${proxy.endpoint}
      `.replaceAll(/^ +/gm, '')
      const file = write(
        path.join(directory, 'config'),
        section('default', 'DEFAULT', 'eu-north-1') + section('profile other', 'OTHER', 'eu-south-1')
      )
      return { AWS_CONFIG_FILE: file, AWS_SHARED_CREDENTIALS_FILE: '/dev/null' }
    }

    test('may come from the default profile', async (t) => {
      await run(withTable(), profiles(t))
      assert.deepEqual(signers(), ['DEFAULT in eu-north-1'])
    })

    test('may come from the profile in AWS_PROFILE', async (t) => {
      await run(withTable(), { ...profiles(t), AWS_PROFILE: 'other' })
      assert.deepEqual(signers(), ['OTHER in eu-south-1'])
    })

    test('from option profile take precedence over AWS_PROFILE', async (t) => {
      const env = { ...profiles(t), AWS_PROFILE: 'default' }
      await run(withTable({ profile: 'other' }), env)
      assert.deepEqual(signers(), ['OTHER in eu-south-1'])
    })

    test('from option profile take precedence over keys in variables, but its Region does not', async (t) => {
      const keysOfEnvironment = { AWS_ACCESS_KEY_ID: 'ENVIRONMENT', AWS_SECRET_ACCESS_KEY: 'x' }
      const env = { ...profiles(t), ...keysOfEnvironment, AWS_REGION: 'us-east-2' }
      await run(withTable({ profile: 'other' }), env)
      await run(withTable(), { ...env, AWS_PROFILE: 'other' })
      assert.deepEqual(signers(), ['OTHER in us-east-2', 'ENVIRONMENT in us-east-2'])
    })
  })
})
