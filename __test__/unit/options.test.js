'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { inspect } = require('node:util')
const { DynamoDBStore } = require('../..')
const { assertStoreError } = require('../support/errors')

/** The ConfigError that the constructor must throw for these options. */
function configError(options) {
  try {
    new DynamoDBStore(options)
  } catch (error) {
    assertStoreError(error, { code: 'ConfigError' })
    return error
  }
  assert.fail(`${inspect(options)} must be rejected`)
}

const bytes = Buffer.alloc(32, 7)
const keys = [{ id: 'k', key: bytes }]

const nameOfType = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

const names = [
  'table',
  'hashKey',
  'sortKey',
  'prefix',
  'region',
  'endpoint',
  'profile',
  'credentials',
  'client',
  'ttl',
  'touchAfter',
  'disableTouch',
  'consistentRead',
  'encryption',
  'user',
  'compression',
  'maxLifetime',
  'hashIds',
  'format',
  'attributes',
  'specialKeys',
  'createTable',
  'connectTimeout',
  'attemptTimeout',
  'timeout',
  'maxAttempts',
  'maxConnections',
  'maxPending',
  'offlineAfter'
]

describe('valid options', () => {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const cases = {
    'no options': undefined,
    'empty options': {},
    'every option undefined': Object.fromEntries(names.map((name) => [name, undefined])),
    'an object without a prototype': Object.assign(Object.create(null), { table: 'sessions' }),
    'an empty prefix': { prefix: '' },
    'touchAfter 0': { touchAfter: 0 },
    'a function as ttl': { ttl: () => 60 },
    'a function as credentials': { credentials: async () => credentials },
    'credentials with a token': { credentials: { ...credentials, sessionToken: 'c', expiration: new Date() } },
    'an endpoint with a path': { endpoint: 'http://localhost:8000/path', region: 'local' },
    'a table ARN': { table: 'arn:aws:dynamodb:eu-west-1:123456789012:table/sessions' },
    'on-miss': { consistentRead: 'on-miss' },
    'a function as encryption': { encryption: () => keys },
    'keys as bytes and as text': {
      encryption: {
        keys: [
          { id: 'buffer', key: bytes },
          { id: 'array', key: new Uint8Array(bytes) },
          { id: 'base64', key: bytes.toString('base64') },
          { id: 'base64url', key: bytes.toString('base64url') },
          { id: 'no-padding', key: bytes.toString('base64').replace('=', '') }
        ]
      }
    },
    'key IDs of all characters': {
      encryption: { keys: ['a', 'A-Z_0.9:/', 'x'.repeat(64)].map((id) => ({ id, key: bytes })) }
    },
    'every property of encryption': {
      encryption: { keys: async () => keys, write: false, acceptPlain: true, refreshAfter: 0.5 }
    },
    'a path as user': { user: 'passport.user' },
    'a function as user': { user: () => undefined },
    'compression of plain sessions': { compression: true },
    'compression off with encryption': { encryption: { keys }, compression: false },
    'compression with encryption': { encryption: { keys }, compression: { withEncryption: true } },
    'compression with { withEncryption: true } without encryption': { compression: { withEncryption: true } },
    'a maxLifetime of a second': { maxLifetime: 1 },
    'a maxLifetime that is shorter than ttl': { ttl: 100, maxLifetime: 10 },
    'hashed IDs': { hashIds: true },
    'encryption that only reads, with maps': { encryption: { keys, write: false }, format: 'map' },
    'the names of all attributes': { attributes: { session: 'a', expires: 'b', user: 'c', created: 'd' } },
    'an attribute name that an option without effect has': { attributes: { user: 'sess', created: 'expires' } },
    'every property of createTable': {
      createTable: { billingMode: 'PROVISIONED', readCapacityUnits: 1, writeCapacityUnits: 1, ttl: true }
    },
    'createTable false': { createTable: false },
    'no special keys': { specialKeys: [] },
    'short timeouts': { connectTimeout: 1, attemptTimeout: 1, timeout: 1 },
    'one attempt, one connection': { maxAttempts: 1, maxConnections: 1 }
  }
  for (const [name, options] of Object.entries(cases)) {
    test(name, () => new DynamoDBStore(options).close())
  }

  test('the options object is not modified', async () => {
    const options = Object.freeze({ table: 'sessions', attributes: Object.freeze({}), specialKeys: Object.freeze([]) })
    await new DynamoDBStore(options).close()
  })
})

