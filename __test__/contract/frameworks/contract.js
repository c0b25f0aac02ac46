'use strict'

const assert = require('node:assert/strict')
const { once, EventEmitter } = require('node:events')
const { describe, test } = require('node:test')
const { needs } = require('../../support/features')
const { Browser } = require('../../support/http')
const { nowInSeconds } = require('../../support/sessions')

const oneDay = 86_400

/** What a store owes to an app, whatever the framework: every test runs an app of its own. */
function contract({ name, abilities, start }, dynamodb) {
  const unless = (ability) => ({ skip: abilities[ability] ? false : `not in ${name}` })

  /** Starts an app on a store; the app ends with the test. */
  async function startApp(t, { storeOptions, store = dynamodb.store(storeOptions), ...options } = {}) {
    const app = await start({ store, storeOptions, ...options })
    t.after(() => app.close())
    return app
  }

  const newBrowser = async (t, options) => new Browser((await startApp(t, options)).url)

  async function loggedIn(t, options) {
    const browser = await newBrowser(t, options)
    await browser.post('/login?user=Ann')
    return { browser, id: await idOf(browser) }
  }

  const idOf = async (browser) => (await browser.get('/')).body.id

  function assertExpiresIn(item, seconds, slack = 2) {
    const left = Number(item.expires.N) - nowInSeconds()
    assert.ok(Math.abs(left - seconds) <= slack, `expires in ${left} s instead of ${seconds} s`)
  }

  describe(name, { concurrency: true }, () => {
    test('a visit that stores nothing writes nothing and sets no cookie', async (t) => {
      const browser = await newBrowser(t)
      const { status, body, setCookies } = await browser.get('/')
      assert.equal(status, 200)
      assert.deepEqual(body.session, {})
      assert.deepEqual(setCookies, [])
      assert.equal(await dynamodb.item(body.id), undefined)
    })

    test('saveUninitialized writes on the first visit', unless('saveUninitialized'), async (t) => {
      const browser = await newBrowser(t, { saveUninitialized: true })
      const { body } = await browser.get('/')
      assert.ok(await dynamodb.item(body.id))
      assert.equal(await idOf(browser), body.id)
    })

    test('a counter counts', async (t) => {
      const browser = await newBrowser(t)
      const first = await browser.get('/count')
      const second = await browser.get('/count')
      assert.deepEqual([first.body.views, second.body.views], [1, 2])
      assert.equal(first.body.id, second.body.id)
      assert.deepEqual((await browser.get('/')).body, { id: first.body.id, session: { views: 2 } })
    })

    test('the item lives as long as the cookie', async (t) => {
      const browser = await newBrowser(t, { maxAge: 1_000_000 })
      const { body } = await browser.get('/count')
      assertExpiresIn(await dynamodb.item(body.id), 1000, 12)
    })

    test('the session of a browser session lives one day', async (t) => {
      const browser = await newBrowser(t, { maxAge: null })
      const { body } = await browser.get('/count')
      assertExpiresIn(await dynamodb.item(body.id), oneDay)
      assert.equal((await browser.get('/count')).body.views, 2)
    })

    test('any text comes back', async (t) => {
      const value = {
        text: 'äöü 日本語 🚀 "quoted" \\ \u0000 \u2028 </script>',
        empty: '',
        list: [1, null, 0.1, -5e300]
      }
      const browser = await newBrowser(t)
      await browser.get(`/set?value=${encodeURIComponent(JSON.stringify(value))}`)
      assert.deepEqual((await browser.get('/')).body.session, { value })
    })

    test('login gives a new id, and the old item goes', async (t) => {
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

    test('logout removes the item, and the old cookie opens nothing', async (t) => {
      const { browser, id } = await loggedIn(t)
      const thief = browser.copy()
      assert.equal((await browser.post('/logout')).status, 200)
      assert.equal(await dynamodb.item(id), undefined)
      for (const visitor of [browser, thief]) assert.deepEqual((await visitor.get('/')).body.session, {})
      assert.equal(await dynamodb.item(id), undefined)
    })

    test('regenerate keeps the visitor under a new id', async (t) => {
      const { browser, id } = await loggedIn(t)
      assert.equal((await browser.post('/regenerate')).status, 200)
      assert.equal((await browser.get('/count')).body.views, 1)
      const { body } = await browser.get('/')
      assert.notEqual(body.id, id)
      assert.equal(body.session.user, abilities.keepsDataOnRegenerate ? 'Ann' : undefined)
      assert.equal(await dynamodb.item(id), undefined)
    })

    test('reload brings back what stands in the table', unless('reload'), async (t) => {
      const browser = await newBrowser(t)
      await browser.get('/count')
      assert.deepEqual((await browser.get('/reload')).body, { session: { views: 1 } })
    })

    test('rolling extends cookie and item on every request', async (t) => {
      const browser = await newBrowser(t, { rolling: true })
      const { body } = await browser.get('/count')
      await dynamodb.setExpires(body.id, nowInSeconds() + 5)
      const { setCookies } = await browser.get('/')
      assert.equal(setCookies.filter((text) => /; expires=/i.test(text)).length > 0, true)
      assertExpiresIn(await dynamodb.item(body.id), 60, 12)
    })

    test('an expired session is gone though its item is not swept', async (t) => {
      const { browser, id } = await loggedIn(t)
      await dynamodb.setExpires(id, nowInSeconds() - 1)
      const { status, body } = await browser.get('/')
      assert.equal(status, 200)
      assert.deepEqual(body.session, {})
      assert.notEqual(body.id, id)
      assert.ok(!(Number((await dynamodb.item(id))?.expires.N) > nowInSeconds()), 'the item was revived')
      assert.equal((await browser.get('/count')).body.views, 1)
    })

    test('reading moves the expiry and nothing else', unless('touch'), async (t) => {
      const { browser, id } = await loggedIn(t, { storeOptions: { touchAfter: 0 } })
      await dynamodb.setExpires(id, nowInSeconds() + 5)
      const before = await dynamodb.item(id)
      await browser.get('/')
      const after = await dynamodb.item(id)
      assertExpiresIn(after, 60)
      assert.deepEqual({ ...after, expires: before.expires }, before)
    })

    test('reading soon after writing costs no write', needs('proxy'), async (t) => {
      const proxy = await dynamodb.proxy()
      const { browser } = await loggedIn(t, { storeOptions: { endpoint: proxy.endpoint } })
      proxy.reset()
      await browser.get('/')
      await browser.get('/')
      assert.deepEqual(proxy.operations, ['GetItem', 'GetItem'])
    })

    test('unset removes the item', unless('unset'), async (t) => {
      const { browser, id } = await loggedIn(t, { unset: 'destroy' })
      assert.equal((await browser.post('/unset')).status, 200)
      assert.equal(await dynamodb.item(id), undefined)
      assert.deepEqual((await browser.get('/')).body.session, {})
    })

    test('parallel requests of one visitor all see the session', async (t) => {
      const { browser, id } = await loggedIn(t)
      const answers = await Promise.all(Array.from({ length: 20 }, () => browser.get('/')))
      for (const { status, body } of answers) assert.deepEqual([status, body.id, body.session.user], [200, id, 'Ann'])
    })

    test('parallel visitors get sessions of their own', async (t) => {
      const { url } = await startApp(t)
      const visitors = Array.from({ length: 20 }, () => new Browser(url))
      const visits = await Promise.all(visitors.map((visitor) => visitor.get('/count')))
      assert.equal(new Set(visits.map(({ body }) => body.id)).size, 20)
      const again = await Promise.all(visitors.map((visitor) => visitor.get('/count')))
      assert.deepEqual(new Set(again.map(({ body }) => body.views)), new Set([2]))
    })

    test('a slow read-only request does not undo a logout', async (t) => {
      const signals = new EventEmitter()
      const pause = () => {
        const opened = once(signals, 'open')
        signals.emit('waiting')
        return opened
      }
      const { browser, id } = await loggedIn(t, { storeOptions: { touchAfter: 0 }, pause })
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

    test('sessions outlive the app', async (t) => {
      const browser = await newBrowser(t)
      const { body } = await browser.get('/count')
      const restarted = browser.copy((await startApp(t)).url)
      assert.deepEqual((await restarted.get('/count')).body, { id: body.id, views: 2 })
    })

    test('apps with prefixes of their own share a table and nothing else', async (t) => {
      const one = await newBrowser(t, { storeOptions: { prefix: 'one:' } })
      const two = await newBrowser(t, { storeOptions: { prefix: 'two:' } })
      const [first, second] = await Promise.all([one.get('/count'), two.get('/count')])
      assert.deepEqual([first.body.views, second.body.views], [1, 1])
      assert.deepEqual((await one.copy(two.url).get('/')).body.session, {})
      assert.equal(await dynamodb.item(first.body.id, { prefix: 'two:' }), undefined)
      assert.ok(await dynamodb.item(first.body.id, { prefix: 'one:' }))
    })

    test('a store that fails is an error of the request', async (t) => {
      const { browser } = await loggedIn(t)
      const broken = await startApp(t, { storeOptions: { table: dynamodb.newTableName() } })
      const { status, body } = await browser.copy(broken.url).get('/')
      assert.deepEqual([status, body.error], [500, 'ResourceNotFoundException'])
    })
  })
}

module.exports = { contract }
