'use strict'

const { sizeOfItem } = require('./attribute.js')
const { convert, isSame } = require('./convert.js')
const { expiryOf, isExpired, isSession } = require('./item.js')

/** Copies sessions one by one, and counts what came of each. */
class Copy {
  static counts = {
    scanned: 0,
    copied: 0,
    same: 0,
    kept: 0,
    expired: 0,
    missing: 0,
    different: 0,
    failed: 0,
    corrupt: 0,
    foreign: 0
  }

  #settings

  constructor(settings) {
    this.#settings = settings
    settings.counts.reasons ??= {}
  }

  async one(item) {
    const { counts } = this.#settings
    const outcome = await this.#outcomeOf(item).catch((error) => this.#failure(error))
    counts[outcome] += 1
    counts.scanned += 1
  }

  async #outcomeOf(item) {
    const { from, to, mode } = this.#settings
    if (!isSession(item, from.options) || this.#isOfTheTarget(item)) return 'foreign'
    if (isExpired(item, from.options)) return 'expired'
    const converted = convert(item, from.options, to.options)
    if (converted === undefined) return 'corrupt'
    if (mode === 'copy') return this.#write(converted)
    const outcome = await this.#compare(converted)
    return (mode === 'verify' ? ofVerification : ofDryRun)[outcome]
  }

  /** Counts a failure of which the session is the reason, and not the run. */
  #failure(error) {
    if (!['ValidationException', 'SerializationException'].includes(error.code)) throw error
    const { reasons } = this.#settings.counts
    const reason = reasonOf(error)
    reasons[reason] = (reasons[reason] ?? 0) + 1
    return 'failed'
  }

  /** In one table, what was just written may come up in the scan. */
  #isOfTheTarget(item) {
    const { from, to, isOneTable } = this.#settings
    const isLonger = to.options.prefix.length > from.options.prefix.length
    return isOneTable && isLonger && item[from.options.hashKey].S.startsWith(to.options.prefix)
  }

  async #write(converted) {
    const { to, writes, overwrite } = this.#settings
    await writes.take()
    try {
      const { ConsumedCapacity } = await to.request('PutItem', {
        Item: converted.item,
        ...(!overwrite && this.#unlessNewer(converted.item)),
        ReturnConsumedCapacity: 'TOTAL'
      })
      writes.charge((ConsumedCapacity?.CapacityUnits ?? Math.ceil(sizeOfItem(converted.item) / 1024)) - 1)
    } catch (error) {
      if (error.code !== 'ConditionalCheckFailedException') throw error
      return ofRefusedWrite[await this.#compare(converted)]
    }
    return ofReadingBack[await this.#compare(converted)]
  }

  /** The condition under which an item of the target may be replaced: its session ends earlier. */
  #unlessNewer(item) {
    const { hashKey, attributes } = this.#settings.to.options
    const expires = item[attributes.expires]
    const names = { '#key': hashKey }
    if (expires === undefined) {
      return { ConditionExpression: 'attribute_not_exists(#key)', ExpressionAttributeNames: names }
    }
    return {
      ConditionExpression: 'attribute_not_exists(#key) OR #expires < :expires',
      ExpressionAttributeNames: { ...names, '#expires': attributes.expires },
      ExpressionAttributeValues: { ':expires': expires }
    }
  }

  /** What the target has of a session: missing, same, earlier, later, or other at the same expiry. */
  async #compare({ id, item }) {
    const { to } = this.#settings
    const found = await to.get(id)
    if (found === undefined) return 'missing'
    if (isSame(found, item, to.options)) return 'same'
    // A session without an expiry never ends.
    const [theirs, ours] = [found, item].map((each) => expiryOf(each, to.options) ?? Infinity)
    return theirs > ours ? 'later' : theirs < ours ? 'earlier' : 'other'
  }
}

/** What a comparison counts as. An app that uses the target already may have touched what was just written. */
const ofReadingBack = { same: 'copied', later: 'kept', missing: 'different', earlier: 'different', other: 'different' }
/** The target was not written, because its session ends at the same time or later. */
const ofRefusedWrite = { ...ofReadingBack, same: 'same' }
const ofVerification = { ...ofRefusedWrite, missing: 'missing' }
const ofDryRun = { same: 'same', later: 'kept', missing: 'copied', earlier: 'copied', other: 'different' }

/** The service's words without the operation; they quote no values of an item. */
function reasonOf({ message }) {
  return message.replace(/^\w+ on table "[^"]*": /, '').slice(0, 120)
}

module.exports = { Copy }
