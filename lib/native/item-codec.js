'use strict'

const { DynamoDBStoreError } = require('../error.js')
const { plainJson } = require('../json.js')
const { parseSession } = require('../session-text.js')
const addon = require('./loader.js')
const { layoutOf } = require('./settings.js')

/** Writes and reads the items of one layout, as objects of attribute values. */
class ItemCodec {
  #native
  #tableName

  constructor(options) {
    this.#native = new addon.ItemCodec(plainJson(layoutOf(options)))
    this.#tableName = options.table
  }

  /**
   * Reads an item: the session ID, the session's text, the session, and the expiry in seconds. Each one is undefined if
   * the item has none. `session` is also undefined if the text is not a JSON object. `isExpired` says whether the item has
   * expired.
   */
  decode(item) {
    const json = this.#call('GetItem', () => this.#native.decode(plainJson(item), Date.now()))
    const { id, session: text, expires, isExpired } = JSON.parse(json)
    return {
      id: id ?? undefined,
      text: text ?? undefined,
      session: text === null ? undefined : parseSession(text),
      expires: expires ?? undefined,
      isExpired
    }
  }

  /** The key of a session's item. */
  key(id) {
    return JSON.parse(this.#native.key(id))
  }

  /** Writes an item as `set` does. Without `expires`, it has no expiry. `attributes` are additional attributes. */
  encode(id, session, expires, attributes) {
    const additional = attributes === undefined ? null : plainJson(attributes)
    const json = JSON.stringify(session)
    return JSON.parse(this.#call('PutItem', () => this.#native.encode(id, json, expires ?? null, additional)))
  }

  #call(operation, run) {
    try {
      return run()
    } catch ({ code, message }) {
      throw new DynamoDBStoreError(code, message, { operation, tableName: this.#tableName })
    }
  }
}

/** The size of an item in bytes, as DynamoDB counts it. */
function itemSize(item) {
  return addon.itemSize(plainJson(item))
}

/** Whether two items hold the same attributes: sets have no order, and numbers are compared by value. */
function sameAttributes(one, other) {
  return addon.sameAttributes(plainJson(one), plainJson(other))
}

module.exports = { ItemCodec, itemSize, sameAttributes }