describe('an option of the wrong type causes a ConfigError', () => {
  const wrong = {
    table: [5, true, [], Symbol('x'), () => {}],
    hashKey: [5, {}, []],
    sortKey: [5, {}, true],
    prefix: [5, {}, true],
    region: [5, {}, []],
    endpoint: [5, {}, []],
    profile: [5, {}],
    credentials: ['text', 5, true, []],
    client: ['text', 5, true],
    ttl: ['1d', true, {}, []],
    touchAfter: ['60', true, {}],
    disableTouch: ['yes', 1, {}],
    consistentRead: [1, {}],
    encryption: [5, 'key', true, []],
    user: [5, {}, [], true],
    compression: ['yes', 5, []],
    maxLifetime: ['60', true, {}],
    hashIds: ['yes', 1, {}],
    format: [5, {}],
    attributes: ['sess', 5, []],
    specialKeys: ['user', 5, {}, true],
    createTable: ['yes', 5, []],
    connectTimeout: ['5', true, {}],
    attemptTimeout: ['5', true, {}],
    timeout: ['5', true, {}],
    maxAttempts: ['3', true, {}],
    maxConnections: ['50', true, {}],
    maxPending: ['50', true, {}],
    offlineAfter: ['3', true, {}]
  }
  test('the cases cover every option', () => assert.deepEqual(Object.keys(wrong), names))

  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      test(`${name}: ${inspect(value)}`, () => {
        const { message } = configError({ [name]: value })
        assert.match(message, new RegExp(`\\b${name}\\b`))
        assert.match(message, new RegExp(`\\b${nameOfType(value)}\\b`, 'i'))
      })
    }
  }

  for (const name of names) {
    test(`${name}: null`, () =>
      assert.match(configError({ [name]: null }).message, new RegExp(`\\b${name}\\b.*\\bnull\\b`)))
  }

  for (const options of [5, 'sessions', true, null, [], () => {}]) {
    test(`the whole options argument: ${inspect(options)}`, () => configError(options))
  }
})

describe('an invalid value causes a ConfigError', () => {
  const wrong = {
    table: ['', 'a b', 'x'.repeat(2000), 'arn:aws:s3:::bucket'],
    hashKey: [''],
    sortKey: [''],
    region: [''],
    endpoint: ['', 'no url', 'localhost', 'ftp://localhost'],
    profile: [''],
    credentials: [{}, { accessKeyId: 'a' }, { secretAccessKey: 'a' }, { accessKeyId: '', secretAccessKey: 'a' }],
    client: [{}, { config: {} }, { send() {} }],
    ttl: [NaN, Infinity, -1],
    touchAfter: [NaN, -1],
    consistentRead: ['always', 'on miss'],
    encryption: [
      {},
      { keys: [] },
      { keys: {} },
      { keys: [null] },
      { keys: ['k'] },
      { keys: [{ key: bytes }] },
      { keys: [{ id: '', key: bytes }] },
      { keys: [{ id: 'a b', key: bytes }] },
      { keys: [{ id: 'ä', key: bytes }] },
      { keys: [{ id: 5, key: bytes }] },
      { keys: [{ id: 'x'.repeat(65), key: bytes }] },
      { keys: [{ id: 'k' }] },
      { keys: [{ id: 'k', key: bytes.subarray(1) }] },
      { keys: [{ id: 'k', key: Buffer.alloc(33) }] },
      { keys: [{ id: 'k', key: Buffer.alloc(0) }] },
      { keys: [{ id: 'k', key: 'a password of thirty-two letters' }] },
      { keys: [{ id: 'k', key: bytes.toString('hex') }] },
      { keys: [{ id: 'k', key: [...bytes] }] },
      { keys: [...keys, ...keys] },
      { keys, write: 'no' },
      { keys, acceptPlain: 1 },
      { keys: () => keys, refreshAfter: 0 },
      { keys: () => keys, refreshAfter: -1 },
      { keys: () => keys, refreshAfter: '300' },
      { keys: () => keys, refreshAfter: Infinity },
      { keys, refreshAfter: 300 },
      { keys, write: false, acceptPlain: false },
      keys,
      { keys, key: bytes }
    ],
    user: ['', 'a..b', '.a', 'a.'],
    compression: [{ withEncryption: 'yes' }, { level: 9 }],
    maxLifetime: [0, -1, 1.5, NaN, Infinity],
    format: ['xml', 'JSON', ''],
    attributes: [{ session: '' }, { session: 5 }, { expires: {} }, { user: '' }, { user: 5 }, { created: '' }],
    specialKeys: [
      [5],
      ['user'],
      [{ name: 'user' }],
      [{ type: 'S' }],
      [{ name: '', type: 'S' }],
      [{ name: 5, type: 'S' }],
      [{ name: 'user', type: 'X' }],
      [{ name: 'user', type: 's' }]
    ],
    createTable: [
      { billingMode: 'FREE' },
      { readCapacityUnits: '5' },
      { readCapacityUnits: 0, writeCapacityUnits: 1 },
      { ttl: 'yes' },
      { tags: 'x' }
    ],
    connectTimeout: [NaN, -1],
    attemptTimeout: [NaN, -1],
    timeout: [NaN, -1],
    maxAttempts: [0, -1, 1.5, NaN, Infinity],
    maxConnections: [0, -1, 1.5, NaN],
    maxPending: [0, -1, 1.5, NaN],
    offlineAfter: [0, -1, 1.5, NaN, Infinity]
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      test(`${name}: ${inspect(value).slice(0, 60)}`, () => {
        assert.match(configError({ [name]: value }).message, new RegExp(`\\b${name}\\b`))
      })
    }
  }
})

