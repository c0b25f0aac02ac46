'use strict'

// Takes the screenshot of the README: `npm run demo:screenshots`. With a folder as its argument, it writes pictures of the
// whole page there instead, also of a phone and in dark mode. Needs the release addon and the local DynamoDB, as `npm run demo` builds them.

const { once } = require('node:events')
const path = require('node:path')
const { chromium } = require('playwright-core')
const { findChromium } = require('../../__test__/support/chromium')
const { startLocalDynamoDB } = require('../local-dynamodb')
const { createApp } = require('./app')
const { openStores } = require('./stores')

const DESKTOP = { viewport: { width: 1040, height: 930 } }
const PHONE = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true }
const [folder] = process.argv.slice(2)

async function serve() {
  const { endpoint } = await startLocalDynamoDB() // ends with this process
  const connection = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
  const stores = await openStores({ connection, table: 'session-demo' })
  await stores.store.createTable()
  const server = createApp({ ...stores, secret: 'for screenshots only' }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${server.address().port}`
}

async function takePicture(browser, url, { colorScheme, name, ...settings }) {
  const page = await browser.newPage({ ...settings, colorScheme, reducedMotion: 'reduce' })
  await page.goto(url)
  await page.locator('body[data-started]').waitFor()
  const target = path.join(folder ?? __dirname, `${name}-${colorScheme}.png`)
  await page.screenshot({ path: target, fullPage: Boolean(folder) })
  console.log(target)
  await page.close()
}

async function main() {
  const url = await serve()
  const browser = await chromium.launch({ args: ['--no-sandbox', '--disable-gpu'], ...(await findChromium()) })
  for (const colorScheme of folder ? ['light', 'dark'] : ['light']) {
    await takePicture(browser, url, { name: 'screenshot', colorScheme, ...DESKTOP })
    if (folder) await takePicture(browser, url, { name: 'phone', colorScheme, ...PHONE })
  }
  await browser.close()
  process.exit()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
