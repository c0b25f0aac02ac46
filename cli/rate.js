'use strict'

const { setTimeout: sleep } = require('node:timers/promises')

/** Spends at most so many units per second, without bursts; undefined is no limit. */
class Rate {
  #pause
  #next = 0

  constructor(perSecond) {
    this.#pause = perSecond === undefined ? 0 : 1000 / perSecond
  }

  /** Waits until units may be spent again, or the signal is aborted. */
  async ready(signal) {
    await until(this.#next, signal).catch(() => {})
  }

  /** Waits until a unit may be spent, and spends it. */
  async take() {
    const at = Math.max(performance.now(), this.#next)
    this.#next = at + this.#pause
    await until(at)
  }

  /** Spends units that a request turned out to cost. */
  charge(units = 0) {
    this.#next = Math.max(performance.now(), this.#next) + Math.max(units, 0) * this.#pause
  }
}

async function until(moment, signal) {
  const wait = moment - performance.now()
  // Node.js warns of negative times.
  if (wait > 0) await sleep(wait, undefined, { signal })
}

module.exports = { Rate }