describe('conflicting options cause a ConfigError', () => {
  const client = { config: {}, send() {} }
  const cases = {
    'hashKey and sortKey with the same name': { hashKey: 'id', sortKey: 'id' },
    'session and expiry in the same attribute': { attributes: { session: 'x', expires: 'x' } },
    'session in the key': { attributes: { session: 'id' } },
    'expiry in the key': { hashKey: 'expires' },
    'session in the sort key': { sortKey: 'sess' },
    'a special key named like the partition key': { specialKeys: [{ name: 'id', type: 'S' }] },
    'a special key named like the sort key': { sortKey: 'sk', specialKeys: [{ name: 'sk', type: 'S' }] },
    'a special key named like the session attribute': { specialKeys: [{ name: 'sess', type: 'S' }] },
    'a special key named like the expiry attribute': { specialKeys: [{ name: 'expires', type: 'N' }] },
    'a special key named like the type attribute': { specialKeys: [{ name: 'type', type: 'S' }] },
    'a special key named like a configured attribute': {
      attributes: { session: 'data' },
      specialKeys: [{ name: 'data', type: 'S' }]
    },
    'a duplicate special key': {
      specialKeys: [
        { name: 'user', type: 'S' },
        { name: 'user', type: 'N' }
      ]
    },
    'compression with encryption, without consent': { encryption: { keys }, compression: true },
    'compression with a function as encryption, without consent': { encryption: () => keys, compression: true },
    'compression with encryption, with refusal': { encryption: { keys }, compression: { withEncryption: false } },
    'encrypted maps': { encryption: { keys }, format: 'map' },
    'compressed maps': { compression: true, format: 'map' },
    'the user in the partition key': { user: 'id', attributes: { user: 'id' } },
    'the user in the sort key': { user: 'id', sortKey: 'user' },
    'the user in the session attribute': { user: 'id', attributes: { user: 'sess' } },
    'the user in the type attribute': { user: 'id', attributes: { user: 'type' } },
    'the creation time in the expiry attribute': { maxLifetime: 60, attributes: { created: 'expires' } },
    'the user and the creation time in the same attribute': {
      user: 'id',
      maxLifetime: 60,
      attributes: { user: 'x', created: 'x' }
    },
    'a special key named like the user attribute': { user: 'id', specialKeys: [{ name: 'user', type: 'S' }] },
    'a special key named like the creation time': { maxLifetime: 60, specialKeys: [{ name: 'created', type: 'N' }] },
    'touchAfter with disableTouch': { disableTouch: true, touchAfter: 60 },
    'attemptTimeout longer than timeout': { attemptTimeout: 2000, timeout: 1000 },
    'connectTimeout longer than attemptTimeout': { connectTimeout: 2000, attemptTimeout: 1000 },
    'connectTimeout longer than timeout': { connectTimeout: 2000, timeout: 1000 },
    'a client and a Region': { client, region: 'us-east-1' },
    'a client and an endpoint': { client, endpoint: 'http://localhost' },
    'a client and a profile': { client, profile: 'x' },
    'a client and credentials': { client, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } },
    'capacity units of an on-demand table': { createTable: { billingMode: 'PAY_PER_REQUEST', readCapacityUnits: 5 } }
  }
  for (const [name, options] of Object.entries(cases)) test(name, () => void configError(options))
})

