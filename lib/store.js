'use strict'

const { answer, done, emitLater } = require('./answer.js')
const { watchGenerate } = require('./express-cookie.js')
const { readOptions } = require('./options.js')
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

    get(sid, ...rest) {
      return answer(this[STATE].get(sid), rest, this[STATE])
    }

    set(sid, session, ...rest) {
      const maxAge = typeof rest[0] === 'number' ? rest[0] : undefined
      return answer(this[STATE].set(sid, session, maxAge), rest, this[STATE])
    }

    touch(sid, session, ...rest) {
      return answer(done(this[STATE].touch(sid, session)), rest)
    }

    destroy(sid, ...rest) {
      return answer(this[STATE].destroy(sid), rest, this[STATE])
    }

    all(...rest) {
      return answer(this[STATE].all(), rest)
    }

    ids(...rest) {
      return answer(this[STATE].ids(), rest)
    }

    length(...rest) {
      return answer(this[STATE].length(), rest)
    }

    clear(...rest) {
      return answer(this[STATE].clear(), rest)
    }

    createTable(...rest) {
      return answer(this[STATE].createTable(), rest)
    }

    describeTable(...rest) {
      return answer(this[STATE].describeTable(), rest)
    }

    stats() {
      return this[STATE].stats()
    }

    close(...rest) {
      return answer(this[STATE].close(), rest)
    }

    /** express-session calls this to make a Session from what `get` returned. */
    createSession(request, session) {
      return this[STATE].createSession((...args) => super.createSession(...args), request, session)
    }
  }

module.exports = { createStoreClass }
