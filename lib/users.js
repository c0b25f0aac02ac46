'use strict'

const { operations } = require('./native/operations.js')
const { userText } = require('./protection-options.js')

/** The sessions of a user. */
class Users {
  #native

  constructor(native) {
    this.#native = native
  }

  /** Resolves to the IDs of a user's sessions. */
  async idsOf(user) {
    const operation = operations.idsOf
    const { text } = await this.#native.run(operation, undefined, this.#textOf(operation, user))
    return JSON.parse(text)
  }

  /** Deletes a user's sessions, except those with the IDs `except`; resolves to the number of sessions that it deleted. */
  async destroyAllOf(user, options) {
    const operation = operations.destroyAllOf
    const text = this.#textOf(operation, user)
    // Ignoring a wrong option would end sessions that the app wants to keep.
    const { except = [], ...others } = typeof options === 'object' ? { ...options } : { options }
    if (Object.values(others).some((value) => value !== undefined)) {
      throw this.#native.createError(operation, 'ConfigError', 'the options of destroyAllOf must be { except }')
    }
    const kept = Array.isArray(except) ? except : [except]
    if (!kept.every((sid) => typeof sid === 'string')) {
      const message = 'except must be a session ID or an array of session IDs'
      throw this.#native.createError(operation, 'InvalidSessionIdError', message)
    }
    const { number } = await this.#native.run(operation, undefined, text, kept)
    return number
  }

  #textOf(operation, user) {
    try {
      return userText(user)
    } catch ({ message }) {
      throw this.#native.createError(operation, 'ConfigError', message)
    }
  }
}

module.exports = { Users }