describe('an unknown option causes a ConfigError', () => {
  const misspelled = {
    tabel: 'table',
    Table: 'table',
    hashkey: 'hashKey',
    hash_key: 'hashKey',
    sortkey: 'sortKey',
    prefixes: 'prefix',
    endPoint: 'endpoint',
    credential: 'credentials',
    TTL: 'ttl',
    touchafter: 'touchAfter',
    consistantRead: 'consistentRead',
    encription: 'encryption',
    users: 'user',
    compresion: 'compression',
    maxLifeTime: 'maxLifetime',
    hashIDs: 'hashIds',
    specialKey: 'specialKeys',
    createTabel: 'createTable',
    timeOut: 'timeout',
    maxAttempt: 'maxAttempts',
    maxConections: 'maxConnections',
    maxpending: 'maxPending',
    offlineafter: 'offlineAfter'
  }
  for (const [given, meant] of Object.entries(misspelled)) {
    test(`the error about ${given} suggests ${meant}`, () => {
      const { message } = configError({ [given]: 'SECRET' })
      assert.match(message, new RegExp(`\\b${given}\\b`))
      assert.match(message, new RegExp(`\\b${meant}\\b`))
      assert.equal(message.includes('SECRET'), false)
    })
  }

  for (const [options, given, meant] of [
    [{ attributes: { sesion: 'x' } }, 'sesion', 'session'],
    [{ attributes: { creatd: 'x' } }, 'creatd', 'created'],
    [{ createTable: { billingmode: 'PAY_PER_REQUEST' } }, 'billingmode', 'billingMode'],
    [{ specialKeys: [{ name: 'user', typ: 'S' }] }, 'typ', 'type']
  ]) {
    test(`the error about the nested option ${given} suggests ${meant}`, () => {
      const { message } = configError(options)
      assert.match(message, new RegExp(`\\b${given}\\b`))
      assert.match(message, new RegExp(`\\b${meant}\\b`))
    })
  }

  for (const given of ['quux', 'maxAge', 'secret', 'name', 'type', 'hash', 'ssl', 'tls', 'retries', 'store', 'x']) {
    test(`the error about ${given} suggests nothing`, () => {
      const { message } = configError({ [given]: 1 })
      assert.equal(message, `unknown option ${given}; for all options, see docs/options.md in the repository`)
    })
  }

  test('the error about a nested option without a similar name lists the options', () => {
    const { message } = configError({ attributes: { data: 'x' } })
    assert.equal(message, 'unknown option attributes.data; the options are session, expires, user, created')
  })

  test('names of Object.prototype', () => void configError({ constructor: 1, toString: 2 }))
  test('__proto__', () => void configError(JSON.parse('{"__proto__":{"table":"x"}}')))
})

describe('an option of another package causes a ConfigError whose message helps you migrate', () => {
  const dynamoDBStore = /\bdynamodb-store\b/
  const koa = /\bkoa-session-dynamodb-store\b/
  const pwrdrvr = /@pwrdrvr\/dynamodb-session-store\b/
  const connect = /\bconnect-dynamodb\b/
  const cases = [
    [{ table: { name: 'x' } }, dynamoDBStore],
    [{ table: { name: 'x', hashPrefix: 'x' }, dynamoConfig: {} }, dynamoDBStore],
    [{ dynamoConfig: { accessKeyId: 'a', secretAccessKey: 'SECRET' } }, dynamoDBStore],
    [{ touchInterval: 0 }, dynamoDBStore],
    [{ keepExpired: true }, dynamoDBStore],
    [{ table: { name: 'x', ttlKey: 'x', autoCreate: true } }, koa],
    [{ dynamoDBClient: {} }, pwrdrvr],
    [{ tableName: 'x' }, pwrdrvr],
    [{ createTableOptions: {} }, pwrdrvr],
    [{ useStronglyConsistentReads: true }, pwrdrvr],
    [{ readCapacityUnits: 5, writeCapacityUnits: 5 }, connect],
    [{ reapInterval: 1000 }, connect],
    [{ AWSRegion: 'eu-west-1' }, connect],
    [{ AWSConfigJSON: { secretAccessKey: 'SECRET' } }, connect],
    [{ skipThrowMissingSpecialKeys: true }, connect],
    [{ initialized: true }, connect],
    [{ host: 'SECRET', port: 6379 }, /connect-redis.*region/],
    [{ url: 'redis://SECRET' }, /connect-redis.*region/],
    [{ socket: { host: 'SECRET' } }, /connect-redis/],
    [{ client: { get() {}, set() {}, sendCommand() {} } }, /Redis.*region.*DynamoDBClient/],
    [{ disableTTL: true }, /connect-redis.*\bttl\b/],
    [{ scanCount: 5 }, /connect-redis/],
    [{ serializer: JSON }, /connect-redis.*\bformat\b/],
    [{ client: { db() {} } }, /MongoDB.*region.*DynamoDBClient/],
    [{ mongoUrl: 'mongodb://SECRET' }, /connect-mongo.*region/],
    [{ clientPromise: Promise.resolve() }, /connect-mongo.*\bclient\b/],
    [{ dbName: 'SECRET' }, /connect-mongo.*\btable\b/],
    [{ collectionName: 'SECRET' }, /connect-mongo.*\btable\b/],
    [{ autoRemove: 'native' }, /connect-mongo.*time to live/],
    [{ stringify: false }, /connect-mongo.*\bformat\b/],
    [{ crypto: { secret: 'SECRET' } }, /connect-mongo.*\bencryption\b/],
    [{ mongoOptions: {} }, /connect-mongo.*timeout/]
  ]
  for (const [options, expected] of cases) {
    test(inspect(options), () => {
      const { message } = configError(options)
      assert.match(message, expected)
      assert.equal(message.includes('SECRET'), false)
    })
  }
})

