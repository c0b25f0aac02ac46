'use strict'

/**
 * The saves in progress, by session ID. Saves of one session run one after another, and each one starts from what the
 * previous one wrote. Otherwise, most of them would collide.
 */
class SaveQueues {
  #queues = new Map()

  /**
   * Calls `start(queue)` after the earlier saves of the session have succeeded or failed, and returns its promise.
   * `queue.stored` is for the saves to use, and lasts as long as saves are in progress. Each save must call `leave` when
   * it ends.
   */
  enter(sid, start) {
    const queue = this.#queues.get(sid)
    if (queue === undefined) {
      const created = { length: 1, last: undefined, stored: undefined }
      this.#queues.set(sid, created)
      return (created.last = start(created))
    }
    queue.length += 1
    const next = () => start(queue)
    return (queue.last = queue.last.then(next, next))
  }

  leave(sid, queue) {
    queue.length -= 1
    if (queue.length === 0) this.#queues.delete(sid)
  }
}

module.exports = { SaveQueues }
