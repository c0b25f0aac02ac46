'use strict'

const assert = require('node:assert/strict')
const { createHmac } = require('node:crypto')
const { once } = require('node:events')
const { after, beforeEach, afterEach, describe, test } = require('node:test')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const originalConnectDynamoDB = require('connect-dynamodb')
const express = require('express')
const session = require('express-session')
const sinon = require('sinon')
const { collectEvents } = require('../support/calls')
const { useDynamoDB } = require('../support/dynamodb')
const { entries } = require('../support/entries')
const { needs } = require('../support/features')
const [{ start: startFastify }] = require('./frameworks/fastify')
const { Browser } = require('../support/http')
const { newSid, nowInSeconds } = require('../support/sessions')

const dynamodb = useDynamoDB()
const secret = 'a secret of the tests, thirty-two characters'
const second = 1000
const hour = 3600 * second
const day = 24 * hour

/** The stores of the package that express-session can use. */
const stores = entries.filter(({ frameworks }) => frameworks.includes('express'))

/** The options of a store that make every touch write. */
function eager(name) {
  if (name.endsWith('/dynamodb-store')) return { touchInterval: 0 }
  return name.includes('pwrdrvr') ? { touchAfter: 1 } : {}
}

async function open({ name, schema, prefix, create }, options) {
  const table = await dynamodb.newTable(schema)
  const store = create({ connection: dynamodb.connection, table }, { ...eager(name), ...options })
  const keyOf = (sid) => ({ [schema.hashKey]: { S: prefix + sid } })
  return {
    store,
    expiresOf: async (sid) => Number((await dynamodb.raw.read(table, { [schema.hashKey]: prefix + sid })).expires.N),
    putItem: (sid, attributes) => dynamodb.raw.putItem(table, { ...keyOf(sid), ...attributes })
  }
}

const [native] = stores
const originalClients = []
after(() => originalClients.forEach((client) => client.destroy()))
const original = {
  name: 'the original connect-dynamodb',
  schema: { hashKey: 'id' },
  prefix: 'sess:',
  create({ connection, table }) {
    const client = new DynamoDBClient(connection)
    originalClients.push(client)
    return new (originalConnectDynamoDB(session))({ client, table, initialized: true })
  }
}

async function start(t, store, { cookie = {}, rolling = false, pause } = {}) {
  const app = express()
  app.set('env', 'test')
  app.use(session({ store, secret, resave: false, saveUninitialized: false, rolling, cookie }))
  const show = (req, res) => {
    const { maxAge, originalMaxAge } = req.session.cookie
    res.json({
      id: req.sessionID,
      user: req.session.user ?? null,
      note: req.session.note ?? null,
      maxAge,
      originalMaxAge
    })
  }
  app.post('/login', (req, res) => {
    req.session.user = 'Ann'
    show(req, res)
  })
  app.get('/', show)
  app.get('/slow', async (req, res) => {
    await pause()
    show(req, res)
  })
  app.post('/save', (req, res, next) => {
    req.session.note = 'saved'
    req.session.save((error) => (error ? next(error) : show(req, res)))
  })
  app.post('/reload-and-save', (req, res, next) => {
    req.session.reload((error) => {
      if (error) return next(error)
      req.session.note = 'saved'
      req.session.save((error) => (error ? next(error) : show(req, res)))
    })
  })
  app.post('/max-age', (req, res) => {
    if (req.query.note) req.session.note = req.query.note
    req.session.cookie.maxAge = Number(req.query.ms)
    show(req, res)
  })
  app.get('/load', (req, res, next) => {
    store.load(req.sessionID, (error, loaded) => (error ? next(error) : res.json(loaded)))
  })
  app.use((error, req, res, next) => (res.headersSent ? next(error) : res.status(500).json({ error: error.message })))
  const server = app.listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return new Browser(`http://127.0.0.1:${server.address().port}`)
}

/** An ID as both frameworks sign it. */
function sign(sid) {
  return `${sid}.${createHmac('sha256', secret).update(sid).digest('base64').replace(/=+$/, '')}`
}

