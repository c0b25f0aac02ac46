'use strict'

/**
 * The saves in progress, by session ID. Saves of one session run one after another, and each one starts from what the
 * previous one wrote. Otherwise, most of them would collide.
 */
class SaveQueues {
  #queues = new Map()

  /**
   * Calls `save(queue)` after the earlier saves of the session have succeeded or failed, and returns a promise of its
   * outcome. `queue.stored` is for the saves to use, and lasts as long as saves are in progress.
   */
  run(sid, save) {
    let queue = this.#queues.get(sid)
    if (queue === undefined) this.#queues.set(sid, (queue = { last: undefined, stored: undefined }))
    const start = () => save(queue)
    const running = queue.last === undefined ? start() : queue.last.then(start, start)
    queue.last = running
    const forget = () => queue.last === running && this.#queues.delete(sid)
    running.then(forget, forget)
    return running
  }
}

module.exports = { SaveQueues }
