'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { App } = require('../support/app')
const { run } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { eventually } = require('../support/eventually')
const fault = require('../support/fault')
const { needs } = require('../support/features')
const { temporaryDirectory, write } = require('../support/packages')
const { newSession, newSid } = require('../support/sessions')
const { bounds, underFault } = require('../support/under-fault')

const dynamodb = useDynamoDB()
const onLinux = process.platform === 'linux' ? {} : { skip: 'it looks into /proc' }

/** A proxy and a store that has this many connections to it, all idle. */
async function connected(connections, options) {
  const proxy = await dynamodb.proxy()
  const store = dynamodb.store({ endpoint: proxy.endpoint, ...bounds, ...options })
  let release
  proxy.on('*', fault.heldUntil(new Promise((resolve) => (release = resolve))))
  const gets = Array.from({ length: connections }, () => store.get(newSid()))
  await eventually(() => proxy.requests.length === connections)
  release()
  await Promise.all(gets)
  assert.equal(proxy.connections, connections)
  proxy.reset()
  return { proxy, store }
}

describe('kept connections', { concurrency: true, ...needs('proxy') }, () => {
  test('all closed by the server: no error', async () => {
    const { proxy, store } = await connected(20, { maxAttempts: 1 })
    proxy.closeConnections()
    assert.deepEqual(await underFault({ proxy, store }, 'set', newSid(), newSession()), { value: undefined })
  })

  test('all closed by the server as the next request arrives: no error', async () => {
    const { proxy, store } = await connected(20, { maxAttempts: 1 })
    proxy.on('*', fault.hangUp, 20)
    assert.deepEqual(await underFault({ proxy, store }, 'set', newSid(), newSession()), { value: undefined })
  })

  for (const [method, ...args] of [['set', newSid(), newSession()], ['length']]) {
    test(`all dead without a word: the next attempt of ${method} goes out on a new one`, async () => {
      const { proxy, store } = await connected(20, { maxAttempts: 2 })
      proxy.freezeConnections()
      const mend = () => proxy.closeConnections()
      const { error } = await underFault({ proxy, store, mend }, method, ...args)
      assert.equal(error, undefined)
    })
  }
})

describe('a process that was frozen', needs('proxy'), () => {
  const frozenFor = Number(process.env.FROZEN_SECONDS ?? 1) * 1000

  for (const [name, change] of [
    ['closed its connections meanwhile', (proxy) => proxy.closeConnections()],
    ['forgot its connections meanwhile', (proxy) => proxy.freezeConnections()]
  ]) {
    test(`goes on, though the server ${name}`, { timeout: frozenFor + 30_000 }, async (t) => {
      const proxy = await dynamodb.proxy()
      const app = await App.start(t, dynamodb.options({ endpoint: proxy.endpoint, ...bounds }))
      const sid = newSid()
      await app.call('set', sid, newSession({ user: 'Ann' }, frozenFor + 60_000))
      await Promise.all(Array.from({ length: 20 }, () => app.call('get', sid)))
      app.stop()
      change(proxy)
      await sleep(frozenFor)
      app.goOn()
      const { value, error, took } = await app.call('get', sid)
      assert.deepEqual([value?.user, error], ['Ann', undefined])
      assert.ok(took <= bounds.timeout * 1.1, `${took} ms`)
    })
  }

  test('finishes the operations that were under way', async (t) => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', fault.silence, 10)
    const app = await App.start(
      t,
      dynamodb.options({ endpoint: proxy.endpoint, ...bounds, timeout: frozenFor + 10_000 })
    )
    const gets = Array.from({ length: 10 }, () => app.call('get', newSid()))
    await eventually(() => proxy.requests.length === 10)
    app.stop()
    proxy.closeConnections()
    await sleep(frozenFor)
    app.goOn()
    for (const { value, error } of await Promise.all(gets)) assert.deepEqual([value, error], [null, undefined])
  })
})

