'use strict'

const { isDeepStrictEqual } = require('node:util')
const { withRepairedCookie } = require('../lib/compat/cookie.js')
const { fromAttribute, toAttribute } = require('./attribute.js')
const { expiryOf, sessionOf } = require('./item.js')

/** The item of one layout as an item of another, or undefined when it holds no session. */
function convertItem(item, from, to) {
  const session = sessionOf(item, from)
  if (session === undefined) return undefined
  const id = item[from.hashKey].S.slice(from.prefix.length)
  const key = { S: to.prefix + id }
  const expiry = expiryOf(item, from)
  const wanted = {
    [to.hashKey]: key,
    ...(to.sortKey !== undefined && { [to.sortKey]: key }),
    [to.attributes.session]: written(session, item[from.attributes.session], from, to),
    ...(expiry !== undefined && { [to.attributes.expires]: { N: String(Math.floor(expiry)) } }),
    ...Object.fromEntries(to.constants.map(([name, value]) => [name, { S: value }]))
  }
  return { id, item: { ...others(item, from, wanted), ...wanted } }
}

/** What the item holds besides, such as special keys with an index of their own. */
function others(item, { hashKey, sortKey, attributes, constants }) {
  const own = [hashKey, sortKey, attributes.session, attributes.expires, ...constants.map(([name]) => name)]
  return Object.fromEntries(Object.entries(item).filter(([name]) => !own.includes(name)))
}

/** The session as it was written where that is how the other layout writes, since JSON may lose of a map. */
function written(session, attribute, from, to) {
  // Only the package that lost a cookie's dates repairs them by itself.
  const repaired = to.layout === from.layout ? session : withRepairedCookie(session)
  const type = to.format === 'map' ? 'M' : 'S'
  if (repaired === session && Object.hasOwn(attribute, type)) return attribute
  return type === 'M' ? toAttribute(repaired) : { S: JSON.stringify(repaired) }
}

/** Whether two items of a layout hold the same, however it is written. */
function isSameItem(one, other, options) {
  const plain = (item) => ({
    ...fromAttribute({ M: item }),
    [options.attributes.session]: sessionOf(item, options),
    [options.attributes.expires]: expiryOf(item, options)
  })
  return isDeepStrictEqual(plain(one), plain(other))
}

module.exports = { convertItem, isSameItem }
