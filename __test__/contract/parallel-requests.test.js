'use strict'

const assert = require('node:assert/strict')
const { randomInt } = require('node:crypto')
const net = require('node:net')
const { describe, test } = require('node:test')
const { setImmediate: nextTurn } = require('node:timers/promises')
const { collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { loseResponse, passThrough, textResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { entries } = require('../support/entry-points')
const { Client, LIFETIME, openRequest, scenario, startApp, startProcess } = require('../support/parallel-app')
const { RandomJSON } = require('../support/random-json')
const { expressSession, newKey, newSid } = require('../support/sessions')

const dynamodb = useDynamoDB()

const USERS = 60
const fields = ['a', 'b', 'c', 'd', 'e', 'f']

/** The session ID in the cookie of express-session. */
const sidOf = ({ cookie }) => decodeURIComponent(cookie).match(/s:([^.]+)\./)[1]

const nothing = { updates: 0, deletes: 0, logouts: 0 }

for (const framework of ['express', 'koa', 'fastify']) {
  describe(`parallel requests of ${framework} lose nothing`, () => {
    test('in one process', async (t) => {
      const app = await startApp(framework, { store: dynamodb.store() })
      t.after(app.close)
      assert.deepEqual(await scenario(app.url), nothing)
    })

    test('in three processes', async (t) => {
      const options = dynamodb.options()
      const apps = await Promise.all([1, 2, 3].map(() => startProcess(framework, 'dynamodb-session', options)))
      for (const app of apps) t.after(app.close)
      assert.deepEqual(await scenario(apps.map(({ url }) => url)), nothing)
    })
  })
}

describe('parallel requests in a fleet with the original connect-dynamodb', () => {
  /** Processes of this store and of the original one, which share their sessions. */
  async function startFleet(t) {
    const options = dynamodb.options({ touchAfter: 0 })
    const start = (name) => startProcess('express', name, options)
    const apps = await Promise.all([start('dynamodb-session'), start('dynamodb-session'), start('connect-dynamodb')])
    for (const app of apps) t.after(app.close)
    const [one, two, original] = apps.map(({ url }) => url)
    return { ours: [one, two], original }
  }

  test('logouts last, while the original reads, writes, and touches', async (t) => {
    const { ours, original } = await startFleet(t)
    let [ended, ghosts] = [0, 0]
    const user = async (number) => {
      const client = new Client(number % 2 ? ours : original)
      await client.send({ set: { user: number } })
      const [tab, originals] = [client.copy(ours), client.copy(original)]
      await Promise.all([tab.send({ set: { a: 1 } }, number), originals.send({ set: { b: 1 } }), originals.send()])
      const touches = [80, 100].map((wait) => originals.send({ wait }))
      const slow = [100, 120].map((wait, index) => tab.send({ wait, set: { late: index } }, index))
      await new Promise((resolve) => setTimeout(resolve, 40))
      await (number % 3 ? tab : originals).send({ logout: true }, number)
      await Promise.all([...touches, ...slow])
      const item = await dynamodb.item(sidOf(client))
      ghosts += item ? 1 : 0
      const [after, afterOriginal] = [await tab.send({}, number), await originals.send()]
      const isEnded = item?.sess === undefined && Object.keys({ ...after, ...afterOriginal }).length === 0
      ended += isEnded ? 1 : 0
    }
    for (let first = 0; first < USERS; first += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, i) => user(first + i)))
    }
    t.diagnostic(`the original left the expiry of ${ghosts} of ${USERS} sessions behind`)
    assert.equal(ended, USERS)
  })

  test('a lifetime that one request raised survives parallel requests', async (t) => {
    const { ours, original } = await startFleet(t)
    const month = 30 * 24 * 3_600_000
    await Promise.all(
      Array.from({ length: 10 }, async (_, number) => {
        const client = new Client(original)
        await client.send({ set: { user: number } })
        await client.send()
        const tab = client.copy(ours)
        await Promise.all([
          tab.send({ wait: 40, maxAge: month }, number),
          tab.send({ wait: 80 }, number),
          tab.send({ wait: 80 }, number + 1),
          tab.send({ wait: 100, set: { a: 1 } }, number),
          tab.send({ wait: 100, set: { b: 1 } }, number + 1)
        ])
        const { expires } = await dynamodb.item(sidOf(client))
        assert.ok(Math.abs(Number(expires.N) * 1000 - Date.now() - month) < 20_000, `expires in ${expires.N}`)
        assert.deepEqual(await client.send(), { user: number, a: 1, b: 1 })
      })
    )
  })
})

