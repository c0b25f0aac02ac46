'use strict'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { describe, test } = require('node:test')
const { linkPackage } = require('../../examples')
const { devDependencies } = require('../../package.json')
const { eventually } = require('../support/calls')
const { root } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { Browser } = require('../support/browser')
const { logsInAndOut, post, skip, start, views } = require('../support/examples')
const { needs } = require('../support/features')

const folder = path.join(root, 'examples')
const names = fs.readdirSync(folder).filter((name) => fs.existsSync(path.join(folder, name, 'package.json')))

describe('the example', { skip, concurrency: 2 }, () => {
  for (const name of names.filter((name) => !['devices', 'migration', 'nextjs', 'passport'].includes(name))) {
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

describe('the example of a devices page', { skip }, () => {
  const agents = {
    laptop: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    phone:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1',
    script: '<b>"curl"</b> & more'
  }
  const name = '<i>Ann</i>'
  const open = (url, agent) => new Browser(url, { 'user-agent': agent })
  const submit = async (browser, ...form) => assert.equal((await browser.submit(...form)).status, 303)
  const isLoggedIn = async (browser) => /Your devices/.test((await browser.get('/')).body)

  /** The rows of the page. */
  async function devices(browser) {
    const { body } = await browser.get('/')
    return [...body.matchAll(/<li>(.*?)<\/li>/gs)].map(([, row]) => ({
      text: row
        .replaceAll(/<[^>]*>/g, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
      device: /name="device" value="(.*?)"/.exec(row)?.[1]
    }))
  }

  /** Starts the app with a user who is logged in with each agent, and with another user. */
  async function startWithUsers(t) {
    const [url] = await start(t, 'devices')
    const browsers = Object.entries(agents).map(([key, agent]) => [key, open(url, agent)])
    for (const [, browser] of browsers) await submit(browser, '/login', { user: name })
    const other = open(url, agents.phone)
    await submit(other, '/login', { user: 'bob' })
    return { ...Object.fromEntries(browsers), other }
  }

  test('lists the sessions of the user, without their IDs and without markup from outside', async (t) => {
    const users = await startWithUsers(t)
    const rows = await devices(users.laptop)
    const time = /Logged in \w{3} \d+, \d{4}, \d+:\d+.[AP]M UTC Log out$/
    for (const { text } of rows) assert.match(text, time)
    assert.deepEqual(
      rows.map(({ text }) => text.replace(time, '').trim()),
      ['Firefox on Linux This device', '&#60;b&#62;&#34;curl&#34;&#60;/b&#62; &#38; more', 'Safari on iPhone']
    )
    const { body } = await users.laptop.get('/')
    assert.match(body, /Logged in as &#60;i&#62;Ann&#60;\/i&#62;</)
    for (const { cookies } of Object.values(users)) {
      const [sid] = decodeURIComponent(cookies.get('connect.sid')).slice(2).split('.')
      assert.ok(!body.includes(sid))
    }
    assert.equal((await devices(users.other)).length, 1)
  })

  test('logs out one device, and only of the same user', async (t) => {
    const { laptop, phone, script, other } = await startWithUsers(t)
    const [, , { device }] = await devices(laptop)
    await submit(other, '/logout/device', { device })
    assert.ok(await isLoggedIn(phone))
    await submit(laptop, '/logout/device', { device })
    assert.deepEqual(await Promise.all([laptop, phone, script, other].map(isLoggedIn)), [true, false, true, true])
    await submit(laptop, '/logout')
    assert.deepEqual(await Promise.all([laptop, script].map(isLoggedIn)), [false, true])
  })

  test('logs out everywhere else', async (t) => {
    const { laptop, phone, script, other } = await startWithUsers(t)
    await submit(laptop, '/logout/others')
    assert.deepEqual(await Promise.all([laptop, phone, script, other].map(isLoggedIn)), [true, false, false, true])
    assert.equal((await devices(laptop)).length, 1)
  })

  test('changes the session ID at login, and rejects the forms of other sites', async (t) => {
    const { laptop, phone } = await startWithUsers(t)
    const copy = laptop.copy()
    await submit(laptop, '/login', { user: name })
    assert.equal(await isLoggedIn(copy), false)
    for (const path of ['/login', '/logout', '/logout/others']) {
      assert.equal((await laptop.submit(path, { user: 'bob' }, 'http://127.0.0.1')).status, 403)
      assert.equal((await laptop.post(path)).status, 403)
    }
    assert.ok((await isLoggedIn(laptop)) && (await isLoggedIn(phone)))
  })
})

describe('the encryption example', { skip }, () => {
  const dynamodb = useDynamoDB({ exclusive: true })

  /** Starts the example, or only its app without the services that provide keys, on the DynamoDB of these tests. */
  function startEncryption(t, env, file) {
    const { endpoint, region, credentials } = dynamodb.connection
    const settings = {
      ENDPOINT: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey
    }
    return start(t, 'encryption', { env: { ...settings, ...env }, file })
  }

  for (const KEYS of ['secrets-manager', 'kms']) {
    test(`encrypts sessions with keys from ${KEYS}, and logs out nobody if it cannot get them`, async (t) => {
      const [url] = await startEncryption(t, { KEYS })
      await logsInAndOut(url)
      const browser = new Browser(url)
      await post(browser, '/login', { user: 'ann' })
      const [{ sess }] = await dynamodb.raw.items('sessions')
      const stored = Buffer.from(sess.B)
      assert.equal(stored.toString('latin1', 0, 8), '\x01\x01\x05local')
      assert.ok(!stored.includes('ann'))

      const unreachable = {
        AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:1',
        AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:1',
        SESSION_KEYS: '[{"id":"local","ciphertext":"AQID"}]'
      }
      const [other] = await startEncryption(t, { KEYS, ...unreachable }, 'app.js')
      const { status, setCookies } = await browser.copy(other).get('/')
      assert.deepEqual([status, setCookies], [503, []])
      assert.deepEqual(await views(browser), { user: 'ann', views: 1 })
      await post(browser, '/logout')
    })
  }
})

describe('the CloudWatch example', { skip }, () => {
  const dynamodb = useDynamoDB()
  const { writeMetrics } = require('../../examples/cloudwatch/metrics')

  test('writes each event, and by how much the counters have grown', async (t) => {
    const store = dynamodb.store()
    const written = []
    t.mock.method(console, 'log', (line) => written.push(line))
    t.mock.timers.enable({ apis: ['setInterval'] })
    const start = Date.now()
    const stop = writeMetrics(store, dynamodb.table)
    /** The lines since the last call, without what is the same in each. */
    const lines = () =>
      written.splice(0).map((line) => {
        const { _aws, TableName, ...values } = JSON.parse(line)
        const [{ Namespace, Dimensions, Metrics }] = _aws.CloudWatchMetrics
        assert.deepEqual([TableName, Namespace], [dynamodb.table, 'Sessions'])
        assert.ok(_aws.Timestamp >= start && _aws.Timestamp <= Date.now())
        for (const { Name, Unit } of Metrics) assert.deepEqual([typeof values[Name], Unit], ['number', 'Count'])
        return { dimensions: Dimensions, metrics: Metrics.length, ...values }
      })

    await store.set('sid', { cart: [], cookie: {} })
    const requests = await Promise.all(
      [{}, {}, {}].map(async (ctx) => ({ ctx, session: await store.get('sid', undefined, { ctx }) }))
    )
    const save = ({ ctx, session }, cart) => store.set('sid', { ...session, cart }, undefined, { ctx })
    await save(requests[0], ['coffee'])
    await save(requests[1], ['bread'])
    await eventually(() => written.length > 0)
    const dimensions = [['TableName', 'Operation']]
    const { sidHash, ...conflict } = lines()[0]
    assert.deepEqual(conflict, { dimensions, metrics: 1, Operation: 'set', Conflicts: 1, fields: ['cart'] })

    t.mock.timers.tick(60_000)
    const unchanged = { dimensions: [['TableName']], metrics: 9, Errors: 0, Retries: 0, Throttles: 0, TouchesSaved: 0 }
    const counters = { ...unchanged, SetsSaved: 0, Operations: 6, Merges: 1, Conflicts: 1, Missing: 0 }
    assert.deepEqual(lines(), [counters])

    await store.destroy('sid')
    await save(requests[2], ['pears'])
    await eventually(() => written.length > 0)
    assert.deepEqual(lines(), [{ dimensions, metrics: 1, Operation: 'set', Missing: 1, sidHash }])
    stop()
    assert.deepEqual(lines(), [{ ...counters, Operations: 2, Merges: 0, Conflicts: 0, Missing: 1 }])
    t.mock.timers.tick(60_000)
    assert.deepEqual(lines(), [])
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
    await assert.rejects(start(t, 'expres'), /Names: cloudwatch, devices, encryption, express, /)
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

  // The example of Next.js installs its own packages.
  for (const name of names.filter((name) => name !== 'nextjs')) {
    test(`${name} depends on the package versions that it is tested with`, () => {
      const { dependencies, devDependencies: tools } = require(path.join(folder, name, 'package.json'))
      for (const [dependency, range] of Object.entries({ ...dependencies, ...tools })) {
        assert.equal(range, dependency === 'dynamodb-session' ? '*' : devDependencies[dependency], dependency)
      }
    })
  }
})

/** Whether the tests of the Lambda example are skipped. They need /proc to see whether a process is frozen. */
const skipLambda = process.platform === 'linux' ? needs('proxy').skip : 'needs /proc'

describe('the Lambda example', { skip: skipLambda }, () => {
  const dynamodb = useDynamoDB()
  const json = { 'content-type': 'application/json' }
  const { LocalLambda, event } = require('../../examples/lambda/local/lambda')

  /** Starts an execution environment that connects to DynamoDB through a proxy. */
  async function startLambda(t, handler, variables) {
    linkPackage()
    const proxy = await dynamodb.proxy()
    const { region, credentials } = dynamodb.connection
    const lambda = await LocalLambda.start(handler, {
      SESSIONS_TABLE: dynamodb.table,
      SESSION_SECRET: 'a secret of the tests',
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...variables
    })
    t.after(() => lambda.stop())
    return { lambda, proxy }
  }

  async function logIn(lambda) {
    const response = await lambda.invoke(event('POST', '/login', { headers: json, body: '{"user":"ann"}' }))
    assert.equal(response.statusCode, 200, response.body)
    return response.cookies.map((cookie) => cookie.split(';')[0])
  }

  async function view(lambda, cookies) {
    const { statusCode, body, isBase64Encoded } = await lambda.invoke(event('GET', '/', { cookies }))
    return { statusCode, ...JSON.parse(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')) }
  }

  const frozen = (lambda) => eventually(() => stateOf(lambda.pid) === 'T')

  for (const [name, handler, count] of [
    ['this package', 'handler.handler', 100],
    ['a web adapter', 'local/web-adapter.handler', 20],
    ['connect-dynamodb', 'local/baselines.connectDynamodb', 100]
  ]) {
    test(`serves ${count} invocations with ${name}, frozen in between, and with closed connections in every tenth`, async (t) => {
      const { lambda, proxy } = await startLambda(t, handler)
      assert.ok(lambda.initMs > 0)
      proxy.reset()
      const cookies = await logIn(lambda)
      const responses = []
      for (let i = 0; i < count; i++) {
        await frozen(lambda)
        if (i % 10 === 0) {
          proxy.closeConnections()
          await eventually(() => proxy.connections === 0)
        }
        responses.push(await view(lambda, cookies))
      }
      const inOrder = responses.map((_, i) => ({ statusCode: 200, user: 'ann', views: i + 1 }))
      assert.deepEqual(responses, inOrder)
      assert.equal(proxy.sent('GetItem').length, count)
      assert.equal(proxy.sent('PutItem').length, count + 1)
      assert.ok(proxy.connectionsMade > count / 10, `${proxy.connectionsMade} connections`)
    })
  }

  test('opens its connection in the init phase, and reuses it across invocations', async (t) => {
    const { lambda, proxy } = await startLambda(t, 'handler.handler')
    assert.deepEqual(proxy.operations, ['GetItem'])
    assert.equal(proxy.connectionsMade, 1)
    const cookies = await logIn(lambda)
    for (let i = 0; i < 20; i++) await view(lambda, cookies)
    assert.equal(proxy.connectionsMade, 1)
  })

  test('starts even if the init phase cannot read the table', async (t) => {
    const { lambda } = await startLambda(t, 'handler.handler', { SESSIONS_TABLE: dynamodb.newTableName() })
    const { statusCode } = await lambda.invoke(event('GET', '/', {}))
    assert.equal(statusCode, 401)
  })

  test('shares sessions between execution environments until the logout', async (t) => {
    const [one, two] = [await startLambda(t, 'handler.handler'), await startLambda(t, 'handler.handler')]
    const cookies = await logIn(one.lambda)
    assert.equal((await view(two.lambda, cookies)).views, 1)
    await two.lambda.invoke(event('POST', '/logout', { cookies }))
    assert.equal((await view(one.lambda, cookies)).statusCode, 401)
  })

  test('handles the events of REST APIs and load balancers', async (t) => {
    const { lambda } = await startLambda(t, 'handler.handler')
    for (const requestContext of [{ stage: 'prod', identity: { sourceIp: '127.0.0.1' } }, { elb: {} }]) {
      const ask = (httpMethod, path, headers, body) =>
        lambda.invoke({ httpMethod, path, multiValueHeaders: headers, body, isBase64Encoded: false, requestContext })
      const first = await ask('POST', '/login', { 'content-type': ['application/json'] }, '{"user":"ann"}')
      const [cookie] = first.multiValueHeaders['set-cookie']
      const { body } = await ask('GET', '/', { cookie: [cookie.split(';')[0]] })
      assert.deepEqual(JSON.parse(body), { user: 'ann', views: 1 })
    }
  })

  test('sends only operations that its policy allows', async (t) => {
    const template = fs.readFileSync(path.join(root, 'examples', 'lambda', 'template.yaml'), 'utf8')
    const allowed = [...template.matchAll(/dynamodb:(\w+)/g)].map(([, action]) => action)
    assert.deepEqual(allowed.sort(), ['DeleteItem', 'GetItem', 'PutItem', 'UpdateItem'])
    const { lambda, proxy } = await startLambda(t, 'handler.handler')
    const cookies = await logIn(lambda)
    await view(lambda, cookies)
    await lambda.invoke(event('POST', '/logout', { cookies }))
    assert.deepEqual(
      proxy.operations.filter((operation) => !allowed.includes(operation)),
      []
    )
  })

  test('reports why a handler cannot be loaded, and that a function exited', async (t) => {
    await assert.rejects(startLambda(t, 'nothing.handler'), /Cannot find module/)
    const { lambda } = await startLambda(t, 'handler.handler')
    process.kill(lambda.pid, 'SIGKILL')
    await assert.rejects(view(lambda), /the function exited with SIGKILL/)
  })

  test('sends a secure cookie behind a web adapter if the request came over HTTPS', async (t) => {
    const { lambda } = await startLambda(t, 'local/web-adapter.handler')
    const cookieOver = async (protocol) => {
      const headers = { ...json, 'x-forwarded-proto': protocol }
      const { cookies } = await lambda.invoke(event('POST', '/login', { headers, body: '{"user":"ann"}' }))
      return cookies[0]
    }
    assert.match(await cookieOver('https'), /; Secure/)
    assert.doesNotMatch(await cookieOver('http'), /; Secure/)
  })

  test('freezes and stops the app behind a web adapter with the function', async (t) => {
    const { lambda } = await startLambda(t, 'local/web-adapter.handler')
    await logIn(lambda)
    const [app] = childrenOf(lambda.pid)
    await eventually(() => stateOf(app) === 'T')
    await lambda.stop()
    await eventually(() => hasEnded(app))
  })
})

/** Whether a process is gone, or has only not been reaped yet. */
function hasEnded(pid) {
  try {
    return stateOf(pid) === 'Z'
  } catch {
    return true
  }
}

function childrenOf(pid) {
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children.trim().split(' ')
}

/** The state of a process, as in `ps`; T means stopped. */
function stateOf(pid) {
  return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0]
}
