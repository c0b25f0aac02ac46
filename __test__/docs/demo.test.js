'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { after, before, describe, test } = require('node:test')
const { chromium } = require('playwright-core')
const { createApp } = require('../../tools/demo/app')
const { openStores } = require('../../tools/demo/stores')
const { findChromium, hasChromium } = require('../support/chromium')
const { useDynamoDB } = require('../support/dynamodb')
const { Browser } = require('../support/browser')
const { needs } = require('../support/features')

const OURS = 'dynamodb-session'
const THEIRS = 'connect-dynamodb'
const TIMEOUT_MS = 30_000 // for a slow machine; no test waits this long otherwise

const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
const skip = hasChromium ? false : 'needs Chromium: install it, or set CHROMIUM to its path'

const dynamodb = useDynamoDB()

/** Starts the demo on a table of its own. */
async function startDemo() {
  const stores = await openStores({ connection: dynamodb.connection, table: dynamodb.newTableName() })
  await stores.store.createTable()
  const server = createApp({ ...stores, secret: 'a secret of the tests' }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.close().closeAllConnections()
      await stores.close()
    }
  }
}

describe('the demo', needs('proxy'), () => {
  let demo

  before(async () => {
    demo = await startDemo()
  })
  after(() => demo?.close())

  test('measures a lower bill for this store than for connect-dynamodb', async () => {
    const { body } = await new Browser(demo.url).get('/bill')
    const [ours, theirs, saving] = body.stores.map(({ perMillion }) => perMillion)
    assert.ok(saving > 0 && saving < ours && ours < theirs, JSON.stringify(body.stores))
  })

  describe('in a browser', { skip }, () => {
    let browser

    before(async () => {
      browser = await chromium.launch({ args: ['--no-sandbox', '--disable-gpu'], ...(await findChromium()) })
    })
    after(() => browser?.close())

    /** Opens the page as a new visitor, and waits for its first visit. An error in the page fails the test. */
    async function open(t, settings) {
      const context = await browser.newContext({ reducedMotion: 'reduce', ...settings })
      t.after(() => context.close())
      context.setDefaultTimeout(TIMEOUT_MS)
      const page = await context.newPage()
      page.errors = []
      page.on('pageerror', (error) => page.errors.push(error.message))
      page.on('console', (message) => message.type() === 'error' && page.errors.push(message.text()))
      await page.goto(demo.url)
      await page.locator('body[data-started]').waitFor()
      return page
    }

    const press = (page, name) => page.getByRole('button', { name, exact: true }).click()
    const newestClick = (page, title) =>
      page.locator('#clicks > :first-child', { has: page.getByText(title, { exact: true }) })
    const requestsIn = (cell) => cell.locator('.requests li').allTextContents()

    test('shows something in every card when it opens, and the plain and the encrypted item, without errors', async (t) => {
      const page = await open(t)
      for (const content of [
        '#clicks > li',
        '#lanes .chip',
        '#bars li',
        '#outage .strip .good',
        '#chart .ours',
        '#plain-item > div',
        '#encrypted-item > div',
        '#devices li'
      ]) {
        assert.ok((await page.locator(content).count()) >= 1, content)
      }
      assert.doesNotMatch(await page.locator('.tiles').innerText(), /–/)

      const [plain, encrypted] = await Promise.all(
        ['#plain-item', '#encrypted-item'].map((item) => page.locator(item).textContent())
      )
      const cookies = await page.context().cookies()
      const sid = decodeURIComponent(cookies.find(({ name }) => name === `demo-${OURS}`).value).split(/[:.]/)[1]
      assert.ok(plain.includes(sid) && plain.includes('"Ann"'), plain)
      assert.ok(!encrypted.includes(sid) && !encrypted.includes('Ann') && !encrypted.includes('ann-'), encrypted)
      assert.match(encrypted, /sess binary/)
      assert.deepEqual(page.errors, [])
    })

    test('shows the requests of a click for both stores, with their costs', async (t) => {
      const page = await open(t)
      await press(page, 'Add coffee')
      const added = newestClick(page, 'Add coffee to the cart')
      await added.waitFor()
      for (const side of ['.ours', '.theirs']) {
        const [get, put] = await requestsIn(added.locator(side))
        assert.match(get, /^GetItem 1 read · [\d.]+\sms$/)
        assert.match(put, /^PutItem 1 write · [\d.]+\sms$/)
        assert.match(await added.locator(`${side} .price`).textContent(), /^\$0\.75/)
      }
      await page.getByText('3 × coffee').waitFor()

      await press(page, 'View a page')
      const viewed = newestClick(page, 'View a page')
      await viewed.waitFor()
      const operations = async (side) => (await requestsIn(viewed.locator(side))).map((text) => text.split(' ')[0])
      assert.deepEqual(await operations('.ours'), ['GetItem'])
      assert.deepEqual(await operations('.theirs'), ['GetItem', 'UpdateItem'])
    })

    test('merges the changes of a race with this store, and loses one with connect-dynamodb', async (t) => {
      const page = await open(t)
      const lane = (store) => page.locator('.lane', { has: page.getByText(store, { exact: true }) })
      for (let round = 2; round <= 3; round++) {
        await press(page, 'Race again')
        await lane(OURS)
          .getByText(`${round - 1} × tea → ${round} × tea`)
          .waitFor()
        assert.deepEqual(await lane(OURS).locator('.changes b').allTextContents(), ['kept', 'kept'])
        assert.equal(await lane(THEIRS).locator('.lost').count(), 1)
      }
    })

    test('lists devices, and logs all of them out', async (t) => {
      const page = await open(t)
      const devices = page.locator('#devices li', { hasText: 'since' })
      assert.equal(await devices.count(), 3)
      await press(page, 'Log in on one more device')
      await devices.nth(3).waitFor()
      await press(page, 'Log out all others')
      await page.getByText('3 sessions ended, this one is left.').first().waitFor()
      assert.match(await devices.allTextContents().then(String), /^Laptop.*this browser$/)
      await press(page, 'Log out everywhere')
      await page.getByText('1 session ended, this one too.').first().waitFor()
      await press(page, 'View a page')
      await page.locator('#greeting', { hasText: 'Nobody is logged in.' }).waitFor()

      await press(page, 'Log in')
      await page.getByText('Ann is logged in.').waitFor()
      assert.deepEqual(page.errors, [])
    })

    test('shows a failed connection and the recovery', async (t) => {
      const page = await open(t)
      const connection = page.getByRole('switch', { name: 'Connection to DynamoDB' })
      const now = (row, text) => page.locator(`[data-now=${row}]`, { hasText: text }).waitFor()
      await connection.click()
      await now('ready', '503 not ready')
      await now(OURS, '200 without a session')
      await now(THEIRS, '503 ECONNREFUSED')
      await page.locator('#outage-note', { hasText: 'NetworkError' }).waitFor()
      assert.equal(await connection.getAttribute('aria-checked'), 'false')

      await connection.click()
      await page.locator('#outage-note', { hasText: /^Recovered [\d.]+ s after/ }).waitFor()
      for (const store of [OURS, THEIRS]) await now(store, '200 with its session')
      const unexpected = page.errors.filter((text) => !text.includes('status of 503'))
      assert.deepEqual(unexpected, [])
    })

    test('fits a phone, and follows dark mode', async (t) => {
      const page = await open(t, { ...phone, colorScheme: 'dark' })
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      const dark = await background()
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), phone.viewport.width)
      assert.deepEqual(await page.evaluate(overflowing), [], 'these elements overflow')
      await page.emulateMedia({ colorScheme: 'light' })
      const light = await background()
      assert.ok(brightness(dark) < 64 && brightness(light) > 192, `${dark} and ${light}`)
    })
  })
})

/** Runs in the page: the elements that overflow the content box of their section. */
function overflowing() {
  const sections = [...document.querySelectorAll('section, header')]
  return sections.flatMap((section) => {
    const edge = section.getBoundingClientRect().right - parseFloat(getComputedStyle(section).paddingRight)
    const overflows = (element) => element.getBoundingClientRect().right > edge + 1 && !element.closest('svg, .unseen')
    return [...section.querySelectorAll('*')].filter(overflows).map(({ outerHTML }) => outerHTML)
  })
}

function brightness(color) {
  const [red, green, blue] = color.match(/\d+/g).map(Number)
  return (red + green + blue) / 3
}
