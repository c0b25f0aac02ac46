'use strict'

/**
 * Orders the outcomes of @fastify/session's writes: each promise settles after those of earlier writes of the same session.
 * @fastify/session saves a session once for each response. If a handler sends two responses, the client must get the first
 * one.
 */
class FastifyWrites {
  /** The last write in progress of each session, by session ID. */
  #last = new Map()

  /** Settles like the write, but only after the earlier writes of the same session have settled. */
  inOrder(key, write) {
    const earlier = this.#last.get(key)
    const ordered = earlier === undefined ? write : Promise.allSettled([earlier, write]).then(() => write)
    this.#last.set(key, ordered)
    const forget = () => this.#last.get(key) === ordered && this.#last.delete(key)
    ordered.then(forget, forget)
    return ordered
  }
}

module.exports = { FastifyWrites }
