'use strict'

const { clearTimeout, setTimeout } = require('./timers.js')

/** The longest pause before each probe, in milliseconds; it doubles up to the last. */
const FIRST_PAUSE = 500
const LAST_PAUSE = 30_000

/**
 * Tells, by `disconnect` and `connect`, whether the service can be reached, as express-session understands
 * them. `probe` is a request that rejects like an operation.
 */
class Offline {
  #after
  #probe
  #emit
  #failures = 0
  #answers = 0
  #isOffline = false
  #timer

  constructor(after, probe, emit) {
    this.#after = after
    this.#probe = probe
    this.#emit = emit
  }

  /** How often the service has answered so far. */
  get answers() {
    return this.#answers
  }

  /**
   * Takes the outcome of an operation: its error if it failed, and `answers` as it was when the operation started.
   * If the service has answered since, it can be reached, and the operation failed because the store is busy.
   */
  hear(error, answers) {
    if (error === undefined || isAnswered(error)) this.#reached()
    else if (isNetworkFailure(error) && answers === this.#answers) this.#missed()
  }

  stop() {
    this.#after = Infinity
    clearTimeout(this.#timer)
  }

  #reached() {
    this.#answers += 1
    this.#failures = 0
    if (!this.#isOffline) return
    this.#isOffline = false
    clearTimeout(this.#timer)
    this.#emit('connect')
  }

  #missed() {
    this.#failures += 1
    if (this.#isOffline || this.#failures < this.#after) return
    this.#isOffline = true
    this.#emit('disconnect')
    this.#probeAfter(FIRST_PAUSE)
  }

  /** Processes that lost the service together do not come back to it together. */
  #probeAfter(pause) {
    const again = () => this.#probeAfter(Math.min(pause * 2, LAST_PAUSE))
    const probe = async () => {
      const { answers } = this
      await this.#probe().then(
        () => this.hear(),
        (error) => this.hear(error, answers)
      )
      if (this.#isOffline && this.#after !== Infinity) again()
    }
    this.#timer = setTimeout(probe, pause * (0.5 + Math.random() / 2)).unref()
  }
}

function isAnswered(error) {
  return error.$metadata?.httpStatusCode !== undefined
}

/** A request was sent, or no connection could be established for it, and there was no answer. */
function isNetworkFailure({ code, $metadata }) {
  return ['NetworkError', 'TimeoutError'].includes(code) && $metadata.attempts > 0
}

module.exports = { Offline }
