'use strict'

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { pathToFileURL } = require('node:url')
const { linkPackage } = require('../../examples')
const { root } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { Browser } = require('../support/browser')
const { post, skip, start, views } = require('../support/examples')
const { noResponse, passThrough } = require('../support/fault-proxy')
const { needs } = require('../support/features')

function settleable() {
  const parts = {}
  parts.promise = new Promise((resolve) => (parts.resolve = resolve))
  return parts
}

describe('the sessions of the Hono example', needs('proxy'), () => {
  const dynamodb = useDynamoDB()
  let Hono
  let sessions

  before(async () => {
    linkPackage()
    const folder = path.join(root, 'examples', 'hono')
    execFileSync(process.execPath, [require.resolve('typescript/bin/tsc')], { cwd: folder })
    ;({ Hono } = await import('hono'))
    ;({ sessions } = await import(pathToFileURL(path.join(folder, 'dist', 'session.js'))))
  })

  /** An app whose routes set fields, and whose requests can wait in between. */
  async function createApp({ secure = false, ...options } = {}) {
    const proxy = await dynamodb.proxy()
    const store = dynamodb.store({ endpoint: proxy.endpoint, ttl: 3600, ...options })
    const app = new Hono().use(sessions({ store, secure, maxAge: 7200 }))
    const gates = new Map()
    const gate = (name) => {
      if (!gates.has(name)) gates.set(name, settleable())
      return gates.get(name)
    }
    app.get('/', (c) => c.json(c.var.session.data))
    app.post('/login', async (c) => {
      await c.var.session.regenerate({ user: 'ann' })
      return c.json({})
    })
    app.post('/logout', async (c) => {
      await c.var.session.destroy()
      return c.json({})
    })
    app.post('/set/:name', (c) => {
      c.var.session.data[c.req.param('name')] = true
      return c.json({})
    })
    app.post('/slow/:name', async (c) => {
      gate('started').resolve()
      await gate('continue').promise
      c.var.session.data[c.req.param('name')] = true
      return c.json({})
    })
    app.post('/fail', (c) => {
      c.var.session.data.failed = true
      throw new Error('expected by this test')
    })
    app.onError((error, c) => c.json({ code: error.code }, error.retryable ? 503 : 500))

    const send = async (method, url, cookie) => {
      const response = await app.request(url, { method, headers: cookie ? { cookie } : {} })
      const [set] = response.headers.getSetCookie()
      return { status: response.status, body: await response.json(), set, cookie: set?.split(';')[0] }
    }
    return { proxy, store, send, gate, logIn: async () => (await send('POST', '/login')).cookie }
  }

  test('are not saved if they are empty, and have a cookie only after the first save', async () => {
    const { proxy, send } = await createApp()
    const visit = await send('GET', '/')
    assert.deepEqual([visit.status, visit.body, visit.set, proxy.operations], [200, {}, undefined, []])
    const { set } = await send('POST', '/set/theme')
    assert.match(set, /^session=[\w-]{43}; Max-Age=7200; Path=\/; HttpOnly; SameSite=Lax$/)
    assert.deepEqual(proxy.operations, ['PutItem'])
  })

  test('have a cookie of the host for HTTPS', async () => {
    const { send } = await createApp({ secure: true })
    const { set, cookie } = await send('POST', '/login')
    assert.match(set, /^__Host-session=[\w-]{43}; Max-Age=7200; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    assert.deepEqual((await send('GET', '/', cookie)).body, { user: 'ann' })
    assert.match((await send('POST', '/logout', cookie)).set, /^__Host-session=; Max-Age=0; Path=\/; .*Secure/)
  })

  test('never have an ID that the client chose', async () => {
    const { proxy, send } = await createApp()
    const planted = `session=${'a'.repeat(43)}`
    const { cookie } = await send('POST', '/set/theme', planted)
    assert.notEqual(cookie, planted)
    assert.deepEqual((await send('GET', '/', planted)).body, {})
    const { length } = proxy.operations
    for (const invalid of ['session=short', `session=${'%00'.repeat(43)}`]) await send('GET', '/', invalid)
    assert.equal(proxy.operations.length, length)
  })

  test('get a new ID at login and end at logout', async () => {
    const { send } = await createApp()
    const { cookie: visitor } = await send('POST', '/set/theme')
    const { cookie: user } = await send('POST', '/login', visitor)
    assert.notEqual(user, visitor)
    assert.deepEqual((await send('GET', '/', visitor)).body, {})
    assert.deepEqual((await send('GET', '/', user)).body, { user: 'ann' })
    assert.match((await send('POST', '/logout', user)).set, /^session=; Max-Age=0/)
    assert.deepEqual((await send('GET', '/', user)).body, {})
  })

  test('are written only if they have changed, or to extend them', async () => {
    for (const [touchAfter, operations] of [
      [undefined, ['PutItem', 'GetItem', 'GetItem']],
      [0, ['PutItem', 'GetItem', 'PutItem', 'GetItem', 'PutItem']]
    ]) {
      const { proxy, send, logIn } = await createApp({ touchAfter })
      const cookie = await logIn()
      for (let i = 0; i < 2; i++) await send('GET', '/', cookie)
      assert.deepEqual(proxy.operations, operations)
    }
  })

  test('keep the changes of parallel requests', async () => {
    const { send, gate, logIn, store } = await createApp()
    const cookie = await logIn()
    const slow = send('POST', '/slow/one', cookie)
    await gate('started').promise
    await send('POST', '/set/two', cookie)
    gate('continue').resolve()
    await slow
    assert.deepEqual((await send('GET', '/', cookie)).body, { user: 'ann', one: true, two: true })
    assert.equal(store.stats().merges, 1)
  })

  test('stay ended if a slow request saves one after the logout', async () => {
    const { send, gate, logIn, store } = await createApp()
    const cookie = await logIn()
    const slow = send('POST', '/slow/one', cookie)
    await gate('started').promise
    await send('POST', '/logout', cookie)
    gate('continue').resolve()
    assert.equal((await slow).status, 200)
    assert.deepEqual((await send('GET', '/', cookie)).body, {})
    assert.equal(store.stats().missing, 1)
  })

  test('are not saved if the handler fails', async () => {
    const { send, logIn } = await createApp()
    const cookie = await logIn()
    assert.equal((await send('POST', '/fail', cookie)).status, 500)
    assert.deepEqual((await send('GET', '/', cookie)).body, { user: 'ann' })
  })

  test('fail with a retryable error if the service does not respond, and keep the cookie', async () => {
    const { proxy, send, logIn } = await createApp({ timeout: 200 })
    const cookie = await logIn()
    proxy.on('GetItem', noResponse)
    const read = await send('GET', '/', cookie)
    assert.deepEqual([read.status, read.body.code, read.set], [503, 'TimeoutError', undefined])
    proxy.on('PutItem', noResponse)
    const write = await send('POST', '/set/theme')
    assert.deepEqual([write.status, write.body.code, write.set], [503, 'TimeoutError', undefined])
  })
})

describe('the Hono example', { skip }, () => {
  test('rejects a login from another site', async (t) => {
    const [url] = await start(t, 'hono')
    const logIn = (origin) =>
      fetch(`${url}/login`, {
        method: 'POST',
        headers: { origin, 'content-type': 'text/plain' },
        body: '{"user":"ann"}'
      })
    assert.equal((await logIn('https://example.com')).status, 403)
    assert.equal((await logIn(url)).status, 200)
  })
})

describe('the example with worker threads', { skip }, () => {
  const dynamodb = useDynamoDB({ exclusive: true })

  test('writes a report into the session while another request changes it', async (t) => {
    const proxy = await dynamodb.proxy()
    const { region, credentials } = dynamodb.connection
    const env = {
      ENDPOINT: proxy.endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey
    }
    const browser = new Browser((await start(t, 'worker-threads', { env }))[0])
    assert.equal((await browser.request('POST', '/login', { user: ['ann'] })).status, 400)
    await post(browser, '/login', { user: 'ann' })
    assert.equal((await browser.get('/report')).status, 404)

    const [started, released] = [settleable(), settleable()]
    const held = async (exchange) => {
      started.resolve()
      await released.promise
      await passThrough(exchange)
    }
    proxy.on('PutItem', held, 1)
    const report = post(browser, '/report')
    await started.promise
    assert.deepEqual(await views(browser), { user: 'ann', views: 1 })
    released.resolve()
    await report
    const { body } = await browser.get('/report')
    assert.match(body.checksum, /^[0-9a-f]{32}$/)
    assert.equal(body.views, 0)
    assert.deepEqual(await views(browser), { user: 'ann', views: 2 })
  })
})
