'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const { chromium } = require('playwright-core')
const { createApp, lifetimeOf } = require('../../tools/demo/app')
const { useDynamoDB } = require('../support/dynamodb')
const { eventually } = require('../support/calls')
const { root } = require('../support/child')
const { Browser } = require('../support/browser')
const { errorResponse } = require('../support/fault-proxy')
const { needs } = require('../support/features')
const { nowInSeconds } = require('../support/sessions')

const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(fs.existsSync)
const skip = executablePath ? false : 'needs Chromium: install the Debian package chromium, or set CHROMIUM to its path'
const screenshots = path.join(root, 'target', 'screenshots')
const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
const args =
  '--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

const dynamodb = useDynamoDB()
const servers = []
after(() => servers.forEach((server) => server.close().closeAllConnections()))

/** Starts the demo app, and returns its URL. */
async function serve(options) {
  const stores = {
    store: dynamodb.store({ ttl: lifetimeOf, ...options }),
    overwritingStore: dynamodb.store({ ttl: lifetimeOf, onConflict: 'overwrite' })
  }
  const client = new DynamoDBClient(dynamodb.connection)
  const app = createApp({ ...stores, client, table: dynamodb.table, secret: 'a secret of the tests' })
  const server = app.listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${server.address().port}`
}

/** Runs in the page: the elements that overflow the content box of their section. */
function overflowing() {
  const sections = [...document.querySelectorAll('section')]
  return sections.flatMap((section) => {
    const edge = section.getBoundingClientRect().right - parseFloat(getComputedStyle(section).paddingRight)
    const overflows = (element) =>
      element.getBoundingClientRect().right > edge ||
      (element.clientWidth > 0 && element.scrollWidth > element.clientWidth)
    return [...section.querySelectorAll('*')].filter(overflows).map(({ outerHTML }) => outerHTML)
  })
}

test('the demo loses one of two parallel changes with overwriting, and none with merging', async () => {
  const user = new Browser(await serve())
  await user.request('POST', '/shop/login', { name: 'Ann', lifetime: 3600 })

  /** Changes both preferences at once, and resolves to those that the table has then. */
  async function race(shop, theme, language) {
    const changes = Object.entries({ theme, language })
    const post = ([name, value]) => user.request('POST', `/${shop}/preference`, { name, value })
    for (const { status } of await Promise.all(changes.map(post))) assert.equal(status, 200)
    const session = JSON.parse((await user.get('/inspect')).body.item.sess.S)
    return changes.filter(([name, value]) => session[name] === value).map(([name]) => name)
  }

  // If one request happens to end before the other one starts, nothing is lost.
  await eventually(async () => {
    const kept = await race('overwriting-shop', 'dark', 'German')
    assert.deepEqual(await race('shop', 'light', 'English'), ['theme', 'language'])
    return kept.length === 1
  })
})

describe('the demo in a browser', { skip }, () => {
  const userDataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'dynamodb-session-browser-'))
  let url, browser

  before(async () => {
    url = await serve()
    browser = await chromium.launchPersistentContext(userDataDir, {
      executablePath,
      headless: true,
      args: ['--no-sandbox', ...args.split(' ')]
    })
  })
  after(async () => {
    const closing = browser?.close()
    await closing
    fs.rmSync(userDataDir, { recursive: true, force: true })
  })

  /** A separate browser context, which is closed when the test ends. */
  async function visitor(t, settings) {
    const context = await browser.browser().newContext(settings)
    t.after(() => context.close())
    context.setDefaultTimeout(10_000)
    return context
  }

  /** Opens the page. An uncaught error in the page fails the test. */
  async function open(t, context, address = url) {
    const page = await context.newPage()
    page.on('pageerror', (error) => t.after(() => assert.fail(error)))
    await page.goto(address)
    await page.getByText('Open this page: no request').or(page.getByText('Open this page: GetItem')).waitFor()
    return page
  }

  async function logIn(page, name = 'Ann') {
    await page.getByLabel('Your name').fill(name)
    await page.getByRole('button', { name: 'Log in' }).click()
    await says(page, `Hello, ${name}.`)
  }

  const says = (page, text) => page.locator('#greeting', { hasText: text }).waitFor()
  const press = (page, name) => page.getByRole('button', { name }).click()
  const picture = (page, name) => page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true })

  const sidOf = async (context) => {
    const [{ value }] = await context.cookies()
    return decodeURIComponent(value).slice(2).split('.')[0]
  }

  for (const [device, settings] of [
    ['a wide window', { viewport: { width: 1280, height: 900 } }],
    ['a phone', phone]
  ]) {
    test(`lets a user log in, fill the cart, see the session expire, and log out, in ${device}`, async (t) => {
      const context = await visitor(t, settings)
      const page = await open(t, context)
      const name = device.split(' ').at(-1)
      await picture(page, `${name}-1-opened`)
      await logIn(page)
      await press(page, /^Coffee/)
      await says(page, '1 item in your cart')
      await press(page, /^Pears/)
      await says(page, '2 items in your cart')
      const sid = await sidOf(context)
      assert.deepEqual(JSON.parse((await dynamodb.item(sid)).sess.S).cart, { coffee: 1, pears: 1 })
      await picture(page, `${name}-2-cart`)
      const width = (property) => page.evaluate(`document.documentElement.${property}`)
      assert.equal(await width('scrollWidth'), await width('clientWidth'), 'the page is wider than the window')
      assert.deepEqual(await page.evaluate(overflowing), [], 'these elements overflow')

      await dynamodb.setExpires(sid, nowInSeconds() - 5)
      await page.locator('#clock.over').waitFor()
      await picture(page, `${name}-3-expired`)
      await press(page, 'View the page')
      await says(page, 'You are not logged in.')
      assert.match(await page.locator('#says').textContent(), /The session has expired/)

      await logIn(page)
      const second = await sidOf(context)
      assert.notEqual(second, sid)
      await press(page, 'Log out')
      await says(page, 'You are not logged in.')
      assert.equal(await dynamodb.item(second), undefined)
      assert.deepEqual(await context.cookies(), [])
      await picture(page, `${name}-4-logged-out`)
    })
  }

  test('shows which changes of parallel requests are lost', async (t) => {
    const page = await open(t, await visitor(t, phone))
    await logIn(page)
    await press(page, 'Race with merging')
    await page.getByText('Both changes are in the item').waitFor()
    await press(page, 'Race with overwriting')
    await page.getByText(/The change of the (theme|language) is lost/).waitFor()
    assert.deepEqual(await page.evaluate(overflowing), [], 'these elements overflow')
    await picture(page, 'phone-5-races')
  })

  test('shows long names and names that look like markup', async (t) => {
    const page = await open(t, await visitor(t, phone))
    for (const name of ['W'.repeat(40), '<b>Ann</b> & "Bob"']) {
      await logIn(page, name)
      assert.deepEqual(await page.evaluate(overflowing), [], 'these elements overflow')
      await press(page, 'Log out')
      await says(page, 'You are not logged in.')
    }
  })

  test('reports a failed request, and completes no step', needs('proxy'), async (t) => {
    const proxy = await dynamodb.proxy()
    const page = await open(t, await visitor(t), await serve({ endpoint: proxy.endpoint }))
    await logIn(page)
    proxy.on('GetItem', errorResponse(400, 'AccessDeniedException'))
    await press(page, 'View the page')
    await page.getByText('The request to DynamoDB failed').waitFor()
    assert.equal(await page.locator('li.done').count(), 1)
  })

  test('shares a session between the tabs of one browser, and not with another browser', async (t) => {
    const context = await visitor(t)
    const [one, two] = [await open(t, context), await open(t, context)]
    await logIn(one)
    await press(two, 'View the page')
    await says(two, 'Hello, Ann.')
    await press(two, /^Bread/)
    await says(two, '1 item in your cart')
    await one.getByText('The item has changed, perhaps in another tab').waitFor()
    await press(one, 'View the page')
    await says(one, '1 item in your cart')

    const other = await open(t, await visitor(t))
    await says(other, 'You are not logged in.')

    await press(one, 'Log out')
    await says(one, 'You are not logged in.')
    await press(two, /^Bread/)
    await says(two, 'You are not logged in.')
  })
})
