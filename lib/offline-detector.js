'use strict'

const { clearTimeout, setTimeout } = require('./timers.js')

/** The longest delay before the first probe, in milliseconds. It doubles with each probe, up to the maximum. */
const FIRST_DELAY = 500
const MAX_DELAY = 30_000

/**
 * Emits `disconnect` when the service can no longer be reached and `connect` when it can be again, as express-session
 * understands these events. `probe` sends a request, and rejects as an operation does.
 */
class OfflineDetector {
  #after
  #probe
  #emit
  #failures = 0
  #responses = 0
  #isOffline = false
  #timer

  constructor(after, probe, emit) {
    this.#after = after
    this.#probe = probe
    this.#emit = emit
  }

  /** How many responses the service has sent so far. */
  get responses() {
    return this.#responses
  }

  /**
   * Records the outcome of an operation: its error if it failed, and `responses` at the time when it started. If the
   * service has responded since then, it can be reached, and the operation failed because the store is busy.
   */
  record(error, responses) {
    if (error === undefined || hasResponse(error)) this.#recordResponse()
    else if (isNetworkFailure(error) && responses === this.#responses) this.#recordFailure()
  }

  stop() {
    this.#after = Infinity
    clearTimeout(this.#timer)
  }

  #recordResponse() {
    this.#responses += 1
    this.#failures = 0
    if (!this.#isOffline) return
    this.#isOffline = false
    clearTimeout(this.#timer)
    this.#emit('connect')
  }

  #recordFailure() {
    this.#failures += 1
    if (this.#isOffline || this.#failures < this.#after) return
    this.#isOffline = true
    this.#emit('disconnect')
    this.#probeAfter(FIRST_DELAY)
  }

  /** The delay is random, so that processes that lost the service together do not all probe it at the same time. */
  #probeAfter(delay) {
    const probe = async () => {
      const { responses } = this
      await this.#probe().then(
        () => this.record(),
        (error) => this.record(error, responses)
      )
      if (this.#isOffline && this.#after !== Infinity) this.#probeAfter(Math.min(delay * 2, MAX_DELAY))
    }
    this.#timer = setTimeout(probe, delay * (0.5 + Math.random() / 2)).unref()
  }
}

function hasResponse(error) {
  return error.$metadata?.httpStatusCode !== undefined
}

/** Whether a request was sent, or a connection for it could not be established, and no response came. */
function isNetworkFailure({ code, $metadata }) {
  return ['NetworkError', 'TimeoutError'].includes(code) && $metadata.attempts > 0
}

module.exports = { OfflineDetector }
