'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const readline = require('node:readline')
const { Browser } = require('./browser')
const { cleanEnvironment, root } = require('./child')
const { serverKind } = require('./server')

/** Why the tests of examples are skipped, or false. */
const skip =
  process.platform === 'win32'
    ? 'the test stops the examples by their process group'
    : serverKind !== 'embedded' && 'the examples start the embedded DynamoDB'

/** Runs an example as its README says, on a free port, until the test ends. Returns the URLs that it prints. */
async function start(t, name, { urls = 1, env, file } = {}) {
  const child = spawn('npm', ['run', 'example', '--', name, ...(file ? [file] : [])], {
    cwd: root,
    detached: true,
    env: { ...cleanEnvironment(), PORT: '0', AWS_EC2_METADATA_DISABLED: 'true', ...env }
  })
  const closed = once(child, 'close')
  t.after(() => {
    process.kill(-child.pid)
    return closed
  })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  const found = []
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const [, url] = /(?:^Listening on|- Local:) +(\S+)/.exec(line) ?? []
    if (url && found.push(url) === urls) return found
  }
  throw new Error(`${name} exited: ${errors}`)
}

async function post(browser, url, body) {
  const response = await browser.request('POST', url, body)
  assert.equal(response.status, 200, JSON.stringify(response.body))
  return response.body
}

const views = async (browser) => (await browser.get('/')).body

async function logsInAndOut(url, credentials = { user: 'ann' }) {
  // Browsers send it with each POST, and Hono rejects a POST without it and without JSON.
  const headers = { origin: url }
  const browser = new Browser(url, headers)
  assert.equal((await browser.get('/')).status, 401)
  assert.equal((await fetch(`${url}/login`, { method: 'POST', headers })).status, 400, 'a login without a user fails')
  assert.deepEqual(await post(browser, '/login', credentials), { user: 'ann' })
  assert.deepEqual(await views(browser), { user: 'ann', views: 1 })
  assert.deepEqual(await views(browser), { user: 'ann', views: 2 })

  const [name, known] = [...browser.cookies][0]
  await post(browser, '/login', credentials)
  assert.notEqual(browser.cookies.get(name), known, 'the login keeps the old session ID')

  const copy = browser.copy()
  await post(browser, '/logout')
  assert.equal((await copy.get('/')).status, 401, 'the session still exists after the logout')
}

module.exports = { logsInAndOut, post, skip, start, views }