describe('a host', () => {
  const namespaces = spawnSync('unshare', ['--map-root-user', '--mount', 'true']).status === 0
  const canRename = namespaces ? needs('proxy') : { skip: 'it needs a mount namespace of its own' }

  test('that comes back on another address is found there', canRename, async (t) => {
    const { port } = new URL(dynamodb.connection.endpoint)
    const script = `
      const { readFileSync, writeFileSync } = require('node:fs')
      const { setTimeout: sleep } = require('node:timers/promises')
      const { FaultProxy } = require(process.env.DYNAMODB_SESSION + '/__test__/support/fault')
      const point = (address) => writeFileSync('/etc/hosts', address ? address + ' dynamodb.test\\n' : '')
      const { port, ...options } = JSON.parse(process.env.OPTIONS)
      const { DynamoDBStore } = require(process.env.DYNAMODB_SESSION)
      const told = []
      async function main() {
        const first = await FaultProxy.start('http://127.0.0.1:' + port, { host: '127.0.0.1' })
        const store = new DynamoDBStore({ ...options, endpoint: 'http://dynamodb.test:' + first.port })
        const get = () => store.get('a').then((value) => told.push(value), ({ code }) => told.push(code))
        await get()
        point('127.0.0.1')
        await get()
        const second = await FaultProxy.start('http://127.0.0.1:' + port, { host: '127.0.0.2', port: first.port })
        await first.close()
        await get()
        point('127.0.0.2')
        await get()
        point(undefined)
        second.closeConnections()
        await get()
        point('127.0.0.2')
        await get()
        await second.close()
        console.log(JSON.stringify([told, first.requests.length, second.requests.length, store.stats().dns]))
        process.exit()
      }
      main()
    `
    const hosts = write(path.join(temporaryDirectory(t), 'hosts'), '')
    const mount = 'mount --bind "$1" /etc/hosts && exec "$2" -e "$3"'
    const command = ['--map-root-user', '--mount', 'sh', '-c', mount, 'sh', hosts, process.execPath, script]
    const options = dynamodb.options({ port, ...bounds })
    const env = { OPTIONS: JSON.stringify(options) }
    const { stdout, stderr } = await run('unshare', command, { env })
    // The third failed lookup finds the host where the last connection was established.
    const outcomes = ['NetworkError', null, 'NetworkError', null, null, null]
    const dns = { failures: 4, fallbacks: 1 }
    assert.deepEqual([stderr, JSON.parse(stdout)], ['', [outcomes, 1, 3, dns]])
  })
})

describe('out of sockets', { ...needs('proxy'), ...onLinux }, () => {
  for (const when of ['before the first operation', 'later']) {
    test(`${when}: errors in time, and then as before`, async (t) => {
      const proxy = await dynamodb.proxy()
      const app = await App.start(t, dynamodb.options({ endpoint: proxy.endpoint, ...bounds }))
      if (when === 'later') {
        await app.call('get', newSid())
        const connected = app.openFiles.length
        proxy.closeConnections()
        await eventually(() => app.openFiles.length < connected)
      }
      app.allowFiles(0)
      const { error, took } = await app.call('get', newSid())
      assert.match(error.code, /^(NetworkError|InternalError)$/)
      assert.ok(took <= bounds.timeout * 1.1, `${took} ms`)
      app.allowFiles(1000)
      assert.equal((await app.call('get', newSid())).value, null)
    })
  }
})

describe('after many faults', { ...needs('proxy'), ...onLinux }, () => {
  test('sockets and memory of a process are what they were', { timeout: 60_000 }, async (t) => {
    const proxy = await dynamodb.proxy()
    const options = {
      ...bounds,
      connectTimeout: 100,
      attemptTimeout: 100,
      endpoint: proxy.endpoint,
      maxAttempts: 2,
      maxConnections: 10
    }
    const app = await App.start(t, dynamodb.options(options))
    const session = newSession({ text: 'x'.repeat(10_000) })
    const rounds = async (count) => {
      for (let round = 0; round < count; round++) {
        for (const broken of [fault.hangUp, fault.halfHead, fault.halfAnswer, fault.garbage, fault.silence]) {
          proxy.on('*', broken)
          await Promise.all(Array.from({ length: 10 }, () => app.call('set', newSid(), session)))
          proxy.reset()
        }
      }
      await Promise.all(Array.from({ length: 20 }, () => app.call('get', newSid())))
      await eventually(() => proxy.connections <= 10)
      return { files: app.openFiles.length - proxy.connections, memory: app.memory.now }
    }
    const before = await rounds(3)
    const after = await rounds(10)
    assert.equal(after.files, before.files)
    assert.ok(after.memory - before.memory < 20, `${before.memory} MB became ${after.memory} MB`)
  })
})
