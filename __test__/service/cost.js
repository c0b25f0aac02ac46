'use strict'

/** Approximate usage of a complete run, measured by the gateway on the in-memory server. */
const expected = { requests: 25_000, readUnits: 12_000, writeUnits: 38_000 }

/** US dollars per million request units of an on-demand table (Standard class, us-east-1). Other Regions cost up to twice as much. */
const prices = { readUnits: 0.125, writeUnits: 0.625 }

function costOf(used) {
  const dollars = Object.entries(prices).reduce((sum, [unit, price]) => sum + (used[unit] * price) / 1e6, 0)
  return `$${dollars.toFixed(3)}`
}

module.exports = { costOf, expected }