/** A browser that is logged in under this ID. */
function browserOf(browser, sid) {
  browser.cookies.set('connect.sid', encodeURIComponent(`s:${sign(sid)}`))
  return browser
}

let clock
beforeEach(() => (clock = sinon.useFakeTimers({ now: Date.now(), toFake: ['Date'] })))
afterEach(() => clock.restore())

describe('a session that read-only requests keep alive', () => {
  const maxAge = 3 * second
  const cases = [
    ...stores.map((store) => [store.name, store]),
    ['dynamodb-session with maps', native, { format: 'map' }],
    ['dynamodb-session with a ttl that is longer than the cookie', native, { ttl: 20 }],
    ['dynamodb-session with a ttl that is shorter than the cookie', native, { ttl: 2 }],
    ['dynamodb-session with a function as ttl', native, { ttl: ({ cookie }) => cookie.maxAge / 1000 }],
    [original.name, original]
  ]
  for (const [name, entry, options] of cases) {
    for (const rolling of [true, false]) {
      for (const path of ['/save', '/reload-and-save']) {
        test(`${path} keeps it in ${name}, rolling ${rolling}`, async (t) => {
          const { store } = await open(entry, options)
          const browser = await start(t, store, { cookie: { maxAge }, rolling })
          // Without rolling, the browser would drop its cookie.
          await browser.post('/login')
          const visitor = browser.copy()
          for (let i = 0; i < 8; i++) {
            clock.tick(500)
            const { body } = await visitor.copy().get('/')
            assert.equal(body.user, 'Ann', `page ${i}`)
          }
          const saved = await visitor.copy().post(path)
          assert.equal(saved.body.user, 'Ann')
          clock.tick(500)
          const { body } = await visitor.copy().get('/')
          assert.deepEqual([body.user, body.note], ['Ann', 'saved'])
        })
      }
    }
  }
})

