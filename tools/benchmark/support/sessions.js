'use strict'

const DAY = 86_400_000
const HOUR = 3_600_000

/** A session of an app whose JSON text has `size` bytes. */
function newSession(size) {
  const session = {
    cookie: { originalMaxAge: DAY, expires: new Date(Date.now() + DAY).toISOString(), httpOnly: true, path: '/' },
    ...newData()
  }
  return filled(session, size)
}

/** The fields that stores and frameworks add to a session. The dates are so late that touches stay throttled during the run. */
function stampsOf(layout) {
  const now = Date.now()
  if (layout === 'pwrdrvr') return { lastModified: new Date(now + HOUR).toISOString() }
  if (layout === 'dynamodbStore') return { updated: now + HOUR }
  return {}
}

/** The data of a user who is logged in to a shop. */
function newData() {
  return { _expire: Date.now() + DAY, _maxAge: DAY, user: { id: 4711, name: 'Ann', admin: false }, cart: [] }
}

/** Fills the cart until the JSON text has `size` bytes. */
function filled(session, size) {
  const article = (index) => ({
    id: 1000 + index,
    title: `article number ${index}`,
    count: 1 + (index % 3),
    price: 9.95
  })
  for (let index = 0; JSON.stringify(session).length + 90 < size; index++) session.cart.push(article(index))
  session.note = ''
  session.note = 'x'.repeat(Math.max(0, size - JSON.stringify(session).length))
  return session
}

/** The data that the apps put into a session. */
function dataOf(size) {
  const { cookie: _, _expire, _maxAge, ...data } = newSession(size)
  return data
}

/** The session IDs of the calls. */
const sessionIds = Array.from({ length: 256 }, (_, index) => `a-session-id-of-usual-length-${1000 + index}`)

/** The options of the layouts whose sessions are protected. */
const encryption = { keys: [{ id: 'benchmark', key: Buffer.alloc(32, 1) }] }
const protection = {
  encrypted: { encryption },
  encryptedCompressed: { encryption, compression: { withEncryption: true } }
}

const keys = {
  text: { hashKey: 'id' },
  encrypted: { hashKey: 'id' },
  encryptedCompressed: { hashKey: 'id' },
  pwrdrvr: { hashKey: 'id' },
  dynamodbStore: { hashKey: 'sessionId' },
  koa: { hashKey: 'sessionId' }
}

/** The item that a store with this layout writes, as DynamoDB JSON. */
function itemOf(layout, session) {
  // Required here, because the measured processes load this file too.
  const { marshall } = require('@aws-sdk/util-dynamodb')
  const expires = Math.floor((Date.now() + DAY) / 1000)
  if (Object.hasOwn(protection, layout)) return protectedItem(protection[layout], session, expires)
  const stamped = { ...session, ...stampsOf(layout) }
  const items = {
    text: () => ({ id: 'sess:a', expires, type: 'connect-session', sess: JSON.stringify(session) }),
    pwrdrvr: () => ({ id: 'session#a', expires, sess: stamped }),
    dynamodbStore: () => ({ sessionId: 'sess:a', expires, sess: stamped }),
    koa: () => ({ sessionId: 'a', expires, session: stamped })
  }
  return marshall(items[layout]())
}

/** The item of the first session ID. */
function protectedItem(options, session, expires) {
  const { ItemCodec } = require('../../../lib/native/item-codec')
  const { readOptions } = require('../../../lib/options')
  return new ItemCodec(readOptions(options)).encode(sessionIds[0], session, expires)
}

/** The items of the servers that respond from memory, by table: one for each layout and size. */
function tablesOf(sizes) {
  const tables = {}
  for (const layout in keys) {
    for (const size of sizes) tables[tableOf(layout, size)] = itemOf(layout, newSession(size))
  }
  return tables
}

function tableOf(layout, size) {
  return `${layout}-${size}`
}

module.exports = { dataOf, keys, newSession, protection, sessionIds, tableOf, tablesOf }
