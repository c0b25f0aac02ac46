'use strict'

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { root, runNode } = require('../support/child')

const stores = {
  'connect-dynamodb': [],
  'dynamodb-store': [],
  'pwrdrvr-dynamodb-session-store': [],
  'koa-session-dynamodb-store': ['koa'],
  'baseline-koa-session-dynamodb-store': ['koa']
}
const files = [...Object.keys(stores), 'koa']

for (const [name, shared] of Object.entries(stores)) {
  test(`dynamodb-session/${name} does not load the other compatible stores`, async () => {
    const program = `
      require('dynamodb-session/${name}')
      console.log(JSON.stringify(Object.keys(require.cache)))
    `
    const { stdout, stderr } = await runNode(['-e', program])
    assert.equal(stderr, '')
    const compat = path.join(root, 'lib', 'compat') + path.sep
    const loaded = JSON.parse(stdout)
      .filter((file) => file.startsWith(compat))
      .map((file) => path.basename(file, '.js'))
      .filter((file) => files.includes(file))
    assert.deepEqual(loaded.sort(), [name, ...shared].sort())
  })
}
