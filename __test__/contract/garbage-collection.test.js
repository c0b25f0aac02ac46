'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')

const dynamodb = useDynamoDB()

const prelude = `
  const session = require('express-session')
  const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
  const { setTimeout: sleep } = require('node:timers/promises')
  const { DynamoDBStore } = require('dynamodb-session')
  const { credentials, ...options } = JSON.parse(process.env.OPTIONS)
  const collect = async () => {
    // References from the current turn of the event loop, and finalizers, last until a later turn.
    for (let i = 0; i < 5; i++) {
      await sleep(10)
      gc()
    }
  }
  const clientOf = () =>
    new DynamoDBClient({ endpoint: options.endpoint, region: options.region, credentials: async () => credentials })
`

/** Runs a script that can collect garbage, and returns the lines that it prints. */
async function run(script, options) {
  const { code, stdout, stderr } = await runNode(['--expose-gc', '-e', `${prelude};(async () => {${script}})()`], {
    env: { OPTIONS: JSON.stringify(dynamodb.options(options)), NODE_NO_WARNINGS: '1' },
    timeLimit: 60_000
  })
  assert.deepEqual([code, stderr], [0, ''])
  return stdout.trim().split('\n')
}

/** Expressions that create a store. */
const constructors = {
  'with a credentials function': 'new DynamoDBStore({ ...options, credentials: async () => credentials })',
  'with a client': 'new DynamoDBStore({ table: options.table, client: clientOf() })',
  'with an access key': 'new DynamoDBStore({ ...options, credentials })',
  'compatible with connect-dynamodb': `new (require('dynamodb-session/connect-dynamodb')(session))({ table: options.table, client: clientOf() })`,
  'compatible with dynamodb-store': `new (require('dynamodb-session/dynamodb-store'))({
    ...options,
    table: { name: options.table, hashKey: 'id' },
    credentials: async () => credentials
  })`,
  'compatible with koa-session-dynamodb-store': `new (require('dynamodb-session/koa-session-dynamodb-store'))({
    ...options,
    table: { name: options.table, hashKey: 'id' },
    credentials: async () => credentials
  })`,
  'compatible with @pwrdrvr/dynamodb-session-store': `new (require('dynamodb-session/pwrdrvr-dynamodb-session-store').DynamoDBStore)({
    tableName: options.table,
    dynamoDBClient: clientOf()
  })`
}

describe('a store that becomes unreachable without close()', () => {
  for (const [name, expression] of Object.entries(constructors)) {
    test(`${name} is garbage-collected, whether it was used or not`, async () => {
      const script = `
        const create = () => ${expression}
        const refs = []
        for (let i = 0; i < 20; i++) refs.push(new WeakRef(create()))
        await (async () => {
          const used = create()
          await used.get('x')
          refs.push(new WeakRef(used))
        })()
        await collect()
        console.log(refs.filter((ref) => ref.deref() !== undefined).length)
      `
      assert.deepEqual(await run(script), ['0'])
    })
  }

  for (const [name, source] of [
    ['a credentials function', '{ ...options, credentials: async () => credentials }'],
    ['a client', '{ table: options.table, client }']
  ]) {
    test(`with ${name} leaks no memory`, async () => {
      const script = `
        const client = clientOf()
        const createMany = async () => {
          const stores = Array.from({ length: 500 }, () => new DynamoDBStore(${source}))
          await Promise.all(stores.map((store) => store.get('x')))
        }
        const heap = async () => {
          await collect()
          return process.memoryUsage().heapUsed
        }
        await createMany()
        const before = await heap()
        for (let i = 0; i < 3; i++) await createMany()
        console.log(((await heap()) - before) / 1500)
      `
      const [bytesPerStore] = await run(script)
      assert.ok(Number(bytesPerStore) < 800, `each store leaks ${bytesPerStore} bytes`)
    })
  }

  test('closes its connections', async () => {
    const script = `
      const server = require('node:http').createServer((request, response) => {
        request.resume().on('end', () => response.end('{}'))
      })
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
      const connections = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
      const endpoint = 'http://127.0.0.1:' + server.address().port
      const use = async () => {
        const store = new DynamoDBStore({ ...options, endpoint, credentials: async () => credentials })
        await store.get('x')
        return connections()
      }
      console.log(await use())
      await collect()
      for (let i = 0; i < 50 && (await connections()) > 0; i++) await sleep(20)
      console.log(await connections())
      server.close()
    `
    assert.deepEqual(await run(script), ['1', '0'])
  })

  test('completes its operations in progress, including their call of the credentials function', async () => {
    const script = `
      const start = () => {
        let calls = 0
        const credentialsOf = async () => {
          calls += 1
          await collect()
          return credentials
        }
        return new DynamoDBStore({ ...options, credentials: credentialsOf }).get('x').then((found) => [found, calls])
      }
      console.log(JSON.stringify(await start()))
    `
    assert.deepEqual(await run(script), ['[null,1]'])
  })

  test('does not affect other stores', async () => {
    const script = `
      const kept = new DynamoDBStore({ ...options, credentials: async () => credentials })
      for (let i = 0; i < 10; i++) new DynamoDBStore({ ...options, credentials: async () => credentials })
      await collect()
      await kept.set('x', { cookie: {}, user: 'Ann' })
      console.log((await kept.get('x')).user)
      await kept.close()
      const later = new DynamoDBStore({ ...options, credentials: async () => credentials })
      console.log((await later.get('x')).user)
    `
    assert.deepEqual(await run(script), ['Ann', 'Ann'])
  })
})
