'use strict'

const { itemSize } = require('../lib/native/item-codec.js')
const { countReason, countSessionError, userReaderOf, whyNotAccepted, whyUnreadable } = require('./session-errors.js')
const { otherAttributes } = require('./migration.js')

/** How often a session is rewritten if the app changes it each time. */
const MAX_ATTEMPTS = 5

/** Writes sessions again one by one, in the form of the table's options, and counts the outcomes. */
class Rewriting {
  static initialCounts = {
    scanned: 0,
    rewritten: 0,
    same: 0,
    changed: 0,
    expired: 0,
    unreadable: 0,
    failed: 0,
    foreign: 0,
    withoutUser: 0,
    keptUser: 0
  }

  #table
  #settings
  #userOf

  /** With `keepsForm`, only the user attribute is written. */
  constructor({ table, ...settings }) {
    this.#table = table
    this.#settings = settings
    this.#userOf = userReaderOf(table.options)
    settings.counts.reasons ??= {}
  }

  async handleItem(item) {
    const { counts } = this.#settings
    counts[await this.#rewrite(item)] += 1
    counts.scanned += 1
  }

  /** Resolves to the name of the count that the item belongs to. */
  async #rewrite(item) {
    const { reasons } = this.#settings.counts
    try {
      const outcome = await this.#attempt(item)
      return outcome === 'conflict' ? await this.#retry(this.#table.decode(item).id) : outcome
    } catch (error) {
      countSessionError(error, reasons)
      return 'failed'
    }
  }

  /** Rewrites a session that the app has changed after the scan read it. */
  async #retry(id) {
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
      const item = await this.#table.get(id)
      const outcome = item === undefined ? 'changed' : await this.#attempt(item)
      if (outcome === 'same') return 'changed'
      if (outcome !== 'conflict') return outcome
    }
    countReason(`changed during each of ${MAX_ATTEMPTS} attempts`, this.#settings.counts.reasons)
    return 'failed'
  }

  async #attempt(item) {
    const { counts, isDry } = this.#settings
    const { options } = this.#table
    const decoded = this.#table.decode(item)
    if (!decoded.isSession) return 'foreign'
    if (decoded.isExpired) return 'expired'
    const reason = this.#whyUnreadable(decoded)
    if (reason !== undefined) {
      countReason(reason, counts.reasons)
      return 'unreadable'
    }
    const user = this.#userOf(decoded.session)
    const changes = this.#changesOf(item, decoded, user)
    const isSame = Object.keys(changes).length === 0
    if (!isSame && !isDry && !(await this.#update(item, decoded.id, changes))) return 'conflict'
    if (user === undefined && options.user !== undefined) counts.withoutUser += 1
    // Whether such an attribute is right is not known: under a different key, it has a different hash.
    if (user === undefined && item[options.attributes.user]?.S !== undefined) counts.keptUser += 1
    return isSame ? 'same' : 'rewritten'
  }

  #whyUnreadable(decoded) {
    if (decoded.session === undefined) return whyUnreadable(decoded)
    const { options } = this.#table
    return options.encryption?.write ? whyNotAccepted(decoded, options) : undefined
  }

  /** The attributes whose value differs from the one that the options require. */
  #changesOf(item, { id, session }, user) {
    const { options } = this.#table
    const { session: sessionName, user: userName } = options.attributes
    const { [userName]: _, ...attributes } = otherAttributes(item, options)
    const wanted = this.#table.encode(id, session, 0, attributes, user)
    const changes = {}
    const isSameForm = this.#settings.keepsForm || formOf(item[sessionName]) === formOf(wanted[sessionName])
    if (!isSameForm) changes[sessionName] = wanted[sessionName]
    // Without a user at the path, an attribute stays: the app may have set it with a function.
    if (user !== undefined && wanted[userName].S !== item[userName]?.S) changes[userName] = wanted[userName]
    return changes
  }

  /** Writes the attributes if the session has not changed. Resolves to whether it was written. */
  async #update(item, id, changes) {
    const { writes } = this.#settings
    const { session } = this.#table.options.attributes
    const names = Object.keys(changes)
    await writes.consumeUnit()
    try {
      const { ConsumedCapacity } = await this.#table.request('UpdateItem', {
        Key: this.#table.keyOf(id),
        UpdateExpression: `SET ${names.map((_, i) => `#${i} = :${i}`).join(', ')}`,
        ConditionExpression: '#session = :session',
        ExpressionAttributeNames: {
          '#session': session,
          ...Object.fromEntries(names.map((name, i) => [`#${i}`, name]))
        },
        ExpressionAttributeValues: {
          ':session': item[session],
          ...Object.fromEntries(names.map((name, i) => [`:${i}`, changes[name]]))
        }
      })
      writes.charge((ConsumedCapacity?.CapacityUnits ?? Math.ceil(itemSize({ ...item, ...changes }) / 1024)) - 1)
      return true
    } catch (error) {
      if (error.code !== 'ConditionalCheckFailedException') throw error
      return false
    }
  }
}

/** The type of a session attribute and, for binary data, the part of its header that is the same in each write. */
function formOf({ S, M, B }) {
  if (B === undefined) return S === undefined ? M && 'M' : 'S'
  const bytes = Buffer.from(B, 'base64')
  const [, flags, keyIdLength] = bytes
  const isEncrypted = (flags & 1) !== 0
  return bytes.toString('latin1', 0, isEncrypted ? 3 + keyIdLength : 2)
}

module.exports = { Rewriting }
