'use strict'

const { sizeOfItem } = require('./attribute.js')
const { expiryOf, isExpired, isSession, sessionOf } = require('./item.js')

const KB = 1024

/** Upper bounds of the sizes told, in KB; 400 KB is the largest item. */
const bounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 400]

/** Counts items. Of the sizes it keeps how often each came, which a large table does not make larger. */
class Tally {
  items = 0
  hasSeenAll = false
  #options
  #counts = { sessions: 0, alive: 0, expired: 0, withoutExpiry: 0, corrupt: 0, foreign: 0 }
  #bytes = 0
  #readUnits = 0
  #sizes = new Map()
  #oldestExpiry

  constructor(options) {
    this.#options = options
  }

  add(items, readUnits = 0) {
    this.#readUnits += readUnits
    for (const item of items) this.#addOne(item)
  }

  #addOne(item) {
    const counts = this.#counts
    this.items += 1
    if (!isSession(item, this.#options)) {
      counts.foreign += 1
      return
    }
    const size = sizeOfItem(item)
    counts.sessions += 1
    this.#bytes += size
    this.#sizes.set(size, (this.#sizes.get(size) ?? 0) + 1)
    const expiry = expiryOf(item, this.#options)
    if (expiry === undefined) counts.withoutExpiry += 1
    if (sessionOf(item, this.#options) === undefined) counts.corrupt += 1
    if (!isExpired(item, this.#options)) counts.alive += 1
    else {
      counts.expired += 1
      this.#oldestExpiry = Math.min(this.#oldestExpiry ?? Infinity, expiry)
    }
  }

  /** `share` of the table that was read; the whole is estimated from a part. */
  report(share) {
    const isPart = share > 0 && share < 1
    const estimated = Object.entries(this.#counts).map(([name, count]) => [name, Math.round(count / share)])
    return {
      items: this.items,
      ...this.#counts,
      longestExpiredSeconds:
        this.#oldestExpiry === undefined ? null : Math.round(Date.now() / 1000 - this.#oldestExpiry),
      share: share ?? null,
      estimate: isPart ? Object.fromEntries(estimated) : null,
      readUnits: this.#readUnits,
      bytes: this.#sizeReport()
    }
  }

  #sizeReport() {
    const sizes = [...this.#sizes].sort(([a], [b]) => a - b)
    const { sessions } = this.#counts
    if (sessions === 0) return null
    const percentile = (part) => {
      let seen = 0
      return sizes.find(([, times]) => (seen += times) >= part * sessions)[0]
    }
    const between = (low, high) =>
      sizes.reduce((sum, [size, times]) => sum + (size > low && size <= high ? times : 0), 0)
    return {
      total: this.#bytes,
      mean: Math.round(this.#bytes / sessions),
      min: sizes[0][0],
      p50: percentile(0.5),
      p90: percentile(0.9),
      p99: percentile(0.99),
      max: sizes.at(-1)[0],
      histogram: bounds.map((bound, i) => ({ upToKB: bound, sessions: between((bounds[i - 1] ?? 0) * KB, bound * KB) }))
    }
  }
}

module.exports = { Tally }
