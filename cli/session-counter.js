'use strict'

const { itemSize } = require('../lib/native/item-codec.js')

const KB = 1024

/** The upper bounds of the histogram in KB. An item has at most 400 KB. */
const buckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 400]

/** Counts sessions and their sizes. Keeps the frequency of each size, so its memory does not grow with the table. */
class SessionCounter {
  items = 0
  #table
  #counts = { sessions: 0, alive: 0, expired: 0, withoutExpiry: 0, encrypted: 0, corrupt: 0, foreign: 0 }
  #totalBytes = 0
  #readUnits = 0
  #frequencies = new Map()
  #earliestExpiry

  constructor(table) {
    this.#table = table
  }

  addPage(items, readUnits = 0) {
    this.#readUnits += readUnits
    for (const item of items) this.#addItem(item)
  }

  #addItem(item) {
    const counts = this.#counts
    this.items += 1
    const { session, expires, isSession, isExpired, form } = this.#table.decode(item)
    if (!isSession) {
      counts.foreign += 1
      return
    }
    const size = itemSize(item)
    counts.sessions += 1
    this.#totalBytes += size
    this.#frequencies.set(size, (this.#frequencies.get(size) ?? 0) + 1)
    if (expires === undefined) counts.withoutExpiry += 1
    const isEncrypted = form === 'encrypted'
    if (isEncrypted) counts.encrypted += 1
    // Without keys, an encrypted session may be readable.
    if (session === undefined && !(isEncrypted && this.#table.options.encryption === undefined)) counts.corrupt += 1
    if (isExpired) {
      counts.expired += 1
      this.#earliestExpiry = Math.min(this.#earliestExpiry ?? Infinity, expires)
    } else counts.alive += 1
  }

  /** `share` is the share of the table that was read, if known. From a part, the totals are estimated. */
  report(share) {
    const isPart = share > 0 && share < 1
    const estimated = Object.entries(this.#counts).map(([name, count]) => [name, Math.round(count / share)])
    const longestExpired = Date.now() / 1000 - this.#earliestExpiry
    return {
      items: this.items,
      ...this.#counts,
      longestExpiredSeconds: this.#earliestExpiry === undefined ? null : Math.round(longestExpired),
      share: share ?? null,
      estimate: isPart ? Object.fromEntries(estimated) : null,
      readUnits: this.#readUnits,
      bytes: this.#counts.sessions === 0 ? null : this.#sizes()
    }
  }

  #sizes() {
    const { sessions } = this.#counts
    const sorted = [...this.#frequencies].sort(([a], [b]) => a - b)
    const percentile = (part) => {
      let seen = 0
      return sorted.find(([, frequency]) => (seen += frequency) >= part * sessions)[0]
    }
    const countBetween = (low, high) =>
      sorted.reduce((sum, [size, frequency]) => sum + (size > low && size <= high ? frequency : 0), 0)
    return {
      total: this.#totalBytes,
      mean: Math.round(this.#totalBytes / sessions),
      min: sorted[0][0],
      p50: percentile(0.5),
      p90: percentile(0.9),
      p99: percentile(0.99),
      max: sorted.at(-1)[0],
      histogram: buckets.map((upToKB, i) => ({
        upToKB,
        sessions: countBetween((buckets[i - 1] ?? 0) * KB, upToKB * KB)
      }))
    }
  }
}

module.exports = { SessionCounter }
