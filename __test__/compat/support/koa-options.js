'use strict'

const assert = require('node:assert/strict')
const { EventEmitter, once } = require('node:events')
const { describe, test } = require('node:test')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const AWS = require('aws-sdk')
const { runNode } = require('../../support/child')
const { needs } = require('../../support/features')

function testOptions(compatible, dynamodb) {
  /** The properties of a store, without those of EventEmitter and the clients of the SDK. */
  const ownAttributes = (store) =>
    Object.fromEntries(
      Object.entries(store).filter(([name]) => !name.startsWith('_') && !/^(dynamoService|documentClient)$/.test(name))
    )
  const region = { dynamoConfig: { region: 'us-east-1' } }

  describe('the class of the koa-session store', () => {
    test('the module exports a class with the methods of the original', () => {
      const { Store, Original } = compatible
      assert.equal(Store.name, Original.name)
      assert.equal(Store.length, Original.length)
      for (const name of Object.getOwnPropertyNames(Original.prototype)) {
        assert.equal(typeof Store.prototype[name], 'function', name)
        if (name !== 'constructor') assert.equal(Store.prototype[name].length, Original.prototype[name].length, name)
      }
      assert.ok(new Store() instanceof EventEmitter)
    })

    test('set uses an overridden getExpirationDate', async () => {
      class Extended extends compatible.Store {
        getExpirationDate() {
          return new Date(2_000_000_000_000)
        }
      }
      const { table } = await compatible.pair()
      const store = new Extended(compatible.options({ name: table }))
      await store.set('a', { user: 'Ann' }, 1000)
      assert.equal((await dynamodb.raw.read(table, compatible.keyOf('a'))).expires.N, '2000000000')
    })
  })

  describe('the properties of the koa-session store', () => {
    for (const options of [
      region,
      { ...region, table: {} },
      { ...region, table: { name: 'some', hashKey: 'k', ttlKey: 't', useTtlExpired: false } },
      { ...region, table: { sortKey: 'r', hasValuePrefix: 'p:' } },
      { ...region, table: { readCapacityUnits: '7', writeCapacityUnits: 3 } },
      { ...region, table: { useTtlExpired: 0, hashPrefix: 'unknown' } },
      { dynamoConfig: { region: 'local' } },
      { dynamoConfig: { region: 'us-local-1' } },
      {
        dynamoConfig: { region: 'localhost', endpoint: 'http://localhost:8000', accessKeyId: 'a', secretAccessKey: 'b' }
      }
    ]) {
      test(`properties are those of the original with ${JSON.stringify(options)}`, () => {
        assert.deepEqual(ownAttributes(new compatible.Store(options)), ownAttributes(new compatible.Original(options)))
      })
    }

    test('setOptions replaces all properties', async () => {
      const { ours, original } = await compatible.pair()
      const other = await compatible.pair()
      const options = compatible.options({ name: other.table, ttlKey: 'ends' })
      for (const store of [ours, original]) store.setOptions(options)
      assert.deepEqual(ownAttributes(ours), ownAttributes(original))
      await ours.set('a', { user: 'Ann' }, 60_000)
      assert.ok('ends' in (await dynamodb.raw.read(other.table, compatible.keyOf('a'))))
    })

    test('getExpirationDate returns the same value as the original', () => {
      const [ours, original] = [new compatible.Store(region), new compatible.Original(region)]
      for (const maxAge of [0, 1000, -1000, null]) {
        const difference = ours.getExpirationDate(maxAge) - original.getExpirationDate(maxAge)
        assert.ok(Math.abs(difference) < 500, `${maxAge}: ${difference}`)
      }
      const ahead = ours.getExpirationDate('session') - Date.now()
      assert.ok(Math.abs(ahead - 86_400_000) < 500)
    })
  })

  describe('the options of the koa-session store', () => {
    test('an invalid option is ignored, with one warning', async () => {
      for (const options of [
        { table: { readCapacityUnits: 'many' } },
        { tabel: {} },
        { consistentRead: 'sometimes' }
      ]) {
        const warned = once(process, 'warning')
        const store = new compatible.Store(options)
        assert.equal(store.tableName, 'sessions')
        const [{ name, message }] = await warned
        assert.equal(name, 'DynamoDBSessionWarning')
        assert.ok(message.startsWith(`${compatible.name}: `), message)
      }
    })

    test('an invalid table name is kept, and the service rejects it', needs('tableName'), async () => {
      const store = new compatible.Store(compatible.options({ name: 'a' }))
      assert.equal(store.tableName, 'a')
      await assert.rejects(store.set('a', { user: 'Ann' }, 60_000), { code: 'ValidationException' })
      assert.equal(new compatible.Store({ table: { name: 7, hashKey: 5 } }).hashKey, '5')
    })

    test('an invalid option is replaced by the default of the original', async () => {
      const { table, original } = await compatible.pair()
      const store = new compatible.Store({
        ...compatible.options({ name: table }),
        format: 'text',
        prefix: 5,
        hashKey: ''
      })
      await store.set('a', { user: 'Ann' }, 60_000)
      assert.deepEqual(await original.get('a'), { user: 'Ann' })
    })

    test('the constructor accepts null, which the original rejects', () => {
      for (const options of [null, { table: null }, { dynamoConfig: null }, { dynamoConfig: { region: null } }]) {
        assert.throws(() => new compatible.Original(options), TypeError)
        assert.equal(new compatible.Store(options).tableName, 'sessions')
      }
    })

    test("the package's own options apply", async () => {
      const { table, original } = await compatible.pair()
      const store = new compatible.Store({ ...dynamodb.connection, table, ttl: 60, format: 'json' })
      await store.set('a', { user: 'Ann' })
      const { session } = await dynamodb.raw.read(table, compatible.keyOf('a'))
      assert.deepEqual(session, { S: '{"user":"Ann"}' })
      await original.set('b', { user: 'Bob' }, 60_000)
      assert.deepEqual(await store.get('b'), { user: 'Bob' })
    })

    test('option client accepts a client of the AWS SDK v2 or v3 and uses its settings', async () => {
      const { table } = await compatible.pair()
      const { connection } = dynamodb
      const clients = [
        new AWS.DynamoDB(compatible.options().dynamoConfig),
        new DynamoDBClient({ ...connection, maxAttempts: 1 })
      ]
      for (const client of clients) {
        const store = new compatible.Store({ table: { name: table }, client })
        await store.set('a', { user: 'Ann' }, 60_000)
        assert.deepEqual(await store.get('a'), { user: 'Ann' })
      }
    })

    test('dynamoConfig accepts AWS.Credentials and maxRetries', async () => {
      const { table } = await compatible.pair()
      let asked = 0
      const { accessKeyId, secretAccessKey } = dynamodb.connection.credentials
      const credentials = {
        accessKeyId,
        secretAccessKey,
        async getPromise() {
          asked += 1
        }
      }
      const { dynamoConfig } = compatible.options()
      const { endpoint } = dynamoConfig
      const store = new compatible.Store({
        table: { name: table },
        dynamoConfig: { region: dynamoConfig.region, endpoint, credentials, maxRetries: 0 }
      })
      await Promise.all([store.get('a'), store.get('b')])
      assert.equal(asked, 1)
    })
  })

  describe('the README of the koa-session store', () => {
    test('the README example for Koa keeps sessions', needs('tableName'), async () => {
      const program = `
        const Koa = require('koa');
        const app = new Koa();
        app.keys = ['a secret'];

        const koaSession = require("koa-session6");
        const DynamoDBStore = require('${compatible.entry}');

        const options = {
          table: {
            autoCreate: true // You should set this option to true if you want to automatically create a DynamoDB table for your session.
          }
        }

        app.use(koaSession({
            store: new DynamoDBStore(options),
        }, app));

        app.use((ctx) => {
          ctx.session.views = (ctx.session.views ?? 0) + 1;
          ctx.body = String(ctx.session.views);
        });
        const server = app.listen(0, '127.0.0.1', async () => {
          const url = 'http://127.0.0.1:' + server.address().port;
          const first = await fetch(url);
          const cookie = first.headers.getSetCookie().map((text) => text.split(';')[0]).join('; ');
          const second = await fetch(url, { headers: { cookie } });
          console.log(await first.text(), await second.text());
          server.closeAllConnections();
          server.close();
        });
      `
      const { region, endpoint, credentials } = dynamodb.connection
      const env = {
        AWS_REGION: region,
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey
      }
      const { code, stdout } = await runNode(['-e', program], { env })
      assert.deepEqual([code, stdout], [0, '1 2\n'])
      await dynamodb.raw.deleteTable('sessions')
    })

    test('the README example for DynamoDB Local works', async () => {
      const DynamoDBStore = compatible.Store
      const dynamoDBStoreOptions = {
        table: { name: dynamodb.newTableName() },
        dynamoConfig: {
          region: 'local',
          endpoint: dynamodb.connection.endpoint,
          accessKeyId: 'dummyKey',
          secretAccessKey: 'dummyKey'
        }
      }
      const store = new DynamoDBStore(dynamoDBStoreOptions)
      await store.createTableIfDontExists()
      await store.set('a', { user: 'Ann' }, 60_000)
      assert.deepEqual(await store.get('a'), { user: 'Ann' })
    })
  })

  test('DYNAMODB_STORE_DEBUG prints table operations, without secrets and sessions', async () => {
    const program = `
      const Store = require(process.env.ENTRY)
      const store = new Store(JSON.parse(process.env.OPTIONS))
      const run = async () => {
        await store.createTableIfDontExists()
        await store.createTableIfDontExists()
        await store.set('the-secret-id', { word: 'the-secret-word' }, 60_000)
        await store.get('the-secret-id')
        await store.destroy('the-secret-id')
      }
      run()
    `
    const options = compatible.options({ name: dynamodb.newTableName(), region: 'local' })
    options.dynamoConfig.secretAccessKey = 'the-secret-key'
    const env = {
      OPTIONS: JSON.stringify(options),
      ENTRY: require.resolve(compatible.entry),
      DYNAMODB_STORE_DEBUG: '1'
    }
    const { code, stdout, stderr } = await runNode(['-e', program], { env })
    assert.deepEqual([code, stderr], [0, ''])
    for (const words of ['Initializing store', 'Creating table', 'already exists']) assert.ok(stdout.includes(words))
    assert.ok(stdout.split('\n').every((line) => line === '' || line.includes(' - DYNAMODB_STORE: ')))
    assert.equal(stdout.includes('the-secret'), false)
    const quiet = await runNode(['-e', program], { env: { ...env, DYNAMODB_STORE_DEBUG: '' } })
    assert.deepEqual([quiet.code, quiet.stdout], [0, ''])
  })
}

module.exports = { testOptions }
