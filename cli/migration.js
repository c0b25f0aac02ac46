'use strict'

const { isDeepStrictEqual } = require('node:util')
const { withRepairedCookie } = require('../lib/compat/dynamodb-store-cookie.js')
const { itemSize, sameAttributes } = require('../lib/native/item-codec.js')
const { writesBinary } = require('../lib/options.js')
const { countReason, countSessionError, userReaderOf, whyNotAccepted, whyUnreadable } = require('./session-errors.js')

/** Copies or compares sessions one by one, and counts the outcomes. */
class Migration {
  static initialCounts = {
    scanned: 0,
    copied: 0,
    same: 0,
    kept: 0,
    expired: 0,
    missing: 0,
    different: 0,
    failed: 0,
    corrupt: 0,
    foreign: 0,
    withoutUser: 0,
    keptUser: 0
  }

  #settings

  /** `mode` is `copy`, `verify`, or `dry-run`. `isOneTable` says that the source and the target are one table. */
  constructor(settings) {
    this.#settings = settings
    settings.counts.reasons ??= {}
  }

  async handleItem(item) {
    const { counts } = this.#settings
    const outcome = await this.#migrate(item).catch((error) => this.#countFailure(error))
    counts[outcome] += 1
    counts.scanned += 1
  }

  /** Resolves to the name of the count that the item belongs to. */
  async #migrate(item) {
    const { from, to, mode, counts } = this.#settings
    const decoded = from.decode(item)
    if (!decoded.isSession || this.#isCopy(item)) return 'foreign'
    if (decoded.isExpired) return 'expired'
    if (decoded.session === undefined) {
      if (decoded.form !== 'encrypted') return 'corrupt'
      countReason(whyUnreadable(decoded), counts.reasons)
      return 'failed'
    }
    const problem =
      (to.options.encryption && whyNotAccepted(decoded, from.options)) ??
      (from.options.hashIds ? undefined : to.problemWithId(decoded.id))
    if (problem !== undefined) {
      countReason(problem, counts.reasons)
      return 'failed'
    }
    const converted = { id: decoded.id, item: convertItem(item, decoded, from, to) }
    if (to.options.user !== undefined && userReaderOf(to.options)(decoded.session) === undefined)
      counts.withoutUser += 1
    if (this.#keepsOtherUser(item, converted.item)) counts.keptUser += 1
    if (mode === 'copy') return this.#copy(converted)
    const comparison = await this.#compare(converted)
    return mode === 'verify' ? outcomeOfVerification[comparison] : outcomeOfDryRun[comparison]
  }

  /** Within one table, the scan can return sessions that this run has written. */
  #isCopy(item) {
    const { from, to, isOneTable } = this.#settings
    const isLonger = to.options.prefix.length > from.options.prefix.length
    const isHashed = to.options.hashIds && !from.options.hashIds
    return isOneTable && (isLonger || isHashed) && to.decode(item).id !== undefined
  }

  /** Whether the copy has a user attribute that an app with the keys of the target does not find. */
  #keepsOtherUser(item, copy) {
    const { from, to } = this.#settings
    const [user, oldUser] = [copy, item].map((each) => each[to.options.attributes.user]?.S)
    const newestKey = ({ encryption }) => encryption?.keys()[0].id
    return user !== undefined && user === oldUser && newestKey(from.options) !== newestKey(to.options)
  }

  /** Writes the item, unless the target has a newer one, and reads it back. */
  async #copy(converted) {
    const { to, writes, overwrite } = this.#settings
    await writes.consumeUnit()
    try {
      const { ConsumedCapacity } = await to.request('PutItem', {
        Item: converted.item,
        ...(!overwrite && this.#onlyIfEarlier(converted.item))
      })
      writes.charge((ConsumedCapacity?.CapacityUnits ?? Math.ceil(itemSize(converted.item) / 1024)) - 1)
    } catch (error) {
      if (error.code !== 'ConditionalCheckFailedException') throw error
      return outcomeOfRefusedWrite[await this.#compare(converted)]
    }
    return outcomeOfCopy[await this.#compare(converted)]
  }

  /** A condition that allows to replace an item of the target only if its expiry is earlier. */
  #onlyIfEarlier(item) {
    const { hashKey, attributes } = this.#settings.to.options
    const expires = item[attributes.expires]
    if (expires === undefined) {
      return { ConditionExpression: 'attribute_not_exists(#key)', ExpressionAttributeNames: { '#key': hashKey } }
    }
    return {
      ConditionExpression: 'attribute_not_exists(#key) OR #expires < :expires',
      ExpressionAttributeNames: { '#key': hashKey, '#expires': attributes.expires },
      ExpressionAttributeValues: { ':expires': expires }
    }
  }

  /**
   * Compares the item of the target: it is `missing` or the `same`, or its expiry is `earlier` or `later`, or, at the
   * same expiry, its content is `different`.
   */
  async #compare({ id, item }) {
    const { to } = this.#settings
    const found = await to.get(id)
    if (found === undefined) return 'missing'
    if (isSameItem(found, item, to)) return 'same'
    // A session without an expiry never expires.
    const [foundExpiry, expiry] = [found, item].map((each) => to.decode(each).expires ?? Infinity)
    if (foundExpiry === expiry) return 'different'
    return foundExpiry > expiry ? 'later' : 'earlier'
  }

  #countFailure(error) {
    countSessionError(error, this.#settings.counts.reasons)
    return 'failed'
  }
}

