'use strict'

const BAR = 40

/** The report of `stats` for people. */
function linesOf(report) {
  const { items, sessions, expired, withoutExpiry, corrupt, foreign, estimate, bytes, share } = report
  const read = report.complete
    ? 'the whole table'
    : share === null
      ? 'a part of the table'
      : `${(share * 100).toFixed(share < 0.1 ? 2 : 0)} % of the table`
  const told = (name, count) => `${count}${estimate === null ? '' : `, about ${estimate[name]} in the table`}`
  const late = report.longestExpiredSeconds
  return [
    `read            ${items} items, ${read}, for ${report.readUnits} read units`,
    `sessions        ${told('sessions', sessions)}`,
    `  alive         ${told('alive', report.alive)}`,
    `  expired       ${told('expired', expired)}${late === null ? '' : `; the oldest ${hours(late)} ago, not yet swept`}`,
    `  no expiry     ${told('withoutExpiry', withoutExpiry)}`,
    `  unreadable    ${told('corrupt', corrupt)}`,
    `other items     ${told('foreign', foreign)}`,
    ...(bytes === null ? [] : sizeLines(bytes, sessions))
  ]
}

function sizeLines({ min, p50, p90, p99, max, mean, histogram }, sessions) {
  const last = histogram.findLastIndex((bucket) => bucket.sessions > 0)
  const bars = histogram.slice(0, last + 1).map((bucket) => {
    const bar = '#'.repeat(Math.ceil((bucket.sessions / sessions) * BAR))
    return `  to ${String(bucket.upToKB).padStart(3)} KB     ${String(bucket.sessions).padEnd(8)} ${bar}`
  })
  return [`bytes           least ${min}, median ${p50}, p90 ${p90}, p99 ${p99}, most ${max}, mean ${mean}`, ...bars]
}

function hours(seconds) {
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`
}

module.exports = { linesOf }