describe('the cookie that get returns', () => {
  for (const entry of stores) {
    test(`has the expiry of the last touch, ${entry.name}`, async () => {
      const { store, expiresOf } = await open(entry)
      const sid = newSid()
      await store.set(sid, { cookie: new session.Cookie({ maxAge: hour }), user: 'Ann' })
      const written = await byGet(store, sid)
      assert.equal(written.cookie.originalMaxAge, hour)
      for (const pause of [hour / 2, hour / 2, hour / 3]) {
        clock.tick(pause)
        const request = { sessionID: sid, sessionStore: store }
        const visit = store.createSession(request, await byGet(store, sid))
        visit.touch()
        await store.touch(sid, visit)
        const { cookie } = await byGet(store, sid)
        assert.equal(cookie.originalMaxAge, hour)
        assert.equal(cookie.expires, new Date((await expiresOf(sid)) * 1000).toISOString())
        assert.ok(Math.abs(Date.parse(cookie.expires) - Date.now() - hour) <= second)
        const loaded = await new Promise((resolve, reject) =>
          store.load(sid, (error, value) => (error ? reject(error) : resolve(value)))
        )
        assert.equal(loaded.cookie.expires.toISOString(), cookie.expires)
      }
    })
  }

  for (const [name, entry, options] of [
    ...stores.map((store) => [store.name, store]),
    ['dynamodb-session with a function as ttl', native, { ttl: ({ cookie }) => cookie.maxAge / 1000 }]
  ]) {
    test(`has the expiry of a touch that shortened the lifetime, ${name}`, async () => {
      const { store, expiresOf } = await open(entry, options)
      const load = async () => store.createSession({ sessionID: 'a', sessionStore: store }, await byGet(store, 'a'))
      const call = (method, visit) =>
        new Promise((resolve, reject) => store[method]('a', visit, (error) => (error ? reject(error) : resolve())))
      await call('set', { cookie: new session.Cookie({ maxAge: hour }) })
      clock.tick(10 * second)
      const visit = await load()
      visit.cookie.maxAge = 60 * second
      await call('touch', visit)
      const shortened = await expiresOf('a')
      const { cookie } = await byGet(store, 'a')
      assert.equal(Date.parse(cookie.expires), shortened * 1000)
      await call('set', await load())
      assert.ok(Math.abs((await expiresOf('a')) - shortened) <= 1)
    })
  }

  test('of all is the same', async () => {
    const { store, expiresOf } = await open(native, { touchAfter: 0 })
    await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
    clock.tick(hour / 2)
    await store.touch('a', { cookie: new session.Cookie({ maxAge: hour }) })
    const [{ cookie }] = await store.all()
    assert.equal(Date.parse(cookie.expires), (await expiresOf('a')) * 1000)
  })

  const cookies = {
    'has no expiry': { originalMaxAge: null, expires: null },
    'has expiry false': { originalMaxAge: false, expires: false },
    'has an expiry that is no date': { originalMaxAge: hour, expires: 'soon' },
    'is empty': {}
  }
  for (const [name, cookie] of Object.entries(cookies)) {
    test(`stays as it is when it ${name}`, async () => {
      const { store } = await open(native, { touchAfter: 0 })
      await store.set('a', { cookie })
      clock.tick(hour)
      await store.touch('a', { cookie })
      assert.deepEqual(await store.get('a'), { cookie })
    })
  }

  for (const [name, ttl] of [
    ['longer', (7 * day) / second],
    ['shorter', 600],
    ['longer, by a function', () => (7 * day) / second],
    ['shorter, by a function', () => 600]
  ]) {
    test(`does not take over a ttl that is ${name}`, async () => {
      const { store } = await open(native, { ttl, touchAfter: 0 })
      await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
      const written = Date.now()
      assert.equal((await store.get('a')).cookie.expires, new Date(written + hour).toISOString())
      clock.tick(500 * second)
      const visit = store.createSession({ sessionID: 'a', sessionStore: store }, await store.get('a'))
      visit.touch()
      await store.touch('a', visit)
      clock.tick(100 * second)
      const { expires } = (await store.get('a')).cookie
      assert.ok(Math.abs(Date.parse(expires) - written - 500 * second - hour) <= second, expires)
    })
  }

  for (const ttl of [
    () => {
      throw new Error('thrown by ttl')
    },
    () => NaN,
    async () => 60
  ]) {
    test(`stays as it was written when the ttl function fails: ${ttl}`, async () => {
      const { store, putItem } = await open(native, { ttl })
      const cookie = { originalMaxAge: hour, expires: new Date().toISOString() }
      await putItem('a', { sess: { S: JSON.stringify({ cookie }) }, expires: { N: `${nowInSeconds() + 3600}` } })
      assert.deepEqual(await store.get('a'), { cookie })
    })
  }

  test('of an expiry that no Date can hold is the last date', async () => {
    const { store, putItem } = await open(native)
    const cookie = { originalMaxAge: hour, expires: new Date().toISOString() }
    await putItem('a', { sess: { S: JSON.stringify({ cookie }) }, expires: { N: '1e40' } })
    assert.equal((await store.get('a')).cookie.expires, new Date(8.64e15).toISOString())
  })

  test('lets Fastify keep a session that Express has kept alive', async (t) => {
    const { store } = await open(native, { touchAfter: 0 })
    const sid = newSid()
    await store.set(sid, { cookie: new session.Cookie({ maxAge: hour }), user: 'Ann' })
    clock.tick(hour - second)
    await store.touch(sid, { cookie: new session.Cookie({ maxAge: hour }) })
    clock.tick(hour / 2)
    const app = await startFastify({ store, maxAge: hour })
    t.after(() => app.close())
    const browser = new Browser(app.url)
    browser.cookies.set('sessionId', encodeURIComponent(sign(sid)))
    assert.equal((await browser.get('/')).body.session.user, 'Ann')
  })
})

const byGet = (store, sid) =>
  new Promise((resolve, reject) => store.get(sid, (error, value) => (error ? reject(error) : resolve(value))))