// The count for each result of a comparison.

/** After a write. An app that already uses the target may have renewed the session in the meantime. */
const outcomeOfCopy = {
  same: 'copied',
  later: 'kept',
  missing: 'different',
  earlier: 'different',
  different: 'different'
}
/** After a write that was refused because the target has the same or a later expiry. */
const outcomeOfRefusedWrite = { ...outcomeOfCopy, same: 'same' }
const outcomeOfVerification = { ...outcomeOfRefusedWrite, missing: 'missing' }
const outcomeOfDryRun = { same: 'same', later: 'kept', missing: 'copied', earlier: 'copied', different: 'different' }

/** Converts an item of the table `from` to an item of the table `to`. `decoded` is the decoded item. */
function convertItem(item, decoded, from, to) {
  const { id, session } = decoded
  const expires = decoded.expires === undefined ? undefined : Math.floor(decoded.expires)
  const user = userReaderOf(to.options)(session)
  const { [to.options.attributes.user]: oldUser, ...others } = otherAttributes(item, from.options)
  // Without a user at the path, an attribute stays: the app may have set it with a function.
  const keepsUser = user === undefined && oldUser !== undefined
  const attributes = keepsUser ? { ...others, [to.options.attributes.user]: oldUser } : others
  // The package that loses the dates of a cookie also repairs them when it reads the session.
  const repaired = to.options.layout === from.options.layout ? session : withRepairedCookie(session)
  const attribute = item[from.options.attributes.session]
  const type = to.options.format === 'map' ? 'M' : 'S'
  const isUnchanged = repaired === session && Object.hasOwn(attribute, type) && !writesBinary(to.options)
  if (!isUnchanged) return to.encode(id, repaired, expires, attributes, user)
  // The attribute already has the form of the target. It is copied unchanged, because a map can contain values that a
  // session cannot, such as binary data and numbers of 38 digits.
  return { ...to.encode(id, {}, expires, attributes, user), [to.options.attributes.session]: attribute }
}

/** The attributes that are not part of the layout, such as those of special keys. */
function otherAttributes(item, { hashKey, sortKey, attributes, constants }) {
  const constantNames = constants.map(([name]) => name)
  return without(item, [hashKey, sortKey, attributes.session, attributes.expires, ...constantNames])
}

/** Whether two items of a table are the same, regardless of the format of the session and of the expiry, if both are encrypted or none is. */
function isSameItem(one, other, table) {
  const { session, expires, form } = table.decode(one)
  const decodedOther = table.decode(other)
  const names = [table.options.attributes.session, table.options.attributes.expires]
  return (
    (form === 'encrypted') === (decodedOther.form === 'encrypted') &&
    expires === decodedOther.expires &&
    isDeepStrictEqual(session, decodedOther.session) &&
    sameAttributes(without(one, names), without(other, names))
  )
}

function without(item, names) {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name)))
}

module.exports = { Migration, isSameItem, otherAttributes }
