'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { App } = require('../support/app')
const { callDuringFault, callWithCallback, eventually, settlesWithin, shortTimeouts } = require('../support/calls')
const { run } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const fault = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { temporaryDirectory, write } = require('../support/temporary-packages')
const { newSession, newSid } = require('../support/sessions')
const { createAuthority } = require('../support/tls')

const dynamodb = useDynamoDB()
const onLinux = process.platform === 'linux' ? {} : { skip: 'needs /proc' }

let authority

before(async () => {
  authority = await createAuthority()
  process.env.AWS_CA_BUNDLE = authority.file
})
after(() => authority.remove())

/** A proxy, with TLS if the options say so. */
async function proxyFor({ certificate }) {
  return dynamodb.proxy(certificate ? { certificate: await authority.issue() } : {})
}

/** A proxy, and a store with this many idle connections to it. */
async function storeWithConnections(connections, options, proxyOptions = {}) {
  const proxy = await proxyFor(proxyOptions)
  const store = dynamodb.store({ endpoint: proxy.endpoint, ...shortTimeouts, ...options })
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

describe('idle connections', { concurrency: true, ...needs('proxy') }, () => {
  test('closed by the server cause no error', async () => {
    const { proxy, store } = await storeWithConnections(20, { maxAttempts: 1 })
    proxy.closeConnections()
    assert.deepEqual(await callDuringFault({ proxy, store }, 'set', newSid(), newSession()), { value: undefined })
  })

  test('closed by the server as the next request arrives cause no error', async () => {
    const { proxy, store } = await storeWithConnections(20, { maxAttempts: 1 })
    proxy.on('*', fault.hangUp, 20)
    assert.deepEqual(await callDuringFault({ proxy, store }, 'set', newSid(), newSession()), { value: undefined })
  })

  for (const [method, ...args] of [['set', newSid(), newSession()], ['length']]) {
    test(`that died silently: the next attempt of ${method} uses a new connection`, async () => {
      const { proxy, store } = await storeWithConnections(20, { maxAttempts: 2 })
      proxy.freezeConnections()
      const repair = () => proxy.closeConnections()
      const { error } = await callDuringFault({ proxy, store, repair }, method, ...args)
      assert.equal(error, undefined)
    })
  }
})

describe('a get on a connection that died silently', { concurrency: true, ...needs('proxy') }, () => {
  /** Longer than a connection may be idle before `get` sends a backup read. */
  const someSeconds = 2200

  for (const [scheme, options] of [
    ['http', {}],
    ['https', { certificate: true }]
  ]) {
    test(`over ${scheme} completes within 400 ms, with one backup read`, async () => {
      const { proxy, store } = await storeWithConnections(3, { attemptTimeout: 3000, timeout: 10_000 }, options)
      await sleep(someSeconds)
      proxy.freezeConnections()
      const { value } = await settlesWithin(400, () => callWithCallback(store, 'get', newSid()))
      assert.equal(value, null)
      assert.deepEqual([proxy.requests.length, store.stats().backupReads, store.stats().retries], [1, 1, 1])
      await settlesWithin(200, () => Promise.all([store.get(newSid()), store.set(newSid(), newSession())]))
      assert.equal(store.stats().backupReads, 1, 'the dead connections are closed')
    })
  }

  test('sends no backup read if no connection slot is free', async () => {
    const { proxy, store } = await storeWithConnections(1, { maxConnections: 1, maxAttempts: 1 })
    await sleep(someSeconds)
    proxy.freezeConnections()
    const { error } = await callWithCallback(store, 'get', newSid())
    assert.deepEqual([error.code, error.$metadata.attempts], ['TimeoutError', 1])
  })

  test('backup reads are sent only for gets on idle connections', async () => {
    const { proxy, store } = await storeWithConnections(2)
    proxy.on('*', fault.delayed(400))
    for (let i = 0; i < 3; i++) await store.get(newSid())
    await sleep(someSeconds)
    await Promise.all([store.set(newSid(), newSession()), store.destroy(newSid())])
    assert.deepEqual([proxy.requests.length, store.stats().backupReads], [5, 0])
  })
})

describe('a server that stops reading', { concurrency: true, ...needs('proxy') }, () => {
  for (const [scheme, options] of [
    ['http', {}],
    ['https', { certificate: true }]
  ]) {
    for (const method of ['set', 'length']) {
      test(`over ${scheme} holds no connection of ${method} longer than one attempt`, async () => {
        const proxy = await proxyFor(options)
        proxy.onConnection(fault.neverRead)
        const limits = { maxConnections: 4, connectTimeout: 200, attemptTimeout: 200, timeout: 1500 }
        const store = dynamodb.store({ endpoint: proxy.endpoint, ...limits })
        const args = method === 'set' ? [newSid(), newSession({ text: 'x'.repeat(390_000) })] : []
        const results = Array.from({ length: 32 }, () => callWithCallback(store, method, ...args))
        let mostOpen = 0
        const watch = setInterval(() => (mostOpen = Math.max(mostOpen, store.stats().pool.open)), 5)
        for (const { error } of await Promise.all(results)) assert.equal(error.code, 'TimeoutError')
        clearInterval(watch)
        assert.ok(mostOpen > 0 && mostOpen <= 4, `${mostOpen} connections`)
        await eventually(() => store.stats().pool.open === 0)
      })
    }
  }

  test('does not exhaust the file descriptors of the process', { ...onLinux }, async (t) => {
    const proxy = await dynamodb.proxy()
    const options = {
      endpoint: proxy.endpoint,
      maxConnections: 4,
      connectTimeout: 100,
      attemptTimeout: 100,
      timeout: 1000
    }
    const app = await App.start(t, dynamodb.options(options))
    await app.call('get', newSid())
    const before = app.openFiles.length
    proxy.onConnection(fault.neverRead)
    proxy.freezeConnections()
    const session = newSession({ text: 'x'.repeat(390_000) })
    const sets = Promise.all(Array.from({ length: 32 }, () => app.call('set', newSid(), session)))
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, app.openFiles.length)), 20)
    await sets
    clearInterval(watch)
    // One connection was open before. One more may be about to close, and a file may be open for a moment.
    assert.ok(most <= before + 3 + 4 + 1, `${before} files became ${most}`)
  })
})

