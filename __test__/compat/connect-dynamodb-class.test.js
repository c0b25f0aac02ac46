'use strict'

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, beforeEach, describe, test } = require('node:test')
const { setImmediate: nextTurn } = require('node:timers/promises')
const AWS = require('aws-sdk')
const connect = require('connect')
const original = require('connect-dynamodb')
const session = require('express-session')
const ours = require('dynamodb-session/connect-dynamodb')
const { callWithCallback } = require('../support/calls')
const { needs } = require('../support/features')
const { newSession, newSid } = require('../support/sessions')
const { Original, Ours, call, useStores } = require('./support/connect-dynamodb-stores')

const { dynamodb, newClient, open, pair } = useStores()

/** Runs the program and returns its warnings about connect-dynamodb, which Node.js emits a little later. */
async function warningsOf(program) {
  await nextTurn()
  const warnings = []
  const listen = ({ message }) => message.startsWith('connect-dynamodb: ') && warnings.push(message)
  process.on('warning', listen)
  await program()
  await nextTurn()
  process.off('warning', listen)
  return warnings
}

describe('the factory of connect-dynamodb', () => {
  const sources = {
    'express-session': session,
    '{ session }': { session },
    '{ Store }': { Store: session.Store },
    'express 3 and connect 2': Object.assign(() => {}, { session })
  }
  for (const [name, source] of Object.entries(sources)) {
    test(`the factory accepts ${name}`, () => {
      for (const factory of [original, ours]) {
        const Store = factory(source)
        assert.equal(Store.name, 'DynamoDBStore')
        assert.equal(Store.length, 1)
        assert.ok(new Store({ client: newClient() }) instanceof session.Store)
        assert.notEqual(factory(source), Store)
      }
    })
  }

  test('the factory throws a TypeError if there is no Store', () => {
    for (const source of [undefined, null, {}, connect]) {
      assert.throws(() => original(source), TypeError)
      assert.throws(() => ours(source), TypeError)
    }
  })

  test('a subclass can override get', async () => {
    class Mine extends Ours {
      get(sid, callback) {
        super.get(`mine-${sid}`, callback)
      }
    }
    const store = open(Mine)
    const sid = newSid()
    await call(store, 'set', `mine-${sid}`, newSession({ user: 'Ann' }))
    assert.equal((await call(store, 'get', sid)).user, 'Ann')
  })
})

describe('options of the connect-dynamodb store', () => {
  const names = [
    'initialized',
    'prefix',
    'hashKey',
    'readCapacityUnits',
    'writeCapacityUnits',
    'specialKeys',
    'skipThrowMissingSpecialKeys',
    'client',
    'table',
    'reapInterval'
  ]
  const client = newClient('http://127.0.0.1:1')
  const given = [
    { client },
    { client, table: '', prefix: '', hashKey: 'sid' },
    { client, table: 'other', prefix: 'app:', initialized: true },
    { client, prefix: null, hashKey: null, readCapacityUnits: null, specialKeys: null, reapInterval: null },
    { client, readCapacityUnits: '25', writeCapacityUnits: 7.9 },
    { client, readCapacityUnits: 'junk', writeCapacityUnits: undefined },
    { client, specialKeys: [{ name: 'user', type: 'S' }] },
    { client, specialKeys: [{ name: 'user', type: 'S' }], skipThrowMissingSpecialKeys: true },
    { client, reapInterval: 1e6 }
  ]
  for (const options of given) {
    const { client: _, ...rest } = options
    test(`the properties are those of connect-dynamodb with ${JSON.stringify(rest)}`, () => {
      const attributes = [Original, Ours].map((Store) => {
        const store = new Store(options)
        store.clearInterval()
        return Object.fromEntries(names.map((name) => [name, store[name]]))
      })
      assert.deepEqual(attributes[1], attributes[0])
    })
  }

  test('the constructor accepts no options, null, and a client of null or false', () => {
    for (const options of [undefined, null, {}, { client: null }, { client: false }]) {
      const store = new Ours(options)
      assert.equal(store.table, 'sessions')
      assert.equal(store.client, undefined)
    }
  })

  test('skipThrowMissingSpecialKeys does not depend on specialKeys', () => {
    const specialKeys = [{ name: 'user', type: 'S' }]
    assert.equal(new Ours({ specialKeys, skipThrowMissingSpecialKeys: false }).skipThrowMissingSpecialKeys, false)
    assert.equal(new Ours({ skipThrowMissingSpecialKeys: true }).skipThrowMissingSpecialKeys, true)
  })

  test('an invalid option is ignored, with one warning', async () => {
    const odd = () => new Ours({ tabel: 'x', specialKeys: [{ name: 'sess', type: 'S' }] })
    const warnings = await warningsOf(() => [odd(), odd()])
    assert.equal(warnings.length, 2)
    assert.match(warnings.join(), /unknown option tabel; did you mean table\?/)
    assert.match(warnings.join(), /ignored a special key: sess would overwrite an attribute of the item/)
  })

  test('option client takes precedence over region, endpoint, and credentials', async () => {
    const elsewhere = { region: 'eu-west-1', endpoint: 'http://127.0.0.1:1', credentials: async () => null }
    const sid = newSid()
    await call(open(Original), 'set', sid, newSession({ user: 'Ann' }))
    const newStore = () => new Ours({ client: newClient(), table: dynamodb.table, ...elsewhere })
    assert.equal((await warningsOf(newStore)).length, 3)
    assert.equal((await call(newStore(), 'get', sid)).user, 'Ann')
  })

  test('the base class need not be an EventEmitter', async () => {
    const store = open(ours({ Store: class {} }))
    await call(store, 'touch', newSid(), newSession())
    assert.equal(await call(store, 'get', newSid()), null)
  })

  test("the package's own options cause no warning", async () => {
    const options = { ...dynamodb.connection, table: 'abc', prefix: '', touchAfter: 5, format: 'map', ttl: 50 }
    assert.deepEqual(await warningsOf(() => new Ours(options)), [])
  })
})

