'use strict'

const { fromAttribute } = require('./attribute.js')

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** The expiry in seconds since 1970, or undefined; tools and older packages wrote fractions and strings. */
function expiryOf(item, { attributes }) {
  const { N, S } = item[attributes.expires] ?? {}
  const text = (N ?? S ?? '').trim()
  return DECIMAL.test(text) ? Number(text) : undefined
}

function isExpired(item, options, now = Math.floor(Date.now() / 1000)) {
  return expiryOf(item, options) <= now
}

/** The key of an item, which is where a scan can go on. */
function keyOf(item, { hashKey, sortKey }) {
  return sortKey === undefined ? { [hashKey]: item[hashKey] } : { [hashKey]: item[hashKey], [sortKey]: item[sortKey] }
}

/** Whether the item is a session: it has the prefix; where there is none, it has a session attribute. */
function isSession(item, { hashKey, sortKey, prefix, attributes }) {
  const key = item[hashKey]?.S
  if (key === undefined || !key.startsWith(prefix) || key === prefix) return false
  if (sortKey !== undefined && item[sortKey]?.S !== key) return false
  return prefix !== '' || Object.hasOwn(item, attributes.session)
}

/** The session of an item, or undefined when it holds none. */
function sessionOf(item, { attributes }) {
  const { S, M } = item[attributes.session] ?? {}
  if (M !== undefined) return fromAttribute({ M })
  try {
    const session = JSON.parse(S)
    return typeof session === 'object' && session !== null && !Array.isArray(session) ? session : undefined
  } catch {
    return undefined
  }
}

module.exports = { expiryOf, isExpired, isSession, keyOf, sessionOf }
