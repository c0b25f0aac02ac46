'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const readline = require('node:readline')
const { describe, test } = require('node:test')
const { devDependencies } = require('../../package.json')
const { cleanEnvironment, root } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { Browser } = require('../support/browser')
const { serverKind } = require('../support/server')

const folder = path.join(root, 'examples')
const names = fs.readdirSync(folder).filter((name) => fs.existsSync(path.join(folder, name, 'package.json')))
const skip =
  process.platform === 'win32'
    ? 'the test stops the examples by their process group'
    : serverKind !== 'embedded' && 'the examples start the embedded DynamoDB'

/** Runs an example as its README says, on a free port, until the test ends. Returns the URLs that it prints. */
async function start(t, name, { urls = 1, env } = {}) {
  const child = spawn('npm', ['run', 'example', '--', name], {
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
    const [, url] = /^Listening on (\S+)/.exec(line) ?? []
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
  const browser = new Browser(url)
  assert.equal((await browser.get('/')).status, 401)
  assert.equal((await fetch(`${url}/login`, { method: 'POST' })).status, 400, 'a login without a user fails')
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

describe('the example', { skip, concurrency: 2 }, () => {
  for (const name of names.filter((name) => !['migration', 'passport'].includes(name))) {
    test(`${name} lets a user log in, keeps the session, and lets the user log out`, async (t) => {
      const [url] = await start(t, name)
      await logsInAndOut(url)
    })
  }

  test('passport accepts only the right password', async (t) => {
    const [url] = await start(t, 'passport')
    const wrong = await fetch(`${url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ann', password: 'wrong' })
    })
    assert.equal(wrong.status, 401)
    await logsInAndOut(url, { username: 'ann', password: 'secret' })
  })

  test('migration keeps the session when switching packages, in both directions', async (t) => {
    const [before, after] = await start(t, 'migration', { urls: 2 })
    const old = new Browser(before)
    await post(old, '/login', { user: 'ann' })
    assert.deepEqual(await views(old), { user: 'ann', views: 1 })
    const next = old.copy(after)
    assert.deepEqual(await views(next), { user: 'ann', views: 2 })
    assert.deepEqual(await views(old), { user: 'ann', views: 3 })
    await post(next, '/logout')
    assert.equal((await old.get('/')).status, 401)
  })
})

describe('the examples', { skip }, () => {
  const dynamodb = useDynamoDB()

  test('use the DynamoDB at ENDPOINT', async (t) => {
    const { endpoint, region, credentials } = dynamodb.connection
    const [url] = await start(t, 'express', {
      env: {
        ENDPOINT: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey
      }
    })
    await post(new Browser(url), '/login', { user: 'ann' })
    const [item] = await dynamodb.raw.items('sessions')
    assert.equal(JSON.parse(item.sess.S).user, 'ann')
  })

  test('are listed if the given name is unknown', async (t) => {
    await assert.rejects(start(t, 'expres'), /Names: express, express-typescript, fastify, /)
  })

  test('report that a port is in use', async (t) => {
    const server = http.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const PORT = `${server.address().port}`
    for (const name of ['express', 'koa']) {
      await assert.rejects(start(t, name, { env: { PORT } }), ({ message }) => {
        assert.match(message, new RegExp(`Port ${PORT} is in use\\. Set PORT to another port`))
        assert.doesNotMatch(message, /^ +at /m)
        return true
      })
    }
  })

  for (const name of names) {
    test(`${name} depends on the package versions that it is tested with`, () => {
      const { dependencies, devDependencies: tools } = require(path.join(folder, name, 'package.json'))
      for (const [dependency, range] of Object.entries({ ...dependencies, ...tools })) {
        assert.equal(range, dependency === 'dynamodb-session' ? '*' : devDependencies[dependency], dependency)
      }
    })
  }
})