describe('a request that waits for a connection', needs('proxy'), () => {
  test('is signed once it has the connection', async () => {
    const proxy = await dynamodb.proxy()
    const ages = []
    proxy.on('*', (exchange) => {
      const date = exchange.request.headers['x-amz-date']
      ages.push(Date.now() - Date.parse(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z')))
      return fault.delayed(1000)(exchange)
    })
    const store = dynamodb.store({ endpoint: proxy.endpoint, maxConnections: 1 })
    await Promise.all([store.get(newSid()), store.get(newSid()), store.get(newSid()), store.length()])
    // A signature has a resolution of one second.
    assert.ok(ages.length === 4 && ages.every((age) => age < 1500), `signatures were ${ages} ms old`)
  })
})

describe('a frozen process', needs('proxy'), () => {
  const frozenFor = Number(process.env.FROZEN_SECONDS ?? 1) * 1000

  for (const [name, change] of [
    ['closed its connections in the meantime', (proxy) => proxy.closeConnections()],
    ['forgot its connections in the meantime', (proxy) => proxy.freezeConnections()]
  ]) {
    test(`continues without errors after the server ${name}`, { timeout: frozenFor + 30_000 }, async (t) => {
      const proxy = await dynamodb.proxy()
      const app = await App.start(t, dynamodb.options({ endpoint: proxy.endpoint, ...shortTimeouts }))
      const sid = newSid()
      await app.call('set', sid, newSession({ user: 'Ann' }, frozenFor + 60_000))
      await Promise.all(Array.from({ length: 20 }, () => app.call('get', sid)))
      app.suspend()
      change(proxy)
      await sleep(frozenFor)
      app.resume()
      const { value, error, took } = await app.call('get', sid)
      assert.deepEqual([value?.user, error], ['Ann', undefined])
      assert.ok(took <= shortTimeouts.timeout * 1.1, `${took} ms`)
    })
  }

  test('completes the operations that were in progress', async (t) => {
    const proxy = await dynamodb.proxy()
    proxy.on('*', fault.noResponse, 10)
    const app = await App.start(
      t,
      dynamodb.options({ endpoint: proxy.endpoint, ...shortTimeouts, timeout: frozenFor + 10_000 })
    )
    const gets = Array.from({ length: 10 }, () => app.call('get', newSid()))
    await eventually(() => proxy.requests.length === 10)
    app.suspend()
    proxy.closeConnections()
    await sleep(frozenFor)
    app.resume()
    for (const { value, error } of await Promise.all(gets)) assert.deepEqual([value, error], [null, undefined])
  })
})

describe('a host that moves', () => {
  const namespaces = spawnSync('unshare', ['--map-root-user', '--mount', 'true']).status === 0
  const canRename = namespaces ? needs('proxy') : { skip: 'needs a mount namespace' }

  test('to another address is found there', canRename, async (t) => {
    const { port } = new URL(dynamodb.connection.endpoint)
    const script = `
      const { readFileSync, writeFileSync } = require('node:fs')
      const { setTimeout: sleep } = require('node:timers/promises')
      const { FaultProxy } = require(process.env.DYNAMODB_SESSION + '/__test__/support/fault-proxy')
      const point = (address) => writeFileSync('/etc/hosts', address ? address + ' dynamodb.test\\n' : '')
      const { port, ...options } = JSON.parse(process.env.OPTIONS)
      const { DynamoDBStore } = require(process.env.DYNAMODB_SESSION)
      const outcomes = []
      async function main() {
        const first = await FaultProxy.start('http://127.0.0.1:' + port, { host: '127.0.0.1' })
        const store = new DynamoDBStore({ ...options, endpoint: 'http://dynamodb.test:' + first.port })
        const get = () => store.get('a').then((value) => outcomes.push(value), ({ code }) => outcomes.push(code))
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
        console.log(JSON.stringify([outcomes, first.requests.length, second.requests.length, store.stats().dns]))
        process.exit()
      }
      main()
    `
    const hosts = write(path.join(temporaryDirectory(t), 'hosts'), '')
    const mount = 'mount --bind "$1" /etc/hosts && exec "$2" -e "$3"'
    const command = ['--map-root-user', '--mount', 'sh', '-c', mount, 'sh', hosts, process.execPath, script]
    const options = dynamodb.options({ port, ...shortTimeouts })
    const env = { OPTIONS: JSON.stringify(options) }
    const { stdout, stderr } = await run('unshare', command, { env })
    // The third failed lookup finds the host where the last connection was established.
    const outcomes = ['NetworkError', null, 'NetworkError', null, null, null]
    const dns = { failures: 4, fallbacks: 1 }
    assert.deepEqual([stderr, JSON.parse(stdout)], ['', [outcomes, 1, 3, dns]])
  })
})

describe('a host with an unresponsive address', () => {
  const namespaces = spawnSync('unshare', ['--map-root-user', '--mount', 'true']).status === 0
  const canRename = namespaces ? needs('proxy') : { skip: 'needs a mount namespace' }

  test('is reached on another address within connectTimeout', canRename, async (t) => {
    const { port } = new URL(dynamodb.connection.endpoint)
    // The kernel drops connection requests to a stopped process once its backlog is full.
    const script = `
      const { spawn } = require('node:child_process')
      const { once } = require('node:events')
      const net = require('node:net')
      const { setTimeout: sleep } = require('node:timers/promises')
      const { FaultProxy } = require(process.env.DYNAMODB_SESSION + '/__test__/support/fault-proxy')
      const { port, ...options } = JSON.parse(process.env.OPTIONS)
      const { DynamoDBStore } = require(process.env.DYNAMODB_SESSION)
      async function main() {
        const proxy = await FaultProxy.start('http://127.0.0.1:' + port, { host: '127.0.0.2' })
        const listen = 'require("net").createServer().listen({ host: "127.0.0.1", port: ' + proxy.port +
          ', backlog: 1 }, () => console.log())'
        const dead = spawn(process.execPath, ['-e', listen])
        await once(dead.stdout, 'data')
        dead.kill('SIGSTOP')
        for (let i = 0; i < 5; i++) net.connect(proxy.port, '127.0.0.1').on('error', () => {})
        await sleep(300)
        const store = new DynamoDBStore({ ...options, endpoint: 'http://dynamodb.test:' + proxy.port })
        const start = performance.now()
        const value = await store.get('a').catch(({ message }) => message)
        const took = performance.now() - start
        dead.kill('SIGKILL')
        console.log(JSON.stringify([value, took]))
        process.exit()
      }
      main()
    `
    const names = '127.0.0.1 dynamodb.test\n127.0.0.2 dynamodb.test\n'
    const hosts = write(path.join(temporaryDirectory(t), 'hosts'), names)
    const mount = 'mount --bind "$1" /etc/hosts && exec "$2" -e "$3"'
    const command = ['--map-root-user', '--mount', 'sh', '-c', mount, 'sh', hosts, process.execPath, script]
    const options = dynamodb.options({ port, maxAttempts: 1 })
    const { stdout, stderr } = await run('unshare', command, { env: { OPTIONS: JSON.stringify(options) } })
    const [value, took] = JSON.parse(stdout)
    assert.deepEqual([stderr, value], ['', null])
    assert.ok(took < 700, `${took} ms`)
  })
})

describe('a process without free file descriptors', { ...needs('proxy'), ...onLinux }, () => {
  for (const when of ['from the start', 'later']) {
    test(`${when}: operations fail within their timeout, and succeed again once files can be opened`, async (t) => {
      const proxy = await dynamodb.proxy()
      const app = await App.start(t, dynamodb.options({ endpoint: proxy.endpoint, ...shortTimeouts }))
      if (when === 'later') {
        await app.call('get', newSid())
        const connected = app.openFiles.length
        proxy.closeConnections()
        await eventually(() => app.openFiles.length < connected)
      }
      app.allowFiles(0)
      const { error, took } = await app.call('get', newSid())
      assert.match(error.code, /^(NetworkError|InternalError)$/)
      assert.ok(took <= shortTimeouts.timeout * 1.1, `${took} ms`)
      app.allowFiles(1000)
      assert.equal((await app.call('get', newSid())).value, null)
    })
  }
})

describe('many faults in a row', { ...needs('proxy'), ...onLinux }, () => {
  test('leak neither sockets nor memory', { timeout: 60_000 }, async (t) => {
    const proxy = await dynamodb.proxy()
    const options = {
      ...shortTimeouts,
      connectTimeout: 100,
      attemptTimeout: 100,
      endpoint: proxy.endpoint,
      maxAttempts: 2,
      maxConnections: 10
    }
    const app = await App.start(t, dynamodb.options(options))
    const session = newSession({ text: 'x'.repeat(10_000) })
    const runRounds = async (count) => {
      for (let round = 0; round < count; round++) {
        for (const broken of [fault.hangUp, fault.partialHead, fault.partialBody, fault.garbage, fault.noResponse]) {
          proxy.on('*', broken)
          await Promise.all(Array.from({ length: 10 }, () => app.call('set', newSid(), session)))
          proxy.reset()
        }
      }
      await Promise.all(Array.from({ length: 20 }, () => app.call('get', newSid())))
      await eventually(() => proxy.connections <= 10)
      return { files: app.openFiles.length - proxy.connections, memory: app.memory.now }
    }
    const before = await runRounds(3)
    const after = await runRounds(10)
    assert.equal(after.files, before.files)
    assert.ok(after.memory - before.memory < 20, `${before.memory} MB became ${after.memory} MB`)
  })
})
