'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { runNode, runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entry-points')

const dynamodb = useDynamoDB()

/** Uses a store in a separate process that first runs some code. */
async function useStore(entry, code) {
  const table = await dynamodb.newTable(entry.schema)
  const program = `
    const { entries } = require('./__test__/support/entry-points')
    const entry = entries.find(({ name }) => name === ${JSON.stringify(entry.name)})
    entry.load()
    ${code}
    const store = entry.create(${JSON.stringify({ connection: dynamodb.connection, table })})
    process.on('warning', ({ message }) => console.log(message))
    const run = async () => {
      await store.set('id', { cookie: { maxAge: 60000 }, user: 'ann' })
      console.log((await store.get('id')).user)
      await store.touch?.('id', { cookie: { maxAge: 90000 } })
      await store.destroy('id')
      await store.close()
    }
    run()
  `
  const { stdout, stderr } = await runNode(['-e', program])
  return { lines: stdout.split('\n').filter(Boolean), stderr }
}

for (const entry of entries) {
  describe(entry.name, () => {
    test('enumerable members of Object.prototype are not read as options', async () => {
      const outcome = await useStore(
        entry,
        `
        Object.prototype.extend = () => {}
        Object.assign(Object.prototype, { client: 1, ttl: 'x', prefix: 5, endpoint: 'http://127.0.0.1:1', profile: 'x' })
        Object.assign(Object.prototype, { hashKey: 'x', credentials: 1, maxRetries: 'x', httpOptions: 1, readCapacityUnits: 'x' })
        Object.assign(Object.prototype, { touchAfter: 'x', offlineAfter: 'x', createTable: 'x', stamp: 1, isFresh: 1 })
      `
      )
      assert.deepEqual(outcome, { lines: ['ann'], stderr: '' })
    })

    test('toJSON on Array.prototype does not change what is sent', async () => {
      const outcome = await useStore(entry, `Array.prototype.toJSON = () => 'polluted'`)
      assert.deepEqual(outcome, { lines: ['ann'], stderr: '' })
    })

    test('toJSON on Object.prototype does not break the constructor', async () => {
      const { connection } = dynamodb
      const program = `
        const { entries } = require('./__test__/support/entry-points')
        const entry = entries.find(({ name }) => name === ${JSON.stringify(entry.name)})
        entry.load()
        Object.prototype.toJSON = () => 'polluted'
        const store = entry.create(${JSON.stringify({ connection, table: 'sessions' })})
        console.log(store.stats().inFlight)
      `
      const { stdout, stderr } = await runNode(['-e', program])
      assert.deepEqual({ stdout, stderr }, { stdout: '0\n', stderr: '' })
    })

    test('loads without a deprecation warning', async () => {
      const program = `require('./__test__/support/entry-points').entries.find(({ name }) => name === '${entry.name}').load()`
      const { code, stderr } = await runNode(['--pending-deprecation', '--throw-deprecation', '-e', program])
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    })
  })
}

test('members of Object.prototype do not turn encryption off', async () => {
  const script = `
    Object.assign(Object.prototype, { write: false, acceptPlain: true, withEncryption: true, refreshAfter: 'x' })
    const run = async (compression) => {
      try {
        const store = new DynamoDBStore({ ...options, compression, encryption: () => [{ id: 'k', key: Buffer.alloc(32) }] })
        await store.set('polluted', { cookie: { maxAge: 60000 }, user: 'ann' })
        console.log((await store.get('polluted')).user)
        console.log(await store.get('planted'))
      } catch ({ code }) {
        console.log(code)
      }
    }
    run().then(() => run(true))
  `
  await dynamodb.putItem('planted', { sess: { S: '{"cookie":{},"role":"admin"}' } })
  const { stdout, stderr } = await runScript(script, { options: dynamodb.options() })
  assert.deepEqual([stdout, stderr], ['ann\nnull\nConfigError\n', ''])
  assert.ok((await dynamodb.item('polluted')).sess.B)
})

test('options inherited from another object are read', async () => {
  const script = `
    try {
      new DynamoDBStore(Object.create({ prefix: 5 }))
    } catch ({ message }) {
      console.log(message)
    }
  `
  const { stdout } = await runScript(script, { options: dynamodb.options() })
  assert.match(stdout, /option prefix must be a string/)
})