describe('random parallel requests leave each session as a reference model says', () => {
  const names = ['a', 'b', 'c', 'd', 'e f', '1', 'é', 'size']
  const seeds = process.env.PARALLEL_SEED ? [Number(process.env.PARALLEL_SEED)] : [1, 2, 3, randomInt(1e9)]

  // A server that does not compare maps cannot tell whether one has changed.
  const formats = needs('mapEquality').skip ? ['json'] : ['json', 'map']

  const keys = [newKey('one'), newKey('two')]
  /** Options of stores that read each other's sessions. */
  const families = {
    plain: [{}, { compression: true }, { maxLifetime: 1e6 }],
    encrypted: [
      { encryption: { keys, write: false } },
      { encryption: { keys, acceptPlain: true } },
      {
        encryption: { keys: keys.toReversed(), acceptPlain: true },
        compression: { withEncryption: true },
        maxLifetime: 1e6
      }
    ]
  }

  /** A proxy that loses some of the responses, after the server has carried out the request. */
  async function lossyProxy(random) {
    const proxy = await dynamodb.proxy()
    const lose = loseResponse(textResponse(500, '{}'))
    const fault = (exchange) => (random.below(20) === 0 ? lose : passThrough)(exchange)
    return proxy.on('*', fault)
  }

  /** A user, whose requests of one batch run at once and change different fields. */
  class User {
    model = {}

    constructor(random, framework, urls) {
      Object.assign(this, { random, framework, urls, client: new Client(urls) })
    }

    send(client, body) {
      return client.send(body, this.random.below(this.urls.length))
    }

    change(name) {
      if (this.random.below(4) === 0) return { remove: [name] }
      return { set: { [name]: this.random.value(3) } }
    }

    /** A request that changes these fields, with one save or two. */
    body(changed) {
      const [first, ...others] = changed.map((name) => this.change(name))
      const body = { wait: this.random.below(3) * 4, ...first, save: this.random.below(4) === 0 }
      return others.length > 0 ? { ...body, next: { wait: this.random.below(2) * 4, ...others[0] } } : body
    }

    apply({ set = {}, remove = [], next }) {
      for (const [name, value] of Object.entries(set)) this.model[name] = value
      for (const name of remove) delete this.model[name]
      if (next) this.apply(next)
    }

    async step() {
      const tab = this.client.copy()
      const left = names.filter(() => this.random.below(3) > 0)
      const bodies = []
      while (left.length > 0) bodies.push(this.body(left.splice(0, 1 + this.random.below(2))))
      for (let reads = this.random.below(3); reads > 0; reads--) bodies.push({ wait: this.random.below(3) * 4 })
      const end = this.random.pick(['stays', 'stays', 'stays', 'stays', 'logout', 'regenerate'])
      const others = bodies.map((body) => this.send(tab, body))
      if (end === 'stays') {
        await Promise.all(others)
        bodies.forEach((body) => this.apply(body))
        assert.deepEqual(await this.send(tab, {}), this.model)
        return bodies.length + 1
      }
      const next = new Client(this.urls)
      Object.assign(next, { cookie: tab.cookie })
      await this.send(next, { wait: this.random.below(4) * 4, [end]: end === 'logout' ? true : { fresh: 1 } })
      await Promise.all(others)
      assert.deepEqual(await this.send(tab, {}), {}, 'the session has ended')
      await this.restart(end === 'logout' ? undefined : next)
      return bodies.length + 3
    }

    /** Goes on with a new session. */
    async restart(client) {
      this.client = client ?? new Client(this.urls)
      if (client === undefined) await this.send(this.client, { set: { fresh: 1 } })
      const session = await this.send(this.client.copy(), {})
      // In Koa, a session after `regenerate` keeps the data of the old one.
      this.model = client && this.framework === 'koa' ? { ...session, fresh: 1 } : { fresh: 1 }
      assert.deepEqual(session, this.model)
    }
  }

  for (const seed of seeds) {
    test(`seed ${seeds.indexOf(seed) === 3 ? 'of this run' : seed}`, async (t) => {
      t.diagnostic(`PARALLEL_SEED=${seed} repeats this run`)
      const random = new RandomJSON(seed)
      const place =
        seed % 2 === 0 && !needs('proxy').skip ? { endpoint: (await lossyProxy(random)).endpoint, maxAttempts: 10 } : {}
      const users = []
      for (const framework of ['express', 'koa', 'fastify']) {
        const options = { ...place, format: random.pick(formats), touchAfter: random.pick([0, 600]) }
        const family = options.format === 'map' ? [{}] : families[random.pick(['plain', 'encrypted'])]
        const [store, other] = [1, 2].map(() => dynamodb.store({ ...options, ...random.pick(family) }))
        const starting = [store, store, other].map((one) => startApp(framework, { store: one, rolling: true }))
        const apps = await Promise.all(starting)
        for (const app of apps) t.after(app.close)
        const urls = apps.map(({ url }) => url)
        for (let i = 0; i < 4; i++) users.push(new User(new RandomJSON(random.below(1e9)), framework, urls))
      }
      let steps = 0
      const run = async (user) => {
        await user.restart()
        for (let batch = 0; batch < 20; batch++) {
          const count = await user.step()
          steps += count
        }
      }
      await Promise.all(users.map(run))
      t.diagnostic(`${steps} requests`)
    })
  }
})

