'use strict'

const { callbackOrPromise, emitLater, invoke, optionsIn } = require('../callbacks.js')
const { watchGenerate } = require('../express-cookie.js')
const { Sessions } = require('../sessions.js')
const { STATE } = require('../state.js')

/** The internal state of a compatible store. */
class State {
  /** The sessions of the table. */
  sessions
  /** The native options, if the store needs them later. */
  native
  /** While the table is being created: a promise that resolves when that has succeeded or failed. */
  creation
  #emit

  constructor(store) {
    this.#emit = (event, value) => emitLater(store, event, value)
  }

  /** Opens the sessions with these native options, and closes those that were open. */
  open(options) {
    this.sessions?.close()
    this.sessions = new Sessions(options, this.#emit)
  }

  /** Makes operations wait until the creation of the table has succeeded or failed. */
  holdOperations(creation) {
    const release = () => {
      if (this.creation === settled) this.creation = undefined
    }
    const settled = creation.then(release, release)
    this.creation = settled
  }
}

/** Runs an operation on the sessions. If the table is being created, the operation waits for it. */
function afterCreation(store, operation) {
  const state = store[STATE]
  const start = () => operation(state.sessions)
  return state.creation === undefined ? start() : state.creation.then(start)
}

/**
 * A class that extends `Base` with what every compatible store has. `run` starts an operation on the sessions of a store, and
 * `sessionsOf(store)` returns the sessions that it uses now.
 *
 * Methods get the state from `this`, which may be a proxy of the store or an object that inherits from it.
 */
function createCompatibleStore(Base, run = afterCreation, sessionsOf = (store) => store[STATE].sessions) {
  return class extends Base {
    constructor(...args) {
      super(...args)
      Object.defineProperty(this, STATE, { value: new State(this) })
      watchGenerate(this, (cookie) => this[STATE].sessions.setCookieOptions(cookie))
    }

    idsOf(user, ...rest) {
      const finding = run(this, (sessions) => sessions.idsOf(user))
      return callbackOrPromise(finding, rest)
    }

    destroyAllOf(user, ...rest) {
      const destroying = run(this, (sessions) => sessions.destroyAllOf(user, optionsIn(rest)))
      return callbackOrPromise(destroying, rest)
    }

    warm(...rest) {
      const warming = run(this, (sessions) => sessions.warm())
      return callbackOrPromise(warming, rest)
    }

    stats() {
      return sessionsOf(this).stats()
    }

    close(...rest) {
      return callbackOrPromise(sessionsOf(this).close(), rest)
    }
  }
}

/**
 * A class that extends express-session's `Store` with what the compatible stores for Express share. `run` is that of
 * `createCompatibleStore`.
 */
function createExpressStore(Store, run = afterCreation) {
  return class extends createCompatibleStore(Store, run) {
    get(sid, ...rest) {
      return callbackOrPromise(
        run(this, (sessions) => sessions.getFor(this, sid, rest)),
        rest,
        this[STATE].sessions
      )
    }

    destroy(sid, ...rest) {
      return callbackOrPromise(
        run(this, (sessions) => sessions.destroy(sid)),
        rest,
        this[STATE].sessions
      )
    }

    /** express-session calls this to create a Session from what `get` returned. */
    createSession(request, session) {
      return this[STATE].sessions.createSession((...args) => super.createSession(...args), request, session)
    }
  }
}

/**
 * For methods that return a promise and also take a callback in the replaced package: returns a promise that resolves
 * after the callback has been called, or to the value if there is no callback. An error that the callback throws
 * becomes an uncaught exception.
 */
function settle(promise, callback, sessions) {
  if (typeof callback !== 'function') {
    promise.catch(() => {})
    return promise
  }
  const called = (...results) => invoke(sessions, callback, ...results)
  return promise.then((value) => called(null, value), called)
}

module.exports = { afterCreation, createCompatibleStore, createExpressStore, settle }
