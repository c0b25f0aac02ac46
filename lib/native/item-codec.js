'use strict'

const { DynamoDBStoreError } = require('../error.js')
const { plainJson } = require('../json.js')
const { parseSession } = require('../session-text.js')
const addon = require('./loader.js')
const { codecSettings } = require('./settings.js')

/** Writes and reads the items of a store with these options, as objects of attribute values. */
class ItemCodec {
  #native
  #tableName

  constructor(options) {
    this.#native = new addon.ItemCodec(plainJson(codecSettings(options)))
    this.#tableName = options.table
  }

  /**
   * Reads an item: the session ID, the session's text, the session, and the expiry and the creation time in seconds. Each one
   * is undefined if the item has none. `session` is also undefined if the text is not a JSON object. `isExpired` says whether the item has
   * expired. `form` is `'json'`, `'map'`, `'encrypted'`, `'compressed'`, or undefined. If the session is encrypted, `keyId`
   * is the ID of its key, and `lacksKey` says whether that key is unknown. `user` is the user attribute.
   */
  decode(item) {
    const json = this.#call('GetItem', () => this.#native.decode(plainJson(item), Date.now()))
    const { id, session: text, expires, created, isExpired, form, keyId, lacksKey, user } = JSON.parse(json)
    return {
      id: id ?? undefined,
      text: text ?? undefined,
      session: text === null ? undefined : parseSession(text),
      expires: expires ?? undefined,
      created: created ?? undefined,
      isExpired,
      form: form ?? undefined,
      keyId: keyId ?? undefined,
      lacksKey,
      user: user ?? undefined
    }
  }

  /** The key of a session's item. */
  key(id) {
    return JSON.parse(this.#native.key(id))
  }

  /**
   * Writes an item as `set` does. Without `expires`, it has no expiry. `attributes` are additional attributes. `user` is the
   * user of the session.
   */
  encode(id, session, expires, attributes, user) {
    const additional = attributes === undefined ? null : plainJson(attributes)
    const json = JSON.stringify(session)
    const args = [id, json, expires ?? null, additional, user ?? null]
    return JSON.parse(this.#call('PutItem', () => this.#native.encode(...args)))
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