/** Sends requests at once, each of which sets a field of its own; returns the session afterward. */
async function setInParallel(client, bodyOf, names = fields) {
  const tab = client.copy()
  await Promise.all(names.map((name, index) => tab.send(bodyOf(name, index), index)))
  const session = await tab.send({})
  for (const name of names) assert.equal(session[name], name)
  return session
}

describe('each framework', () => {
  for (const [framework, name, options] of [
    ['express', 'Express'],
    ['koa', 'Koa with koa-session 7'],
    ['koa', 'Koa with koa-session 6', { koaSession: 'koa-session6' }],
    ['fastify', 'Fastify']
  ]) {
    /** An app with two stores, and a client that has a session. */
    const start = async (t) => {
      const apps = await Promise.all([1, 2].map(() => startApp(framework, { store: dynamodb.store(), ...options })))
      for (const app of apps) t.after(app.close)
      const client = new Client(apps.map(({ url }) => url))
      await client.send({ set: { user: 'Ann', gone: 1 } })
      return client
    }

    test(`merges when a request saves more than once: ${name}`, async (t) => {
      const client = await start(t)
      await setInParallel(client, (field) => ({
        wait: 10,
        set: { [field]: 'first' },
        save: true,
        next: { wait: 10, set: { [field]: field } }
      }))
    })

    test(`does not bring back a session that a request replaced with regenerate: ${name}`, async (t) => {
      const client = await start(t)
      const slow = client.copy().send({ wait: 60, set: { late: true } }, 1)
      await client.copy().send({ wait: 10, set: { early: true } })
      const tab = client.copy()
      await client.send({ wait: 20, regenerate: { role: 'admin' } })
      await slow
      assert.deepEqual(await tab.send(), {}, 'the old session has ended')
      const session = await client.send()
      // In Koa, the new session keeps the data of the old one.
      assert.deepEqual(framework === 'koa' ? { role: session.role } : session, { role: 'admin' })
      await setInParallel(client, (field) => ({ set: { [field]: field } }))
    })

    test(`writes nothing for requests that only read, although it saves each of them: ${name}`, async (t) => {
      const store = dynamodb.store()
      const app = await startApp(framework, { store, rolling: true, resave: true, ...options })
      t.after(app.close)
      const client = new Client(app.url)
      await client.send({ set: { user: 'Ann' } })
      await client.send()
      const tab = client.copy()
      const { operations: before } = store.stats()
      await Promise.all([...fields.map(() => tab.send({ wait: 20 })), tab.send({ set: { role: 'admin' } })])
      const { operations: after } = store.stats()
      assert.equal(after.PutItem - before.PutItem, 1)
      assert.equal(after.UpdateItem, before.UpdateItem)
      assert.deepEqual(await tab.send(), { user: 'Ann', role: 'admin' })
    })

    if (framework === 'koa') continue

    test(`merges after a reload: ${name}`, async (t) => {
      const client = await start(t)
      await setInParallel(client, (field) => ({ reload: true, wait: 10, set: { [field]: field } }))
    })
  }

  test('renews the cookie that Fastify stores, and destroys sessions by, once touchAfter has passed', async (t) => {
    const store = dynamodb.store()
    const app = await startApp('fastify', { store, rolling: true })
    t.after(app.close)
    const client = new Client(app.url)
    await client.send({ set: { user: 'Ann' } })
    const sid = decodeURIComponent(client.cookie).match(/=([^.]+)/)[1]
    const inHalfAnHour = Date.now() + LIFETIME / 2
    const session = JSON.parse((await dynamodb.item(sid)).sess.S)
    session.cookie.expires = new Date(inHalfAnHour).toISOString()
    const sess = { S: JSON.stringify(session) }
    await dynamodb.putItem(sid, { sess, expires: { N: String(Math.ceil(inHalfAnHour / 1000)) } })
    await client.send()
    const { cookie } = JSON.parse((await dynamodb.item(sid)).sess.S)
    assert.ok(Date.parse(cookie.expires) > inHalfAnHour + LIFETIME / 4, cookie.expires)
  })

  test('leaves nothing of its own in a session of Fastify', async (t) => {
    const sessions = []
    const onSession = (session) => sessions.push(session)
    const app = await startApp('fastify', { store: dynamodb.store(), onSession })
    t.after(app.close)
    const client = new Client(app.url)
    await client.send({ set: { a: 1 } })
    await client.send({ set: { b: 1 } })
    const [fresh, read] = sessions
    assert.deepEqual(Reflect.ownKeys(read).map(String).sort(), [...Reflect.ownKeys(fresh).map(String), 'b'].sort())
    assert.equal(Object.getPrototypeOf(read), Object.getPrototypeOf(fresh))
    assert.equal('toJSON' in read, false)
    const keys = []
    for (const key in read) keys.push(key)
    assert.deepEqual(keys.sort(), ['a', 'b', 'cookie'])
    assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(read))).sort(), ['a', 'b', 'cookie'])
  })

  test('merges requests that Fastify gets through inject', async (t) => {
    const { app, url, close } = await startApp('fastify', { store: dynamodb.store() })
    t.after(close)
    const client = new Client(url)
    await client.send({ set: { user: 'Ann' } })
    const inject = (body) => app.inject({ method: 'POST', url: '/', headers: { cookie: client.cookie }, payload: body })
    await Promise.all(fields.map((field) => inject({ wait: 10, set: { [field]: field } })))
    assert.equal(Object.keys(await client.send()).length, 1 + fields.length)
  })

  test('merges requests that are pipelined on one connection', async (t) => {
    for (const framework of ['express', 'koa', 'fastify']) {
      const { url, close } = await startApp(framework, { store: dynamodb.store() })
      t.after(close)
      const client = new Client(url)
      await client.send({ set: { user: 'Ann' } })
      const requests = fields.map((field, index) => {
        const body = JSON.stringify({ wait: 10, set: { [field]: field } })
        const connection = index === fields.length - 1 ? 'close' : 'keep-alive'
        const headers = { host: 'test', cookie: client.cookie, connection, 'content-type': 'application/json' }
        const lines = Object.entries({ ...headers, 'content-length': body.length }).map((pair) => pair.join(': '))
        return ['POST / HTTP/1.1', ...lines, '', body].join('\r\n')
      })
      const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
      socket.write(requests.join(''))
      let responses = ''
      for await (const chunk of socket) responses += chunk
      assert.equal(responses.match(/HTTP\/1.1 200/g).length, fields.length)
      assert.equal(Object.keys(await client.send()).length, 1 + fields.length, framework)
    }
  })
})

