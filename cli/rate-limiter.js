'use strict'

const { setTimeout: sleep } = require('node:timers/promises')

/** Limits the capacity units consumed per second, without bursts. Without a rate, there is no limit. */
class RateLimiter {
  #interval
  #next = 0

  constructor(unitsPerSecond) {
    this.#interval = unitsPerSecond === undefined ? 0 : 1000 / unitsPerSecond
  }

  /** Waits until a unit is available, or until the signal is aborted. Does not consume the unit. */
  async waitForUnit(signal) {
    await sleepUntil(this.#next, signal).catch(() => {})
  }

  /** Waits until a unit is available, and consumes it. */
  async consumeUnit() {
    const time = Math.max(performance.now(), this.#next)
    this.#next = time + this.#interval
    await sleepUntil(time)
  }

  /** Consumes units after the fact, when the response to a request says how many it cost. */
  charge(units = 0) {
    this.#next = Math.max(performance.now(), this.#next) + Math.max(units, 0) * this.#interval
  }
}

async function sleepUntil(time, signal) {
  const milliseconds = time - performance.now()
  // Node.js warns about negative times.
  if (milliseconds > 0) await sleep(milliseconds, undefined, { signal })
}

module.exports = { RateLimiter }