describe('a request that runs beside another one', () => {
  for (const entry of stores) {
    test(`does not shorten a lifetime that the other lengthened, ${entry.name}`, async (t) => {
      const { store, expiresOf } = await open(entry)
      const missing = collectEvents(store, 'missing')
      let release, entered
      const arrived = new Promise((resolve) => (entered = resolve))
      const pause = () => {
        entered()
        return new Promise((resolve) => (release = resolve))
      }
      const browser = await start(t, store, { cookie: { maxAge: 3 * second }, pause })
      const sid = (await browser.post('/login')).body.id
      clock.tick(second)
      const slow = browser.copy().get('/slow')
      await arrived
      await browser.post(`/max-age?ms=${30 * day}&note=remembered`)
      const remembered = await expiresOf(sid)
      assert.ok(remembered >= (Date.now() + 30 * day) / 1000 - 1)
      release()
      assert.equal((await slow).status, 200)
      assert.equal(await expiresOf(sid), remembered)
      clock.tick(day)
      const { body } = await browser.get('/')
      assert.deepEqual([body.user, body.note], ['Ann', 'remembered'])
      if (!needs('conditionItem').skip) assert.deepEqual(missing, [])
    })

    test(`shortens the lifetime where it says so, ${entry.name}`, async (t) => {
      const { store, expiresOf } = await open(entry)
      const browser = await start(t, store, { cookie: { maxAge: 30 * day } })
      const sid = (await browser.post('/login')).body.id
      clock.tick(second)
      await browser.post(`/max-age?ms=${60 * second}`)
      assert.ok(Math.abs((await expiresOf(sid)) - Date.now() / 1000 - 60) <= 1)
    })
  }

  test('reports a session that is gone, and only such a one', needs('conditionItem'), async () => {
    const { store } = await open(native, { touchAfter: 0 })
    const missing = collectEvents(store, 'missing')
    const visit = async (sid) => {
      const visit = store.createSession({ sessionID: sid, sessionStore: store }, await store.get(sid))
      visit.touch()
      return visit
    }
    const cookie = { originalMaxAge: hour, expires: new Date(Date.now() + hour) }
    for (const sid of ['later', 'gone', 'over']) await store.set(sid, { cookie })
    const [later, gone, over] = [await visit('later'), await visit('gone'), await visit('over')]
    await store.set('later', { cookie: { maxAge: day } })
    await store.destroy('gone')
    await store.set('over', { cookie: { maxAge: -day } })
    clock.tick(10 * second)
    for (const [sid, session] of Object.entries({ later, gone, over })) await store.touch(sid, session)
    await new Promise(setImmediate)
    assert.equal(missing.length, 2)
  })

  test('a touch of a session that get returned keeps its expiry, and a changed cookie moves it', async () => {
    const { store, expiresOf } = await open(native, { touchAfter: 0 })
    await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
    const expires = await expiresOf('a')
    clock.tick(hour / 2)
    await store.touch('a', await store.get('a'))
    assert.equal(await expiresOf('a'), expires)
    const changes = [
      (cookie) => ({ ...cookie, maxAge: 60 * second }),
      () => ({ maxAge: 60 * second }),
      (cookie) => ({ ...cookie, expires: new Date(Date.now() + 60 * second).toISOString() })
    ]
    for (const change of changes) {
      await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
      const read = await store.get('a')
      read.cookie = change(read.cookie)
      await store.touch('a', read)
      assert.equal(await expiresOf('a'), Math.ceil(Date.now() / 1000 + 60))
    }
  })

  test('connect-dynamodb answers with the expiry that stays', needs('conditionItem'), async () => {
    const { store, expiresOf } = await open(stores.find(({ name }) => name.endsWith('connect-dynamodb')))
    await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
    const read = await store.get('a')
    await store.set('a', { cookie: new session.Cookie({ maxAge: day }) })
    clock.tick(second)
    const { expires } = await store.touch('a', store.createSession({ sessionID: 'a' }, read))
    assert.equal(Number(expires), await expiresOf('a'))
  })
})

