'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const http = require('node:http')
const { describe, test } = require('node:test')
const { runScript } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { noResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')

const dynamodb = useDynamoDB()

/**
 * Runs a script that starts workers, which can use `DynamoDBStore`, `options`, and `parentPort`. The process must exit on its
 * own, and without errors.
 */
async function runWorkers(script, options = {}) {
  const prelude = `
    const { Worker } = require('node:worker_threads')
    const { once } = require('node:events')
    const workerPrelude = \`
      const { parentPort, workerData: options } = require('node:worker_threads')
      const { DynamoDBStore } = require(process.env.DYNAMODB_SESSION)
    \`
    const start = (code) => new Worker(workerPrelude + code, { eval: true, workerData: options })
    const run = async (code) => {
      const worker = start(code)
      const messages = []
      worker.on('message', (message) => messages.push(message))
      const [exitCode] = await once(worker, 'exit')
      return { exitCode, messages }
    }
  `
  const main = `(async () => { ${script} })().then((result) => console.log(JSON.stringify(result)))`
  const result = await runScript(prelude + main, { options: dynamodb.options(options) })
  assert.deepEqual([result.code, result.signal, result.stderr], [0, null, ''])
  assert.ok(result.sinceFirstOutput < 1000, `it took ${result.sinceFirstOutput} ms to exit`)
  return JSON.parse(result.stdout)
}

const useStore = `
  const store = new DynamoDBStore(options)
  const sid = 'worker-' + Math.random()
  store.set(sid, { cookie: {}, user: 'Ann' })
    .then(() => store.get(sid))
    .then(({ user }) => store.destroy(sid).then(() => parentPort.postMessage(user)))
`

describe('a worker', () => {
  test('uses a store and exits on its own', async () => {
    const result = await runWorkers(`return run(${JSON.stringify(useStore)})`)
    assert.deepEqual(result, { exitCode: 0, messages: ['Ann'] })
  })

  test('loads the module after another worker has exited', async () => {
    const result = await runWorkers(`
      const first = await run(${JSON.stringify(useStore)})
      const value = await new DynamoDBStore(options).get('nobody')
      const second = await run(${JSON.stringify(useStore)})
      return [first.messages, value, second.messages]
    `)
    assert.deepEqual(result, [['Ann'], null, ['Ann']])
  })

  test('can load the module before the main thread does', async () => {
    const script = `
      const { Worker } = require('node:worker_threads')
      const code = "const { DynamoDBStore } = require(process.env.DYNAMODB_SESSION);" +
        "new DynamoDBStore(require('node:worker_threads').workerData).get('x', (error, value) => console.log(error, value))"
      new Worker(code, { eval: true, workerData: JSON.parse(process.env.OPTIONS) }).on('exit', () => {
        const { DynamoDBStore } = require(process.env.DYNAMODB_SESSION)
        new DynamoDBStore(JSON.parse(process.env.OPTIONS)).get('x', (error, value) => console.log(error, value))
      })
    `
    const { runNode } = require('../support/child')
    const env = { OPTIONS: JSON.stringify(dynamodb.options()) }
    const { code, stdout, stderr } = await runNode(['-e', script], { env })
    assert.deepEqual([code, stdout, stderr], [0, 'null null\nnull null\n', ''])
  })

  test('can call process.exit() in a callback', async () => {
    const code = "new DynamoDBStore(options).get('x', () => process.exit(5))"
    const { exitCode } = await runWorkers(`return run(${JSON.stringify(code)})`)
    assert.equal(exitCode, 5)
  })

  test('that throws in a callback ends without affecting the main thread', async () => {
    const code = "new DynamoDBStore(options).get('x', () => { throw new Error('thrown by the worker') })"
    const result = await runWorkers(`
      const worker = start(${JSON.stringify(code)})
      const [error] = await once(worker, 'error')
      return [error.message, await new DynamoDBStore(options).get('x')]
    `)
    assert.deepEqual(result, ['thrown by the worker', null])
  })
})

describe('many workers', () => {
  test('can use stores at the same time as the main thread', async () => {
    const result = await runWorkers(`
      const store = new DynamoDBStore(options)
      const workers = Array.from({ length: 8 }, () => run(${JSON.stringify(useStore)}))
      const values = await Promise.all(Array.from({ length: 100 }, (_, i) => store.get('main' + i)))
      const results = await Promise.all(workers)
      return [values.filter((value) => value !== null), results.flatMap(({ messages }) => messages)]
    `)
    assert.deepEqual(result, [[], Array(8).fill('Ann')])
  })

  test('can use stores one after the other', async () => {
    const result = await runWorkers(`
      const messages = []
      for (let i = 0; i < 12; i++) messages.push(...(await run(${JSON.stringify(useStore)})).messages)
      return messages
    `)
    assert.deepEqual(result, Array(12).fill('Ann'))
  })
})

describe('each worker', () => {
  const onLinux = process.platform === 'linux' ? needs('proxy') : { skip: 'needs /proc' }

  test('has connections of its own, and shares the runtime thread', onLinux, async () => {
    const proxy = await dynamodb.proxy()
    const code = `
      const store = new DynamoDBStore({ ...options, endpoint: ${JSON.stringify(proxy.endpoint)}, maxConnections: 2 })
      Promise.all(Array.from({ length: 10 }, (_, i) => store.get('sid' + i))).then(() => {
        parentPort.postMessage(store.stats().pool.open)
        parentPort.once('message', () => parentPort.close())
      })
    `
    const result = await runWorkers(`
      const workers = Array.from({ length: 4 }, () => start(${JSON.stringify(code)}))
      const open = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]))
      const fs = require('node:fs')
      const threads = fs.readdirSync('/proc/self/task').map((id) => fs.readFileSync('/proc/self/task/' + id + '/comm', 'utf8'))
      for (const worker of workers) worker.postMessage('exit')
      return [open, threads.filter((name) => 'dynamodb-session'.startsWith(name.trim())).length]
    `)
    assert.deepEqual(result, [[2, 2, 2, 2], 1])
    assert.equal(proxy.connectionsMade, 8)
  })

  test('gets credentials of its own', async (t) => {
    let requests = 0
    const server = http.createServer((request, response) => {
      requests += 1
      const { accessKeyId, secretAccessKey } = dynamodb.connection.credentials
      const keys = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: 'token' }
      response.end(JSON.stringify({ ...keys, Expiration: '2099-01-01T00:00:00Z' }))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    t.after(() => server.close())
    const url = `http://127.0.0.1:${server.address().port}`
    const code = `
      const { credentials, ...others } = options
      const store = new DynamoDBStore(others)
      store.get('sid').then(() => store.get('sid')).then((session) => parentPort.postMessage(session))
    `
    const result = await runWorkers(`
      process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = ${JSON.stringify(url)}
      const results = await Promise.all(Array.from({ length: 3 }, () => run(${JSON.stringify(code)})))
      return results.flatMap(({ messages }) => messages)
    `)
    assert.deepEqual([result, requests], [[null, null, null], 3])
  })
})

describe('terminating a worker', () => {
  test('with requests in progress does not affect the main thread', needs('proxy'), async () => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', noResponse)
    const code = `
      const store = new DynamoDBStore({ ...options, endpoint: ${JSON.stringify(proxy.endpoint)} })
      for (let i = 0; i < 50; i++) store.get('sid' + i, () => parentPort.postMessage('a response'))
      setTimeout(() => parentPort.postMessage('in progress'), 100)
    `
    const result = await runWorkers(`
      const codes = []
      for (let i = 0; i < 5; i++) {
        const worker = start(${JSON.stringify(code)})
        await once(worker, 'message')
        codes.push(await worker.terminate())
      }
      return [codes, await new DynamoDBStore(options).get('x')]
    `)
    assert.deepEqual(result, [Array(5).fill(1), null])
  })

  test('while responses arrive does not affect the main thread', async () => {
    const code = `
      const store = new DynamoDBStore(options)
      const getRepeatedly = () => store.get('sid', getRepeatedly)
      for (let i = 0; i < 32; i++) getRepeatedly()
      setTimeout(() => parentPort.postMessage('busy'), 50)
    `
    const result = await runWorkers(`
      const codes = []
      for (let i = 0; i < 10; i++) {
        const worker = start(${JSON.stringify(code)})
        await once(worker, 'message')
        codes.push(await worker.terminate())
      }
      return [codes, await new DynamoDBStore(options).get('x')]
    `)
    assert.deepEqual(result, [Array(10).fill(1), null])
  })

  test('while it waits for its credentials function does not affect the main thread', async () => {
    const code = `
      const credentials = () => new Promise(() => {})
      new DynamoDBStore({ ...options, credentials }).get('x', () => {})
      setTimeout(() => parentPort.postMessage('waiting'), 50)
    `
    const result = await runWorkers(`
      const worker = start(${JSON.stringify(code)})
      await once(worker, 'message')
      return [await worker.terminate(), await new DynamoDBStore(options).get('x')]
    `)
    assert.deepEqual(result, [1, null])
  })
})
