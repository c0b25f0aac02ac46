'use strict'

const assert = require('node:assert/strict')
const { execFileSync, spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const readline = require('node:readline')
const { describe, test } = require('node:test')
const { Browser } = require('../support/browser')
const { cleanEnvironment, root } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { skip, start } = require('../support/examples')
const { errorResponse } = require('../support/fault-behaviors')

const dynamodb = useDynamoDB({ exclusive: true })
const folder = path.join(root, 'examples', 'nextjs')

/** The settings of an app that connects to DynamoDB through a proxy. */
function settings({ endpoint }) {
  const { region, credentials } = dynamodb.connection
  return {
    NEXT_TELEMETRY_DISABLED: '1',
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    ENDPOINT: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey
  }
}

/** Presses a button of the page, with the hidden fields that Next.js adds to its form. */
async function press(browser, button, fields = {}, origin = browser.url) {
  const { body } = await browser.get('/')
  const form = [...body.matchAll(/<form.*?<\/form>/gs)].find(([form]) => form.includes(`<button>${button}</button>`))
  assert.ok(form, `no button "${button}" in ${body.slice(0, 2000)}`)
  const data = new FormData()
  for (const [input] of form[0].matchAll(/<input type="hidden"[^>]*>/g)) {
    const [name, value] = ['name', 'value'].map(
      (attribute) => new RegExp(` ${attribute}="(.*?)"`).exec(input)?.[1] ?? ''
    )
    data.set(name, value)
  }
  for (const [name, value] of Object.entries(fields)) data.set(name, value)
  return browser.submit('/', data, origin)
}

const logIn = (browser, user = 'ann') => press(browser, 'Log in', { user })
/** The visible text of the page. */
const textOf = async (browser) => {
  const { body } = await browser.get('/')
  const [, text] = /<body>(.*?)<script/s.exec(body)
  return text.replaceAll(/<!--.*?-->|<[^>]*>/gs, '')
}

describe('the Next.js example', { skip }, () => {
  test('lets a user log in, shares a store between pages and routes, and lets the user log out', async (t) => {
    const proxy = await dynamodb.proxy()
    const browser = new Browser((await start(t, 'nextjs', { env: settings(proxy) }))[0])
    assert.match(await textOf(browser), /Log in/)
    assert.equal((await browser.post('/api/session')).status, 401)
    assert.deepEqual([...browser.cookies], [])

    const { status, setCookies } = await logIn(browser)
    assert.equal(status, 303)
    assert.match(setCookies[0], /^session=[\w-]{43}; Path=\/; .*Max-Age=2592000; HttpOnly; SameSite=lax$/)
    assert.match(await textOf(browser), /ann: 0 views/)
    assert.deepEqual((await browser.post('/api/session')).body, { user: 'ann', views: 1 })
    assert.equal((await press(browser, 'Add a view')).status, 303)
    assert.match(await textOf(browser), /ann: 2 views/)
    assert.equal(proxy.mostConnections, 1)

    const copy = browser.copy()
    assert.equal((await press(copy, 'Log out', {}, 'http://127.0.0.1')).status, 500)
    assert.match(await textOf(browser), /ann: 2 views/)
    assert.equal((await press(browser, 'Log out')).status, 303)
    assert.match(await textOf(copy), /Log in/)
    await logIn(browser)
    assert.notEqual(browser.cookies.get('session'), copy.cookies.get('session'))
  })

  test('builds without type errors, and sends secure cookies in production', async (t) => {
    const proxy = await dynamodb.proxy()
    const env = { ...cleanEnvironment(), ...settings(proxy), PORT: '0' }
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: folder, env, stdio: 'pipe' })
    const child = spawn('npm', ['start', '--silent'], { cwd: folder, env, detached: true })
    t.after(async () => {
      process.kill(-child.pid)
      await once(child, 'exit')
    })
    let url
    for await (const line of readline.createInterface({ input: child.stdout })) {
      url = /- Local: +(\S+)/.exec(line)?.[1]
      if (url) break
    }
    const browser = new Browser(url)
    const { setCookies } = await logIn(browser)
    assert.match(
      setCookies[0],
      /^__Host-session=[\w-]{43}; Path=\/; .*Max-Age=2592000; Secure; HttpOnly; SameSite=lax$/
    )
    const { setCookies: deleted } = await press(browser.copy(), 'Log out')
    assert.match(deleted[0], /^__Host-session=; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; /)
    proxy.on('GetItem', errorResponse(500, 'InternalServerError'))
    assert.equal((await browser.post('/api/session')).status, 503)
  })
})
