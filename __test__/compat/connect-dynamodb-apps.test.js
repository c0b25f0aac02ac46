'use strict'

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const AWS = require('aws-sdk')
const connect = require('connect')
const express = require('express')
const session = require('express-session')
const ours = require('dynamodb-session/connect-dynamodb')
const { root, runNode } = require('../support/child')
const { needs } = require('../support/features')
const { Browser } = require('../support/browser')
const { copyPackage, linkPackage, temporaryDirectory, write } = require('../support/temporary-packages')
const { useStores } = require('./support/connect-dynamodb-stores')
const { testDeployments } = require('./support/deployment')

const { dynamodb, newClient } = useStores()

describe('the examples in the README of connect-dynamodb', () => {
  /** The options in the README, with the table and the endpoint of this server. */
  const options = (store = {}) => ({
    table: dynamodb.table,
    client: newClient(),
    readCapacityUnits: 25,
    writeCapacityUnits: 25,
    specialKeys: [{ name: 'userId', type: 'S' }],
    skipThrowMissingSpecialKeys: true,
    ...store
  })
  const optionsOf2 = () => ({
    table: dynamodb.table,
    AWSConfigJSON: { ...dynamodb.connection.credentials, region: 'us-east-1', endpoint: dynamodb.connection.endpoint },
    client: new AWS.DynamoDB({
      endpoint: new AWS.Endpoint(dynamodb.connection.endpoint),
      region: dynamodb.connection.region,
      credentials: dynamodb.connection.credentials
    }),
    readCapacityUnits: 25,
    writeCapacityUnits: 25
  })
  /** Middleware that was part of connect 2 and express 3. */
  const bundled = { session, cookieParser: () => (req, res, next) => next() }
  const settings = { secret: 'keyboard cat', resave: false, saveUninitialized: false }

  async function assertKeepsSessions(app) {
    app.use((req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      req.session.userId = 'Ann'
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify({ views: req.session.views, id: req.sessionID }))
    })
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const browser = new Browser(`http://127.0.0.1:${server.address().port}`)
      await browser.get('/')
      const { body } = await browser.get('/')
      assert.equal(body.views, 2)
      return await dynamodb.item(body.id)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  test('the README example for connect 2 keeps sessions', async () => {
    const connect2 = Object.assign(() => connect(), bundled)
    const DynamoDBStore = ours(connect2)
    const app = connect2()
      .use(connect2.cookieParser())
      .use(connect2.session({ store: new DynamoDBStore(options()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })

  test('the README example for express 3 keeps sessions', async () => {
    const express3 = Object.assign((...middleware) => express().use(...middleware), bundled)
    const DynamoDBStore = ours(express3)
    const app = express3(
      express3.cookieParser(),
      express3.session({ store: new DynamoDBStore(options()), ...settings })
    )
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })

  test('the README example for express 4 with { session } keeps sessions', async () => {
    const app = require('express4')()
    const DynamoDBStore = ours({ session: session })
    app.use(session({ store: new DynamoDBStore(options()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })

  test('the README example for express 4 with session keeps sessions', async () => {
    const app = require('express4')()
    const DynamoDBStore = ours(session)
    app.use(session({ store: new DynamoDBStore(options()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })

  test('the README example of connect-dynamodb 2 keeps sessions', async () => {
    const DynamoDBStore = ours({ session: session })
    const app = express().use(session({ store: new DynamoDBStore(optionsOf2()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).type.S, 'connect-session')
  })

  test('connect 3 with express-session keeps sessions', async () => {
    const DynamoDBStore = ours({ session })
    const app = connect().use(session({ store: new DynamoDBStore(options()), ...settings }))
    assert.equal((await assertKeepsSessions(app)).userId.S, 'Ann')
  })
})

describe('dynamodb-session installed as connect-dynamodb', () => {
  const readme = readFileSync(path.join(root, 'node_modules', 'connect-dynamodb', 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code)
  const options = blocks.find((code) => code.startsWith('var options = '))
  const usages = blocks.filter((code) => code.includes('require("express-session")'))

  /** The app of the README, on a table of this file. One request puts an item into the cart of the session. */
  const programOf = (usage) => `
    var express = require('express')
    var { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
    ${options.replace('myapp-sessions', dynamodb.table).replace('http://localhost:8000', dynamodb.connection.endpoint)}
    ${usage}
    app.get('/', (req, res) => {
      req.session.cart = [...(req.session.cart ?? []), req.query.item]
      res.json(req.session.cart)
    })
    const server = app.listen(0, '127.0.0.1', async () => {
      const { COOKIE: cookie, ITEM: item } = process.env
      const response = await fetch('http://127.0.0.1:' + server.address().port + '/?item=' + item, { headers: { cookie } })
      const cart = await response.json()
      const [set = cookie] = response.headers.getSetCookie()
      const { name } = require('connect-dynamodb/package.json')
      console.log(JSON.stringify({ name, cart, cookie: set.split(';')[0] }))
      process.exit()
    })
  `

  /** Creates an app with what the README requires. `install` installs a package as connect-dynamodb. */
  function newApp(t, usage, install) {
    const directory = temporaryDirectory(t)
    const modules = path.join(directory, 'node_modules')
    for (const name of ['express', 'express-session', '@aws-sdk/client-dynamodb']) {
      linkPackage(name, path.join(modules, name))
    }
    install(path.join(modules, 'connect-dynamodb'))
    return write(path.join(directory, 'app.js'), programOf(usage))
  }

  assert.equal(usages.length, 2)
  for (const usage of usages) {
    const required = usage.match(/require\("connect-dynamodb"\).*(?=;)/)[0]
    test(`an app with ${required} runs unchanged and keeps its sessions, in both directions`, async (t) => {
      const original = newApp(t, usage, (target) => linkPackage('connect-dynamodb', target))
      const replacement = newApp(t, usage, copyPackage)
      const { region, credentials } = dynamodb.connection
      const env = {
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        ...(credentials.sessionToken && { AWS_SESSION_TOKEN: credentials.sessionToken }),
        // The README sets neither resave nor saveUninitialized.
        NO_DEPRECATION: 'express-session'
      }
      let cookie = ''
      const cart = []
      for (const [app, name] of [
        [original, 'connect-dynamodb'],
        [replacement, 'dynamodb-session'],
        [original, 'connect-dynamodb']
      ]) {
        const item = `item-${cart.length}`
        cart.push(item)
        const { code, stdout, stderr } = await runNode([app], { env: { ...env, COOKIE: cookie, ITEM: item } })
        assert.equal(code, 0, stderr)
        const output = JSON.parse(stdout)
        assert.deepEqual([output.name, output.cart], [name, cart])
        if (cookie) assert.equal(output.cookie, cookie)
        cookie = output.cookie
      }
    })
  }
})

describe('a rolling deployment from and to connect-dynamodb', () => {
  testDeployments(['connect-dynamodb', 'dynamodb-session/connect-dynamodb'], () => ({
    name: 'connect-dynamodb',
    table: dynamodb.table,
    connection: dynamodb.connection
  }))
})

describe('the test file of connect-dynamodb', () => {
  const outcomesWith = async (implementation) => {
    const program = path.join(__dirname, 'support', 'connect-dynamodb-published.js')
    const { endpoint, region, credentials } = dynamodb.connection
    const env = {
      ENDPOINT: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...(credentials.sessionToken && { AWS_SESSION_TOKEN: credentials.sessionToken })
    }
    const { stdout, stderr } = await runNode([program, require.resolve(implementation)], { env })
    assert.notEqual(stdout, '', stderr)
    return new Map(JSON.parse(stdout))
  }

  test('the test file of connect-dynamodb passes, except for the default client', needs('tableName'), async () => {
    const theirs = await outcomesWith('connect-dynamodb')
    const mine = await outcomesWith('dynamodb-session/connect-dynamodb')
    assert.equal(mine.size, theirs.size)
    for (const [name, outcome] of mine) {
      if (name.startsWith('ConnectDynamoDB > Constructor')) assert.match(outcome, /undefined \(reading 'should'\)/)
      else assert.equal(outcome, theirs.get(name), name)
    }
  })
})
