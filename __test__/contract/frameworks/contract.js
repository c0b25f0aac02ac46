'use strict'

const assert = require('node:assert/strict')
const { once, EventEmitter } = require('node:events')
const { describe, test } = require('node:test')
const { needs } = require('../../support/features')
const { Browser } = require('../../support/browser')
const { nowInSeconds } = require('../../support/sessions')

const oneDay = 86_400

/** Defines the tests that a store must pass in an app of any framework. Each test starts its own app. */
function contract({ name, abilities, start }, dynamodb) {
  const unless = (ability) => ({ skip: abilities[ability] ? false : `not in ${name}` })

  /** Starts an app that uses a store. The app is closed when the test ends. */
  async function startApp(t, { storeOptions, store = dynamodb.store(storeOptions), ...options } = {}) {
    const app = await start({ store, storeOptions, ...options })
    t.after(() => app.close())
    return app
  }

  const newBrowser = async (t, options) => new Browser((await startApp(t, options)).url)

  async function logIn(t, options) {
    const browser = await newBrowser(t, options)
    await browser.post('/login?user=Ann')
    return { browser, id: await idOf(browser) }
  }

  const idOf = async (browser) => (await browser.get('/')).body.id

  /** Allows for the time between the write and this call on a busy machine. */
  function assertExpiresIn(item, seconds) {
    const secondsLeft = Number(item.expires.N) - nowInSeconds()
    assert.ok(Math.abs(secondsLeft - seconds) <= 12, `the item expires in ${secondsLeft} s instead of ${seconds} s`)
  }

  describe(name, { concurrency: true }, () => {
    test('a visit that does not use the session writes no item and sets no cookie', async (t) => {
      const browser = await newBrowser(t)
      const { status, body, setCookies } = await browser.get('/')
      assert.equal(status, 200)
      assert.deepEqual(body.session, {})
      assert.deepEqual(setCookies, [])
      assert.equal(await dynamodb.item(body.id), undefined)
    })

    test('saveUninitialized writes an item on the first visit', unless('saveUninitialized'), async (t) => {
      const browser = await newBrowser(t, { saveUninitialized: true })
      const { body } = await browser.get('/')
      assert.ok(await dynamodb.item(body.id))
      assert.equal(await idOf(browser), body.id)
    })

    test('a counter in the session counts the visits', async (t) => {
      const browser = await newBrowser(t)
      const first = await browser.get('/count')
      const second = await browser.get('/count')
      assert.deepEqual([first.body.views, second.body.views], [1, 2])
      assert.equal(first.body.id, second.body.id)
      assert.deepEqual((await browser.get('/')).body, { id: first.body.id, session: { views: 2 } })
    })

    test('the item expires with the cookie', async (t) => {
      const browser = await newBrowser(t, { maxAge: 1_000_000 })
      const { body } = await browser.get('/count')
      assertExpiresIn(await dynamodb.item(body.id), 1000)
    })

    test('the item of a session cookie expires after one day', async (t) => {
      const browser = await newBrowser(t, { maxAge: null })
      const { body } = await browser.get('/count')
      assertExpiresIn(await dynamodb.item(body.id), oneDay)
      assert.equal((await browser.get('/count')).body.views, 2)
    })

    test('special characters and values are read back', async (t) => {
      const value = {
        text: 'äöü 日本語 🚀 "quoted" \\ \u0000 \u2028 </script>',
        empty: '',
        list: [1, null, 0.1, -5e300]
      }
      const browser = await newBrowser(t)
      await browser.get(`/set?value=${encodeURIComponent(JSON.stringify(value))}`)
      assert.deepEqual((await browser.get('/')).body.session, { value })
    })

    test('login assigns a new ID and deletes the old item', async (t) => {
      const browser = await newBrowser(t)
      const before = (await browser.get('/count')).body.id
      const old = browser.copy()
      assert.equal((await browser.post('/login?user=Ann')).status, 200)
      const { body } = await browser.get('/')
      assert.notEqual(body.id, before)
      assert.equal(body.session.user, 'Ann')
      assert.equal(await dynamodb.item(before), undefined)
      assert.deepEqual((await old.get('/')).body.session, {})
    })

    test('logout deletes the item, and the old cookie has no session', async (t) => {
      const { browser, id } = await logIn(t)
      const thief = browser.copy()
      assert.equal((await browser.post('/logout')).status, 200)
      assert.equal(await dynamodb.item(id), undefined)
      for (const visitor of [browser, thief]) assert.deepEqual((await visitor.get('/')).body.session, {})
      assert.equal(await dynamodb.item(id), undefined)
    })

    test('regenerate assigns a new ID and deletes the old item', async (t) => {
      const { browser, id } = await logIn(t)
      assert.equal((await browser.post('/regenerate')).status, 200)
      assert.equal((await browser.get('/count')).body.views, 1)
      const { body } = await browser.get('/')
      assert.notEqual(body.id, id)
      assert.equal(body.session.user, abilities.keepsDataOnRegenerate ? 'Ann' : undefined)
      assert.equal(await dynamodb.item(id), undefined)
    })

    test('reload restores the session from the table', unless('reload'), async (t) => {
      const browser = await newBrowser(t)
      await browser.get('/count')
      assert.deepEqual((await browser.get('/reload')).body, { session: { views: 1 } })
    })

    test('rolling extends the cookie and the item on every request', async (t) => {
      const browser = await newBrowser(t, { rolling: true })
      const { body } = await browser.get('/count')
      await dynamodb.setExpires(body.id, nowInSeconds() + 20)
      const { setCookies } = await browser.get('/')
      assert.equal(setCookies.filter((text) => /; expires=/i.test(text)).length > 0, true)
      assertExpiresIn(await dynamodb.item(body.id), 60)
    })

    test('an expired session is not loaded although its item still exists', async (t) => {
      const { browser, id } = await logIn(t)
      await dynamodb.setExpires(id, nowInSeconds() - 1)
      const { status, body } = await browser.get('/')
      assert.equal(status, 200)
      assert.deepEqual(body.session, {})
      assert.notEqual(body.id, id)
      assert.ok(!(Number((await dynamodb.item(id))?.expires.N) > nowInSeconds()), 'the item was revived')
      assert.equal((await browser.get('/count')).body.views, 1)
    })

    test('a request that only reads the session updates only the expiry', unless('touch'), async (t) => {
      const { browser, id } = await logIn(t, { storeOptions: { touchAfter: 0 } })
      await dynamodb.setExpires(id, nowInSeconds() + 20)
      const before = await dynamodb.item(id)
      await browser.get('/')
      const after = await dynamodb.item(id)
      assertExpiresIn(after, 60)
      assert.deepEqual({ ...after, expires: before.expires }, before)
    })

    test('a request that reads the session soon after a write sends no write', needs('proxy'), async (t) => {
      const proxy = await dynamodb.proxy()
      const { browser } = await logIn(t, { storeOptions: { endpoint: proxy.endpoint } })
      proxy.reset()
      await browser.get('/')
      await browser.get('/')
      assert.deepEqual(proxy.operations, ['GetItem', 'GetItem'])
    })

    test('unset deletes the item', unless('unset'), async (t) => {
      const { browser, id } = await logIn(t, { unset: 'destroy' })
      assert.equal((await browser.post('/unset')).status, 200)
      assert.equal(await dynamodb.item(id), undefined)
      assert.deepEqual((await browser.get('/')).body.session, {})
    })

    test('20 concurrent requests of one visitor all see the session', async (t) => {
      const { browser, id } = await logIn(t)
      const responses = await Promise.all(Array.from({ length: 20 }, () => browser.get('/')))
      for (const { status, body } of responses) assert.deepEqual([status, body.id, body.session.user], [200, id, 'Ann'])
    })

    test('20 concurrent visitors each get their own session', async (t) => {
      const { url } = await startApp(t)
      const visitors = Array.from({ length: 20 }, () => new Browser(url))
      const visits = await Promise.all(visitors.map((visitor) => visitor.get('/count')))
      assert.equal(new Set(visits.map(({ body }) => body.id)).size, 20)
      const second = await Promise.all(visitors.map((visitor) => visitor.get('/count')))
      assert.deepEqual(new Set(second.map(({ body }) => body.views)), new Set([2]))
    })

    test('a slow read-only request does not undo a logout', async (t) => {
      const signals = new EventEmitter()
      const pause = () => {
        const opened = once(signals, 'open')
        signals.emit('waiting')
        return opened
      }
      const { browser, id } = await logIn(t, { storeOptions: { touchAfter: 0 }, pause })
      const waiting = once(signals, 'waiting')
      const slow = browser.copy().get('/wait')
      await waiting
      await browser.post('/logout')
      signals.emit('open')
      const { status, body } = await slow
      assert.equal(status, 200)
      assert.equal(body.session.user, 'Ann')
      assert.equal(await dynamodb.item(id), undefined)
    })

    test('sessions survive a restart of the app', async (t) => {
      const browser = await newBrowser(t)
      const { body } = await browser.get('/count')
      const restarted = browser.copy((await startApp(t)).url)
      assert.deepEqual((await restarted.get('/count')).body, { id: body.id, views: 2 })
    })

    test('apps with different prefixes share a table without sharing sessions', async (t) => {
      const one = await newBrowser(t, { storeOptions: { prefix: 'one:' } })
      const two = await newBrowser(t, { storeOptions: { prefix: 'two:' } })
      const [first, second] = await Promise.all([one.get('/count'), two.get('/count')])
      assert.deepEqual([first.body.views, second.body.views], [1, 1])
      assert.deepEqual((await one.copy(two.url).get('/')).body.session, {})
      assert.equal(await dynamodb.item(first.body.id, { prefix: 'two:' }), undefined)
      assert.ok(await dynamodb.item(first.body.id, { prefix: 'one:' }))
    })

    test('a failed operation of the store makes the request fail with status 500', async (t) => {
      const { browser } = await logIn(t)
      const broken = await startApp(t, { storeOptions: { table: dynamodb.newTableName() } })
      const { status, body } = await browser.copy(broken.url).get('/')
      assert.deepEqual([status, body.error], [500, 'ResourceNotFoundException'])
    })
  })
}

module.exports = { contract }
