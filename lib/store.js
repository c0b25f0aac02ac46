'use strict'

const { callbackOrPromise, emitLater, optionsIn, withoutValue } = require('./callbacks.js')
const { watchGenerate } = require('./express-cookie.js')
const { readOptions } = require('./options.js')
const { contextOf } = require('./parallel/frameworks.js')
const { Sessions } = require('./sessions.js')
const { STATE } = require('./state.js')

/** Creates the store class, which works with every framework and extends `Base`. index.d.ts documents it. */
const createStoreClass = (Base) =>
  class DynamoDBStore extends Base {
    constructor(options) {
      super()
      const settled = readOptions(options)
      const sessions = new Sessions(settled, (event, value) => emitLater(this, event, value))
      Object.defineProperty(this, STATE, { value: sessions })
      watchGenerate(this, (cookie) => sessions.setCookieOptions(cookie))
      Object.defineProperty(this, 'client', { value: settled.client })
    }

    // @fastify/session calls only `get`, `set`, and `destroy`, so only these pass `this[STATE]` to `callbackOrPromise`,
    // which turns an error that a callback of @fastify/session throws into a warning.

    get(sid, ...rest) {
      return callbackOrPromise(this[STATE].getFor(this, sid, rest), rest, this[STATE])
    }

    set(sid, session, ...rest) {
      const maxAge = typeof rest[0] === 'number' ? rest[0] : undefined
      return callbackOrPromise(this[STATE].set(sid, session, maxAge, contextOf(rest)), rest, this[STATE])
    }

    touch(sid, session, ...rest) {
      return callbackOrPromise(withoutValue(this[STATE].touch(sid, session)), rest)
    }

    destroy(sid, ...rest) {
      return callbackOrPromise(this[STATE].destroy(sid, contextOf(rest)), rest, this[STATE])
    }

    all(...rest) {
      return callbackOrPromise(this[STATE].all(), rest)
    }

    ids(...rest) {
      return callbackOrPromise(this[STATE].ids(), rest)
    }

    idsOf(user, ...rest) {
      return callbackOrPromise(this[STATE].idsOf(user), rest)
    }

    destroyAllOf(user, ...rest) {
      return callbackOrPromise(this[STATE].destroyAllOf(user, optionsIn(rest)), rest)
    }

    length(...rest) {
      return callbackOrPromise(this[STATE].length(), rest)
    }

    clear(...rest) {
      return callbackOrPromise(this[STATE].clear(), rest)
    }

    createTable(...rest) {
      return callbackOrPromise(this[STATE].createTable(), rest)
    }

    describeTable(...rest) {
      return callbackOrPromise(this[STATE].describeTable(), rest)
    }

    warm(...rest) {
      return callbackOrPromise(this[STATE].warm(), rest)
    }

    stats() {
      return this[STATE].stats()
    }

    close(...rest) {
      return callbackOrPromise(this[STATE].close(), rest)
    }

    /** express-session calls this to make a Session from what `get` returned. */
    createSession(request, session) {
      return this[STATE].createSession((...args) => super.createSession(...args), request, session)
    }
  }

module.exports = { createStoreClass }
