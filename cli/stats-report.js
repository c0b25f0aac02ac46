'use strict'

const BAR_WIDTH = 40

/** The report of `stats` as lines of text. */
function formatReport(report) {
  const { sessions, estimate, bytes, longestExpiredSeconds: longest } = report
  const withEstimate = (name) => {
    const estimated = estimate === null ? '' : `, about ${estimate[name]} in the table`
    return `${report[name]}${estimated}`
  }
  const oldest = longest === null ? '' : `; the oldest expired ${formatDuration(longest)} ago`
  return [
    `scanned         ${report.items} items, ${shareText(report)}, ${report.readUnits} read capacity units`,
    `sessions        ${withEstimate('sessions')}`,
    `  live          ${withEstimate('alive')}`,
    `  expired       ${withEstimate('expired')}${oldest}`,
    `  no expiry     ${withEstimate('withoutExpiry')}`,
    `  unreadable    ${withEstimate('corrupt')}`,
    `other items     ${withEstimate('foreign')}`,
    ...(bytes === null ? [] : sizeLines(bytes, sessions))
  ]
}

function shareText({ complete, share }) {
  if (complete) return 'the whole table'
  if (share === null) return 'a part of the table'
  return `${(share * 100).toFixed(share < 0.1 ? 2 : 0)} % of the table`
}

function sizeLines({ min, p50, p90, p99, max, mean, histogram }, sessions) {
  const last = histogram.findLastIndex((bucket) => bucket.sessions > 0)
  const bars = histogram.slice(0, last + 1).map((bucket) => {
    const bar = '#'.repeat(Math.ceil((bucket.sessions / sessions) * BAR_WIDTH))
    return `  up to ${String(bucket.upToKB).padStart(3)} KB  ${String(bucket.sessions).padEnd(8)} ${bar}`
  })
  return [`bytes           min ${min}, median ${p50}, p90 ${p90}, p99 ${p99}, max ${max}, mean ${mean}`, ...bars]
}

function formatDuration(seconds) {
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`
}

module.exports = { formatReport }
