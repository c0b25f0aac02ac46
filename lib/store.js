'use strict'

const { answer, done } = require('./answer.js')
const { readOptions } = require('./options.js')
const { Sessions } = require('./sessions.js')

/** The native face: one class for every framework, extending `Base`. index.d.ts documents it. */
const createStoreClass = (Base) =>
  class DynamoDBStore extends Base {
    #sessions

    constructor(options) {
      super()
      const settled = readOptions(options)
      this.#sessions = new Sessions(settled, (event, value) => {
        // What a listener throws is the app's, not the operation's.
        if (this.listenerCount(event) > 0) process.nextTick(() => this.emit(event, value))
      })
      Object.defineProperty(this, 'client', { value: settled.client })
    }

    get(sid, ...rest) {
      return answer(this.#sessions.get(sid), rest)
    }

    set(sid, session, ...rest) {
      const maxAge = typeof rest[0] === 'number' ? rest[0] : undefined
      return answer(done(this.#sessions.set(sid, session, maxAge)), rest)
    }

    touch(sid, session, ...rest) {
      return answer(done(this.#sessions.touch(sid, session)), rest)
    }

    destroy(sid, ...rest) {
      return answer(this.#sessions.destroy(sid), rest)
    }

    all(...rest) {
      return answer(this.#sessions.all(), rest)
    }

    ids(...rest) {
      return answer(this.#sessions.ids(), rest)
    }

    length(...rest) {
      return answer(this.#sessions.length(), rest)
    }

    clear(...rest) {
      return answer(this.#sessions.clear(), rest)
    }

    createTable(...rest) {
      return answer(this.#sessions.createTable(), rest)
    }

    describeTable(...rest) {
      return answer(this.#sessions.describeTable(), rest)
    }

    stats() {
      return this.#sessions.stats()
    }

    close(...rest) {
      return answer(this.#sessions.close(), rest)
    }

    /** express-session makes a Session of what `get` gave. */
    createSession(request, session) {
      const created = super.createSession(request, session)
      this.#sessions.handOver(session, created)
      return created
    }
  }

module.exports = { createStoreClass }