describe('a session that was stored without a cookie', () => {
  const bodies = {
    'no cookie': { user: 'Ann' },
    'a cookie that is null': { user: 'Ann', cookie: null },
    'a cookie that is text': { user: 'Ann', cookie: 'x' },
    'a cookie that is a list': { user: 'Ann', cookie: [1] },
    'an empty cookie': { user: 'Ann', cookie: {} },
    'a maxAge that is text': { user: 'Ann', cookie: { maxAge: '60000' } },
    'an originalMaxAge that is text': { user: 'Ann', cookie: { originalMaxAge: '60000', path: '/' } }
  }
  for (const entry of stores) {
    for (const [name, body] of Object.entries(bodies)) {
      for (const form of ['S', 'M']) {
        test(`loads with ${name}, ${form === 'S' ? 'JSON' : 'a map'}, ${entry.name}`, async (t) => {
          const { store, putItem } = await open(entry)
          const sid = newSid()
          const sess = form === 'S' ? { S: JSON.stringify(body) } : attributeOf(body)
          await putItem(sid, { sess, expires: { N: `${nowInSeconds() + 3600}` } })
          for (const cookie of [{}, { maxAge: hour }]) {
            const browser = browserOf(await start(t, store, { cookie }), sid)
            for (const path of ['/', '/load']) {
              const { status, body } = await browser.get(path)
              assert.deepEqual([status, body.user], [200, 'Ann'], path)
            }
            for (const path of ['/reload-and-save', '/max-age?ms=60000']) {
              const { status, body } = await browser.post(path)
              assert.deepEqual([status, body.user], [200, 'Ann'], path)
            }
            await putItem(sid, { sess, expires: { N: `${nowInSeconds() + 3600}` } })
          }
        })
      }
    }

    test(`gets the cookie options of the app once a session was generated, ${entry.name}`, async (t) => {
      const { store } = await open(entry)
      const sid = newSid()
      await new Promise((resolve) => store.set(sid, { user: 'Ann' }, resolve))
      const cookie = { maxAge: hour, sameSite: 'strict', path: '/', httpOnly: false }
      const browser = browserOf(await start(t, store, { cookie, rolling: true }), sid)
      const before = await browser.get('/')
      assert.deepEqual([before.status, before.body.user], [200, 'Ann'])
      await new Browser(browser.url).post('/login')
      const after = await browser.get('/')
      assert.deepEqual([after.body.user, after.body.maxAge, after.body.originalMaxAge], ['Ann', hour, hour])
      assert.match(after.setCookies[0], /SameSite=Strict/)
      assert.doesNotMatch(after.setCookies[0], /HttpOnly/)
    })
  }

  test('get returns what was stored', async () => {
    const { store } = await open(native)
    await store.set('a', { user: 'ann' })
    assert.deepEqual(await store.get('a'), { user: 'ann' })
  })

  test('reload keeps the cookie of the request', async () => {
    const { store } = await open(native)
    const sid = newSid()
    await store.set(sid, { user: 'Ann' })
    const request = { sessionID: sid, sessionStore: store }
    store.createSession(request, await store.get(sid))
    request.session.cookie.maxAge = hour
    request.session.cookie.domain = 'example.com'
    await new Promise((resolve, reject) => request.session.reload((error) => (error ? reject(error) : resolve())))
    assert.equal(request.session.user, 'Ann')
    assert.deepEqual([request.session.cookie.maxAge, request.session.cookie.domain], [hour, 'example.com'])
  })
})

/** A DynamoDB map of plain data. */
function attributeOf(value) {
  if (value === null) return { NULL: true }
  if (Array.isArray(value)) return { L: value.map(attributeOf) }
  if (typeof value === 'object') {
    return { M: Object.fromEntries(Object.entries(value).map(([name, member]) => [name, attributeOf(member)])) }
  }
  return typeof value === 'number' ? { N: `${value}` } : { S: value }
}