describe("the compatible stores with onConflict: 'merge'", () => {
  for (const entry of entries) {
    const framework = entry.frameworks.includes('express') ? 'express' : 'koa'
    test(`${entry.name} merges, and its stamps are no changes`, async (t) => {
      const table = await dynamodb.newTable(entry.schema)
      const place = { connection: dynamodb.connection, table }
      const store = entry.create(place, { onConflict: 'merge' })
      t.after(() => store.close())
      const conflicts = collectEvents(store, 'conflict')
      const sid = newSid()
      await store.set(sid, expressSession({ a: 1, b: 1, gone: 1 }, { maxAge: LIFETIME }))
      const requests = []
      for (let i = 0; i < 3; i++) requests.push(await openRequest(store, sid, framework))
      const [one, two, three] = requests
      one.session.c = 3
      delete one.session.gone
      two.session.b = 2
      await one.save()
      await two.save()
      await three.save()
      three.session.d = 4
      await three.save()
      const { cookie: _cookie, updated: _updated, lastModified: _lastModified, ...data } = await store.get(sid)
      const { _expire, _maxAge, ...fields } = data
      assert.deepEqual(fields, { a: 1, b: 2, c: 3, d: 4 })
      await nextTurn()
      assert.deepEqual(conflicts, [])
      await store.destroy(sid)
      one.session.e = 5
      await one.save()
      assert.ok((await store.get(sid)) == null)
    })

    const isNative = entry.name === 'dynamodb-session'
    test(`${entry.name} ${isNative ? 'merges by default' : 'overwrites by default and with an invalid option'}`, async (t) => {
      const table = await dynamodb.newTable(entry.schema)
      for (const options of isNative ? [{}] : [{}, { onConflict: 'Merge' }]) {
        const store = entry.create({ connection: dynamodb.connection, table }, options)
        t.after(() => store.close())
        const sid = newSid()
        await store.set(sid, expressSession({ a: 1 }, { maxAge: LIFETIME }))
        const [one, two] = [await openRequest(store, sid, framework), await openRequest(store, sid, framework)]
        one.session.c = 3
        two.session.b = 2
        await one.save()
        await two.save()
        assert.equal((await store.get(sid)).c, isNative ? 3 : undefined)
      }
    })
  }
})