describe('the AWS options of connect-dynamodb 2', needs('proxy', 'anyCredentials'), () => {
  let proxy, directory
  before(async () => {
    proxy = await dynamodb.proxy()
    directory = mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-'))
  })
  beforeEach(() => proxy.reset())
  after(() => rmSync(directory, { recursive: true }))

  const { AWS_REGION } = process.env
  const configuration = (accessKeyId, region) => ({
    endpoint: proxy.endpoint,
    accessKeyId,
    secretAccessKey: 'x',
    region
  })

  async function signerOf(options) {
    const store = new Ours({ table: dynamodb.table, ...options })
    const sid = newSid()
    await call(store, 'set', sid, newSession({ user: 'Ann' }))
    assert.equal((await call(store, 'get', sid)).user, 'Ann')
    await store.close()
    const [, id, region] = proxy.requests.at(-1).headers.authorization.match(/Credential=([^/]+)\/\d+\/([^/]+)/)
    return { store, signer: `${id} in ${region}` }
  }

  test('client, AWSConfigPath, AWSConfigJSON, and AWSRegion take precedence in this order', async () => {
    const AWSConfigPath = path.join(directory, 'aws.json')
    writeFileSync(AWSConfigPath, JSON.stringify(configuration('PATH', 'eu-west-1')))
    const AWSConfigJSON = configuration('JSON', 'eu-west-2')
    const AWSRegion = 'eu-west-3'
    const client = new AWS.DynamoDB(configuration('CLIENT', 'eu-north-1'))
    const { endpoint, credentials } = { ...dynamodb.connection, endpoint: proxy.endpoint }

    const withClient = await signerOf({ client, AWSConfigPath, AWSConfigJSON, AWSRegion })
    assert.equal(withClient.signer, 'CLIENT in eu-north-1')
    assert.equal(withClient.store.client, client)
    const withPath = await signerOf({ AWSConfigPath, AWSConfigJSON, AWSRegion })
    assert.equal(withPath.signer, 'PATH in eu-west-1')
    assert.equal(withPath.store.AWSRegion, undefined)
    assert.equal((await signerOf({ AWSConfigJSON, AWSRegion })).signer, 'JSON in eu-west-2')
    const withRegion = await signerOf({ endpoint, credentials, AWSRegion })
    assert.equal(withRegion.signer, `${credentials.accessKeyId} in eu-west-3`)
    assert.equal(withRegion.store.AWSRegion, AWSRegion)
    assert.equal(AWS.config.region, AWS_REGION, 'the global configuration of the SDK does not change')
  })

  test('the constructor throws if the file of AWSConfigPath does not exist', () => {
    assert.throws(() => new Ours({ AWSConfigPath: path.join(directory, 'none.json') }), { code: 'ENOENT' })
  })
})

describe('methods that connect-dynamodb does not have', () => {
  test('all, ids, length, clear, describeTable, createTable, and close work', async () => {
    const table = await dynamodb.newTable()
    const [theirs, mine] = pair({ table })
    assert.ok(mine instanceof EventEmitter)
    await call(theirs, 'set', 'a', newSession({ user: 'Ann' }))
    assert.deepEqual(await call(mine, 'ids'), ['a'])
    assert.equal((await call(mine, 'all'))[0].user, 'Ann')
    assert.equal(await call(mine, 'length'), 1)
    await call(mine, 'clear')
    assert.equal(await call(theirs, 'get', 'a'), null)
    assert.equal((await call(mine, 'describeTable')).TableName, table)
    assert.equal((await call(mine, 'createTable')).TableName, table)
    await call(mine, 'close')
    assert.equal((await callWithCallback(mine, 'get', 'a')).error.code, 'ClosedError')
  })
})
