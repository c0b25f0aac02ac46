'use strict'

/** About what a whole run used on the in-memory server, measured by the gateway. */
const expected = { requests: 25_000, readUnits: 12_000, writeUnits: 38_000 }

/** Dollars for a million request units of an on-demand table, Standard class, in us-east-1; other Regions cost up to twice that. */
const prices = { readUnits: 0.125, writeUnits: 0.625 }

function costOf(used) {
  const dollars = Object.entries(prices).reduce((sum, [unit, price]) => sum + (used[unit] * price) / 1e6, 0)
  return `$${dollars.toFixed(3)}`
}

module.exports = { costOf, expected }
