'use strict'

const { isDeepStrictEqual } = require('node:util')
const { withRepairedCookie } = require('../lib/compat/dynamodb-store-cookie.js')
const { sameAttributes } = require('../lib/native/item-codec.js')

/** Converts an item of the table `from` to an item of the table `to`. `decoded` is the decoded item. */
function convertItem(item, decoded, from, to) {
  const { id, session } = decoded
  const expires = decoded.expires === undefined ? undefined : Math.floor(decoded.expires)
  const attributes = otherAttributes(item, from.options)
  // The package that loses the dates of a cookie also repairs them when it reads the session.
  const repaired = to.options.layout === from.options.layout ? session : withRepairedCookie(session)
  const attribute = item[from.options.attributes.session]
  const type = to.options.format === 'map' ? 'M' : 'S'
  if (repaired !== session || !Object.hasOwn(attribute, type)) return to.encode(id, repaired, expires, attributes)
  // The attribute already has the form of the target. It is copied unchanged, because a map can contain values that a
  // session cannot, such as binary data and numbers of 38 digits.
  return { ...to.encode(id, {}, expires, attributes), [to.options.attributes.session]: attribute }
}

/** The attributes that are not part of the layout, such as those of special keys. */
function otherAttributes(item, { hashKey, sortKey, attributes, constants }) {
  const constantNames = constants.map(([name]) => name)
  return without(item, [hashKey, sortKey, attributes.session, attributes.expires, ...constantNames])
}

/** Whether two items of a table are the same, regardless of the format of the session and of the expiry. */
function isSameItem(one, other, table) {
  const { session, expires } = table.decode(one)
  const decodedOther = table.decode(other)
  const names = Object.values(table.options.attributes)
  return (
    expires === decodedOther.expires &&
    isDeepStrictEqual(session, decodedOther.session) &&
    sameAttributes(without(one, names), without(other, names))
  )
}

function without(item, names) {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name)))
}

module.exports = { convertItem, isSameItem }