describe('the package used as a class causes a TypeError that shows the import', () => {
  const factory = require('../..')
  const message = /const \{ DynamoDBStore \} = require\('dynamodb-session'\)/
  for (const [name, use] of Object.entries({
    'with new': () => new factory({ table: 'x' }),
    'with new, without options': () => new factory(),
    'without new': () => factory({ table: 'x' }),
    extended: () => new (class extends factory {})({ table: 'x' }),
    'its connect-dynamodb entry point': () => new (require('../../lib/compat/connect-dynamodb'))({ table: 'x' })
  })) {
    test(name, () => assert.throws(use, { name: 'TypeError', message }))
  }

  test('as a default import', async () => {
    const { default: Store } = await import('../../index.js')
    assert.throws(() => new Store({ table: 'x' }), { name: 'TypeError', message })
  })
})

describe('secrets are absent', () => {
  const secret = 'TOP-SECRET-KEY'
  for (const credentials of [
    secret,
    { accessKeyId: 5, secretAccessKey: secret },
    { accessKeyId: secret, secretAccessKey: 5 },
    { accessKeyId: secret, secretAccessKey: secret, sessionToken: 5 },
    { accesKeyId: secret, secretAccessKey: secret },
    [secret]
  ]) {
    test(`from the error about ${inspect(credentials)}`, () => {
      const error = configError({ credentials })
      assert.equal(`${inspect(error, { showHidden: true, depth: 5 })} ${JSON.stringify(error)}`.includes(secret), false)
    })
  }

  const text = bytes.toString('base64')
  const forms = [text, text.slice(0, 20), bytes.toString('base64url'), bytes.toString('hex'), '7, 7, 7']
  const assertWithoutKeys = (printed) => {
    for (const form of forms) assert.equal(printed.includes(form), false, form)
  }

  for (const encryption of [
    { keys: [...keys, ...keys] },
    { keys: [...keys, { id: 'short', key: bytes.subarray(1) }] },
    { keys: [{ id: 'x'.repeat(65), key: text }] },
    { keys, write: text },
    { keys: text },
    [{ id: 'k', key: text }]
  ]) {
    test(`from the error about encryption: ${inspect(encryption).slice(0, 60)}`, () => {
      const error = configError({ encryption })
      assertWithoutKeys(`${inspect(error, { showHidden: true, depth: 5 })} ${JSON.stringify(error)}`)
    })
  }

  test('from a printed store with encryption', async () => {
    const encryptions = [{ keys }, { keys: [{ id: 'k', key: text }] }, () => keys]
    for (const encryption of encryptions) {
      const store = new DynamoDBStore({ region: 'us-east-1', encryption })
      assertWithoutKeys(inspect(store, { showHidden: true, depth: 20, getters: true }))
      assertWithoutKeys(JSON.stringify(store))
      await store.close()
    }
  })

  test('from a printed store', async () => {
    const store = new DynamoDBStore({
      region: 'us-east-1',
      credentials: { accessKeyId: 'id', secretAccessKey: secret }
    })
    assert.equal(inspect(store, { showHidden: true, depth: 20, getters: true }).includes(secret), false)
    assert.equal(JSON.stringify(store).includes(secret), false)
    await store.close()
  })
})

test('a misspelled option that protects sessions causes a ConfigError in a compatible store too', () => {
  const Store = require('../../lib/compat/dynamodb-store')
  for (const name of ['encrypton', 'maxLifeTime', 'hashIDs', 'compresion']) {
    assert.throws(() => new Store({ [name]: true }), { code: 'ConfigError' }, name)
  }
})
