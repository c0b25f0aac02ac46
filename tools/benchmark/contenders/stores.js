'use strict'

// The stores that the benchmark compares, each set up as its README recommends. `everyTouch` turns off a throttle of touches.

const { protection } = require('../support/sessions')

/** This package. */
const dynamodbSession = {
  title: 'dynamodb-session',
  isAddon: true,
  layout: 'text',
  frameworks: ['express', 'koa'],
  open({ endpoint, table, everyTouch, ...options }) {
    const { DynamoDBStore } = require('../../..')
    return new DynamoDBStore({ endpoint, table, ...(everyTouch && { touchAfter: 0 }), ...options })
  }
}

/** This package with options that protect the stored sessions. An encrypted session can be read under its own ID only. */
const protectedStores = {
  encrypted: { title: 'dynamodb-session, encryption', layout: 'encrypted' },
  'encrypted-compressed': { title: 'dynamodb-session, encryption and compression', layout: 'encryptedCompressed' }
}

for (const contender of Object.values(protectedStores)) {
  const { isAddon, frameworks, open } = dynamodbSession
  Object.assign(contender, {
    isAddon,
    frameworks,
    readsOneSession: true,
    open: (options) => open({ ...options, ...protection[contender.layout] })
  })
}

/** The packages that this one replaces, as published. */
const published = {
  // It has no throttle: it sends every touch.
  'connect-dynamodb': {
    title: 'connect-dynamodb 3',
    layout: 'text',
    frameworks: ['express'],
    open({ endpoint, table }) {
      const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
      const Store = require('connect-dynamodb')(require('express-session'))
      return new Store({ table, client: new DynamoDBClient({ endpoint }), initialized: true })
    }
  },
  pwrdrvr: {
    title: '@pwrdrvr 1.1',
    layout: 'pwrdrvr',
    frameworks: ['express'],
    open({ endpoint, table, everyTouch }) {
      // The published package loads only where TypeScript's helper functions are global.
      globalThis.__importDefault ??= (module) => (module?.__esModule ? module : { default: module })
      const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
      const { DynamoDBStore } = require('@pwrdrvr/dynamodb-session-store')
      const dynamoDBClient = new DynamoDBClient({ endpoint })
      return new DynamoDBStore({ tableName: table, dynamoDBClient, ...(everyTouch && { touchAfter: 0 }) })
    }
  },
  // It always checks the table at the start, with one request.
  'dynamodb-store': {
    title: 'dynamodb-store 1.2',
    layout: 'dynamodbStore',
    frameworks: ['express'],
    open: (options) => openDynamoDBStore(require('dynamodb-store'), options)
  },
  'koa-session-dynamodb-store': {
    title: 'koa-session-dynamodb-store 1.1',
    layout: 'koa',
    frameworks: ['koa'],
    returnsPromises: true,
    open: (options) => openKoaStore(require('koa-session-dynamodb-store'), options)
  }
}

/** This package's compatible stores. */
const compatible = {
  'connect-dynamodb-compat': {
    title: 'dynamodb-session/connect-dynamodb',
    open({ endpoint, table }) {
      const Store = require('../../../lib/compat/connect-dynamodb.js')(require('express-session'))
      return new Store({ table, endpoint, initialized: true })
    }
  },
  'pwrdrvr-compat': {
    title: 'dynamodb-session/pwrdrvr-…',
    open({ endpoint, table, everyTouch }) {
      const { DynamoDBStore } = require('../../../lib/compat/pwrdrvr-dynamodb-session-store.js')
      return new DynamoDBStore({ tableName: table, endpoint, ...(everyTouch && { touchAfter: 0 }) })
    }
  },
  'dynamodb-store-compat': {
    title: 'dynamodb-session/dynamodb-store',
    open: (options) => openDynamoDBStore(require('../../../lib/compat/dynamodb-store.js'), options)
  },
  'koa-session-dynamodb-store-compat': {
    title: 'dynamodb-session/koa-session-…',
    open: (options) => openKoaStore(require('../../../lib/compat/koa-session-dynamodb-store.js'), options)
  }
}

for (const [name, contender] of Object.entries(compatible)) {
  const { layout, frameworks, returnsPromises } = published[name.replace(/-compat$/, '')]
  Object.assign(contender, { isAddon: true, isCompatible: true, layout, frameworks, returnsPromises })
}

function openDynamoDBStore(Store, { endpoint, table, everyTouch }) {
  return new Store({ table: { name: table }, dynamoConfig: { endpoint }, ...(everyTouch && { touchInterval: 0 }) })
}

function openKoaStore(Store, { endpoint, table }) {
  return new Store({ table: { name: table }, dynamoConfig: { endpoint, region: process.env.AWS_REGION } })
}

module.exports = { 'dynamodb-session': dynamodbSession, ...protectedStores, ...published, ...compatible }