describe('a lifetime in parts of a second', () => {
  const roundingUp = stores.filter(({ name }) => !/dynamodb-store|pwrdrvr/.test(name))
  for (const entry of roundingUp) {
    for (const milliseconds of [0, 1, 499, 500, 501, 999]) {
      test(`lasts to its end from ${milliseconds} ms past a second, ${entry.name}`, async () => {
        clock.setSystemTime(Math.floor(Date.now() / 1000) * 1000 + milliseconds)
        const { store } = await open(entry)
        await store.set('a', { cookie: { maxAge: 500 } })
        clock.tick(499)
        assert.ok(await store.get('a'))
        await store.touch('a', { cookie: { maxAge: 1500 } })
        clock.tick(1499)
        assert.ok(await store.get('a'))
        clock.tick(1001)
        assert.equal(await store.get('a'), null)
      })
    }
  }

  for (const entry of stores.filter((store) => !roundingUp.includes(store))) {
    test(`is rounded down as by the original, ${entry.name}`, async () => {
      clock.setSystemTime(Math.floor(Date.now() / 1000) * 1000 + 700)
      const { store, expiresOf } = await open(entry)
      await new Promise((resolve) => store.set('a', { cookie: new session.Cookie({ maxAge: 1200 }) }, resolve))
      assert.equal(await expiresOf('a'), nowInSeconds() + 1)
    })
  }
})

describe('a lifetime beyond every Date', () => {
  for (const entry of stores) {
    for (const maxAge of [8.64e15, 9e15, Number.MAX_SAFE_INTEGER, 1e100]) {
      test(`of ${maxAge} ms lets a session live, ${entry.name}`, async () => {
        const { store, expiresOf } = await open(entry)
        for (const options of ['set', 'touch']) {
          const sessionOf = () => ({ user: 'Ann', cookie: { maxAge, originalMaxAge: null } })
          await new Promise((resolve, reject) =>
            store[options]('a', sessionOf(), (error) => (error ? reject(error) : resolve()))
          )
          assert.equal(await expiresOf('a'), 8.64e12)
          assert.equal((await byGet(store, 'a')).user, 'Ann')
        }
      })
    }
  }

  for (const ttl of [9e15, 1e300]) {
    test(`by the option ttl, ${ttl}`, async () => {
      const { store, expiresOf } = await open(native, { ttl })
      await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
      assert.equal(await expiresOf('a'), 8.64e12)
      assert.equal((await store.get('a')).cookie.originalMaxAge, hour)
      const other = await open(
        stores.find(({ name }) => name.endsWith('/dynamodb-store')),
        { ttl }
      )
      await other.store.set('a', { cookie: new session.Cookie({ maxAge: hour }) }, () => {})
      await new Promise((resolve) => other.store.set('a', { cookie: new session.Cookie({ maxAge: hour }) }, resolve))
      assert.equal(await other.expiresOf('a'), 8.64e12)
      assert.ok(await byGet(other.store, 'a'))
    })
  }

  test('in the past is in the past', async () => {
    const { store, expiresOf } = await open(native)
    await store.set('a', { cookie: { maxAge: -1e300 } })
    assert.equal(await expiresOf('a'), -8.64e12)
    assert.equal(await store.get('a'), null)
  })
})

describe('a wrapper that delegates to the store', () => {
  for (const [name, forwards, updates] of [
    ['saves touches when it forwards createSession', true, 0],
    ['writes each touch when it does not', false, 1]
  ]) {
    test(name, needs('proxy'), async () => {
      const proxy = await dynamodb.proxy()
      const { store } = await open(native, { endpoint: proxy.endpoint })
      const wrapper = new (class extends session.Store {
        get = (...args) => store.get(...args)
        touch = (...args) => store.touch(...args)
        createSession(...args) {
          return forwards ? store.createSession(...args) : super.createSession(...args)
        }
      })()
      await store.set('a', { cookie: new session.Cookie({ maxAge: hour }) })
      clock.tick(second)
      const loaded = await new Promise((resolve) => wrapper.load('a', (_error, value) => resolve(value)))
      loaded.touch()
      await wrapper.touch('a', loaded)
      assert.equal(proxy.sent('UpdateItem').length, updates)
    })
  }
})
