'use strict'

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const { root, runNode } = require('../support/child')
const { useDynamoDB } = require('../support/dynamodb')
const { copyPackage, linkPackage, temporaryDirectory, write } = require('../support/temporary-packages')

const dynamodb = useDynamoDB()
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

describe('dynamodb-session installed as connect-dynamodb', () => {
  assert.equal(usages.length, 2)
  for (const usage of usages) {
    const required = usage.match(/require\("connect-dynamodb"\).*(?=;)/)[0]
    test(`an app with ${required} runs unchanged and keeps its sessions, in both directions`, async (t) => {
      const original = newApp(t, usage, (target) => linkPackage('connect-dynamodb', target))
      const ours = newApp(t, usage, copyPackage)
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
        [ours, 'dynamodb-session'],
        [original, 'connect-dynamodb']
      ]) {
        const item = `item-${cart.length}`
        cart.push(item)
        const { code, stdout, stderr } = await runNode([app], { env: { ...env, COOKIE: cookie, ITEM: item } })
        assert.equal(code, 0, stderr)
        const answer = JSON.parse(stdout)
        assert.deepEqual([answer.name, answer.cart], [name, cart])
        if (cookie) assert.equal(answer.cookie, cookie)
        cookie = answer.cookie
      }
    })
  }
})
